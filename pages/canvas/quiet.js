// When the server goes away Streamlit puts a dialog over the page. Here the badge says so already, and the hand goes on
// working: the dialog is closed as soon as it comes.

const TITLE = "Connection error";

/** @param {HTMLElement} stage  gets the focus that the dialog took @returns {() => void} stops that */
export function closeConnectionDialogs(stage) {
  const watch = new MutationObserver(() => {
    const dialog = document.querySelector('[data-testid="stDialog"]');
    if (!dialog?.textContent.includes(TITLE)) return;
    dialog.style.visibility = "hidden";
    dialog.querySelector("button")?.click();
    // The dialog gives the focus back only after its own farewell.
    requestAnimationFrame(() => stage.focus({ preventScroll: true }));
  });
  watch.observe(document.body, { childList: true, subtree: true });
  return () => watch.disconnect();
}
