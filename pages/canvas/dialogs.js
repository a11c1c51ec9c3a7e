// Dialogs: all keys, where each can be changed; what the server refused to save; guidelines; a question; and their frame.

import { button, el } from "./dom.js";
import { addresses, guidelines } from "./guidelines.js";
import { ACTIONS, nameOf, shownKey } from "./keys.js";

/**
 * Open a dialog in `root`; the workbench's keys and its stopwatch rest until it is closed.
 * @param {import("./bench.js").Bench} bench @param {string} title @param {...Node} content
 */
export function openDialog(bench, title, ...content) {
  const close = button({ class: "plain close", title: "Close (Esc)", "aria-label": "Close" }, "Close");
  const dialog = el("dialog", { class: "dialog", "aria-label": title }, el("header", {}, el("h1", {}, title), close), ...content);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    // Told late, when another may have been opened in its place.
    if (bench.dialog !== dialog) return;
    bench.timer.hold("dialog", false);
    bench.stage.root.focus({ preventScroll: true });
  });
  // Streamlit must not hear what is pressed in here.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  bench.root.append(dialog);
  bench.dialog = dialog;
  bench.timer.hold("dialog", true);
  dialog.showModal();
  return dialog;
}

/** @param {import("./bench.js").Bench} bench */
export function openHelp(bench) {
  if (bench.dialog?.open) return;
  const note = el("p", { class: "note", role: "status" }, "Click a key to change it, then press the new one.");
  const groups = new Map();
  for (const action of ACTIONS) {
    if (!groups.has(action.group)) groups.set(action.group, []);
    groups.get(action.group).push(action);
  }
  const tables = [...groups].map(([name, actions]) =>
    el("section", {}, el("h2", {}, name), ...actions.map((action) => keyRow(bench, action, note))),
  );
  const reset = button(
    {
      class: "plain",
      title: "Give all actions their first keys back",
      onclick: () => {
        bench.keys.reset();
        bench.prefer({ keys: {} });
        dialog.close();
        openHelp(bench);
      },
    },
    "Default keys",
  );
  const dialog = openDialog(bench, "Keys", mouse(), el("div", { class: "key-groups" }, ...tables), el("footer", {}, note, reset));
}

function mouse() {
  const lines = [
    ["Click", "foreground point"],
    ["Right click, Alt + click, long press", "background point"],
    ["Drag", "box"],
    ["Drag a point", "move it"],
    ["Shift + click a point", "remove it"],
    ["Shift or Alt while pointing", "preview of one more point"],
    ["Ctrl + click", "select an accepted mask"],
    ["Right button with brush or eraser", "the other of the two"],
    ["Wheel, pinch", "zoom; two fingers or middle drag move"],
  ];
  return el("div", { class: "mouse" }, ...lines.map(([how, what]) => el("div", {}, el("b", {}, how), ` ${what}`)));
}

function keyRow(bench, action, note) {
  const caps = el("span", { class: "caps" });
  const draw = () => {
    const keys = bench.keys.keysOf.get(action.id) ?? [];
    caps.replaceChildren(...(keys.length ? keys.map((key) => el("kbd", {}, shownKey(key))) : ["none"]));
  };
  draw();
  const change = button({ class: "key-row", title: `Change the key of “${action.title}”`, "data-action": action.id }, el("span", {}, action.title), caps);
  change.addEventListener("click", () => {
    change.focus();
    caps.replaceChildren("press a key…");
    const done = () => {
      change.removeEventListener("keydown", listen);
      change.removeEventListener("blur", done);
      draw();
    };
    const listen = (event) => {
      if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      const problem = event.key === "Escape" && action.id !== "clear" ? "Nothing was changed." : assign(bench, action, nameOf(event));
      note.textContent = problem ?? `“${action.title}” is on ${bench.keys.shown(action.id)} now.`;
      done();
    };
    change.addEventListener("keydown", listen);
    change.addEventListener("blur", done);
  });
  return change;
}

function assign(bench, action, key) {
  const problem = bench.keys.assign(action.id, key);
  if (!problem) bench.prefer({ keys: bench.keys.changes() });
  return problem;
}

const WHAT = { accept: "Accepted mask", skip: "Skip", delete: "Deleting a mask", restore: "Bringing a mask back", label: "Label", flag: "Answer to a flag", state: "State of the image" };

/** @param {import("./bench.js").Bench} bench */
export function openRefused(bench) {
  const { outbox } = bench;
  if (bench.dialog?.open || !outbox.refused.length) return;
  const list = el("ul", { class: "refused" });
  const draw = () =>
    list.replaceChildren(
      ...outbox.refused.map((item) => {
        const again = button({ class: "plain", title: "Send it once more", onclick: () => act(() => outbox.tryAgain(item.id)) }, "Try again");
        const beside =
          item.op === "accept" && item.body?.supersedes
            ? button({ class: "plain", title: "As a mask of its own, beside what stands now", onclick: () => act(() => outbox.saveBeside(item.id)) }, "Save beside")
            : null;
        const drop = button({ class: "plain", title: "Give it up; it will not be saved", onclick: () => act(() => outbox.discard(item.id)) }, "Give up");
        return el("li", {}, el("b", {}, `${WHAT[item.op] ?? item.op}, image ${item.imageId ?? "?"}: `), item.refused, el("div", {}, again, beside, drop));
      }),
    );
  const act = (run) => {
    run();
    draw();
    if (!outbox.refused.length) dialog.close();
  };
  draw();
  const dialog = openDialog(bench, "Not saved", el("p", {}, "The server refused these. They are kept in this browser until you decide."), list);
}

/** Show what the project's people are to know. @param {import("./bench.js").Bench} bench */
export async function openGuidelines(bench) {
  if (bench.dialog?.open) return;
  if (!bench.project?.settings.guidelines) return bench.say("This project has no guidelines.");
  try {
    const { text, pictures } = await bench.api.get("/guidelines", { timeout: 10_000 });
    openDialog(bench, "Guidelines", guidelines(text, addresses(bench.api.base, pictures)));
  } catch (error) {
    bench.say(error.message, "error");
  }
}

/**
 * Ask something that has two answers; closing the dialog is the second.
 * @param {import("./bench.js").Bench} bench @returns {Promise<boolean>} whether it was the first
 */
export function ask(bench, title, words, yes, no) {
  return new Promise((resolve) => {
    let answer = false;
    const choose = (value) => () => {
      answer = value;
      dialog.close();
    };
    const first = button({ class: "plain", onclick: choose(true) }, yes);
    const second = button({ class: "plain", onclick: choose(false) }, no);
    const dialog = openDialog(bench, title, el("p", {}, words), el("div", { class: "finish" }, first, second));
    dialog.classList.add("question");
    dialog.addEventListener("close", () => resolve(answer));
    first.focus();
  });
}
