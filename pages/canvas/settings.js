// How the stage looks; folded away until it is asked for.

import { button, el } from "./dom.js";
import { PALETTES } from "./palette.js";
import { DEFAULTS } from "./preferences.js";

/** @param {import("./bench.js").Bench} bench */
export function settings(bench) {
  const rows = [
    slider(bench, "opacity", "Mask opacity", 0.1, 1, 0.05),
    slider(bench, "brightness", "Brightness", 0.4, 2.5, 0.05),
    slider(bench, "contrast", "Contrast", 0.4, 2.5, 0.05),
    slider(bench, "brushSize", "Brush size", 1, 300, 1),
    palette(bench),
  ];
  const { opacity, brightness, contrast } = DEFAULTS;
  const reset = button(
    { class: "plain", title: "Opacity, brightness and contrast as they were", onclick: () => bench.prefer({ opacity, brightness, contrast }) },
    "Reset view",
  );
  const keys = button({ class: "plain", title: bench.keys.tip("help", "See and change the keys"), onclick: () => bench.openHelp() }, "Keys…");
  const root = el("section", { class: "settings", "aria-label": "View settings" }, el("h2", {}, "View"), ...rows, el("div", { class: "finish" }, reset, keys));
  bench.emitter.on(["settings", "tool", "project"], () => (root.hidden = !bench.prefs.get("panelOpen")));
  return root;
}

function slider(bench, name, text, min, max, step) {
  const shown = el("output", {});
  const input = el("input", { type: "range", min, max, step, title: text });
  input.addEventListener("input", () => bench.prefer({ [name]: Number(input.value) }));
  bench.emitter.on(["settings", "tool", "project"], () => {
    const value = bench.prefs.get(name);
    input.value = String(value);
    shown.textContent = name === "brushSize" ? `${value} px` : `${Math.round(value * 100)}%`;
  });
  return el("label", { class: "slider" }, el("span", {}, text), input, shown);
}

function palette(bench) {
  const select = el(
    "select",
    { title: "Colours of accepted masks" },
    ...Object.entries(PALETTES).map(([value, { title }]) => el("option", { value }, title)),
  );
  select.addEventListener("change", () => bench.prefer({ palette: select.value }));
  bench.emitter.on(["settings", "project"], () => (select.value = bench.prefs.get("palette")));
  return el("label", { class: "slider" }, el("span", {}, "Colours"), select);
}
