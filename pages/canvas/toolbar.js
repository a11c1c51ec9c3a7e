// The tools beside the stage. They never move.

import { actionButton } from "./controls.js";
import { el } from "./dom.js";

/** @param {import("./bench.js").Bench} bench */
export function toolbar(bench) {
  const make = (id, icon) => actionButton(bench, id, { icon, kind: "tool" });
  const tools = { point: make("pointTool", "point"), brush: make("brush", "brush"), eraser: make("eraser", "eraser") };
  const size = el("div", { class: "size" });
  const undo = make("undo", "undo");
  const redo = make("redo", "redo");
  const overlay = make("overlay", "overlay");
  const beside = make("sideBySide", "beside");
  const settings = make("settings", "settings");
  const line = () => el("hr", { role: "presentation" });
  const root = el(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Tools", "aria-orientation": "vertical" },
    ...[tools.point, tools.brush, tools.eraser, size, make("clean", "clean"), line(), undo, redo, line()],
    ...[make("fit", "fit"), make("actual", "actual"), overlay, beside, settings, line()],
    ...[make("byHand", "hand"), make("help", "help")],
  );
  bench.emitter.on(["tool", "settings", "keys"], () => {
    for (const [name, control] of Object.entries(tools)) control.setAttribute("aria-pressed", String(bench.tool === name));
    size.textContent = `${bench.prefs.get("brushSize")}`;
    size.title = `Brush size in image pixels; ${bench.keys.shown("smaller")} and ${bench.keys.shown("larger")} change it`;
    overlay.setAttribute("aria-pressed", String(bench.prefs.get("overlay") !== "fill"));
    beside.setAttribute("aria-pressed", String(bench.prefs.get("beside")));
    settings.setAttribute("aria-pressed", String(bench.prefs.get("panelOpen")));
  });
  bench.emitter.on(["object", "masks", "image"], () => {
    undo.disabled = !bench.working.history.canUndo;
    redo.disabled = !bench.working.history.canRedo;
  });
  return root;
}
