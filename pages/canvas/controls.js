// Buttons of actions: their tooltip names the key as it is now.

import { button, el } from "./dom.js";
import { iconOf } from "./icons.js";

/**
 * A button that does an action of the key table.
 * @param {import("./bench.js").Bench} bench
 * @param {string} id  of the action
 * @param {{icon?: string, text?: string, kind?: string, title?: string, showKey?: boolean}} look
 */
export function actionButton(bench, id, { icon, text, kind = "", title, showKey = false } = {}) {
  const key = showKey ? el("kbd", {}) : null;
  const made = button(
    { class: `action ${kind}`, "data-action": id, onclick: () => bench.commands[id]() },
    icon && iconOf(icon),
    text && el("span", {}, text),
    key,
  );
  bench.emitter.on(["keys"], () => {
    made.title = bench.keys.tip(id, title);
    made.setAttribute("aria-label", text ?? bench.keys.tip(id, title));
    made.setAttribute("aria-keyshortcuts", bench.keys.shown(id));
    if (key) key.textContent = bench.keys.shown(id);
  });
  return made;
}
