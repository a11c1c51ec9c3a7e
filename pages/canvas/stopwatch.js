// The stopwatch of an outline drawn by hand, beside a canvas that is not ours: it watches the whole window. No model
// answers, so nothing waits: the hand draws, or its owner thinks, or is away.

import { Timer } from "./timer.js";

const KEEP_MS = 1_000;

/**
 * @param {HTMLElement} _root
 * @param {{key: string}} data  key: names the outline, whose time goes on after a reload
 * @param {{times: (times: import("./timer.js").Times) => void}} hooks
 */
export function mount(_root, data, hooks) {
  const place = `masksmith.outline.${data.key}`;
  const timer = new Timer();
  timer.restore(kept(place));
  timer.start();
  timer.touch("painting");
  timer.hold("hidden", document.hidden);
  let tell = hooks.times;
  const stop = new AbortController();
  const on = (target, name, run) => target.addEventListener(name, run, { capture: true, passive: true, signal: stop.signal });
  for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) on(window, name, () => timer.touch("painting"));
  on(document, "visibilitychange", () => timer.hold("hidden", document.hidden));
  // Every word to Streamlit runs its page anew, so the time is told only where the page is about to run anyway, and
  // not before the button was let go: a page that runs anew under the finger can lose the click.
  on(window, "click", (event) => isButton(event) && tell(timer.rounded()));
  on(window, "keydown", (event) => event.key === "Enter" && tell(timer.rounded()));
  const keeping = setInterval(() => localStorage.setItem(place, JSON.stringify(timer.rounded())), KEEP_MS);
  return {
    update(_data, next) {
      tell = next.times;
    },
    unmount() {
      clearInterval(keeping);
      stop.abort();
    },
  };
}

function kept(place) {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "null");
  } catch {
    return null;
  }
}

/** @param {Event} event */
function isButton(event) {
  return event.composedPath().some((one) => one instanceof Element && one.closest("button"));
}
