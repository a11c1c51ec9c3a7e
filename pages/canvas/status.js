// One line below the stage: what just happened, in a sentence, also for screen readers; and where the view stands.

import { el } from "./dom.js";

/** @param {import("./bench.js").Bench} bench */
export function statusBar(bench) {
  const text = el("span", { class: "said", role: "status", "aria-live": "polite" });
  const zoom = el("span", { class: "zoom" });
  const root = el("footer", { class: "status" }, text, zoom);
  bench.emitter.on(["message"], () => {
    text.textContent = bench.message.text;
    text.title = bench.message.text;
    root.dataset.kind = bench.message.kind;
  });
  bench.emitter.on(["view", "image"], () => {
    const percent = Math.round(bench.stage.view.scale * (devicePixelRatio || 1) * 100);
    zoom.textContent = bench.imageId === null ? "" : `${percent}%`;
    zoom.title = `${bench.keys.tip("fit")}, ${bench.keys.tip("actual")}`;
  });
  return root;
}

const SHOWN_MS = 6_000;

/** Warnings and errors, for a moment at the stage's lower edge, where the eyes are. @param {import("./bench.js").Bench} bench */
export function notice(bench) {
  const root = el("div", { class: "notice", hidden: true, "aria-hidden": "true" });
  let timer = 0;
  let last = null;
  bench.emitter.on(["message"], () => {
    const { message } = bench;
    if (message === last) return;
    last = message;
    clearTimeout(timer);
    root.hidden = message.kind === "info" || !message.text;
    root.textContent = message.text;
    root.dataset.kind = message.kind;
    timer = setTimeout(() => (root.hidden = true), SHOWN_MS);
  });
  return root;
}

/** What lies over the stage while there is no photo to work on. @param {import("./bench.js").Bench} bench */
export function curtain(bench) {
  const words = el("p", {});
  const root = el("div", { class: "curtain", role: "status" }, words);
  bench.emitter.on(["image", "status", "object"], () => {
    const said = {
      opening: "Opening the photo…",
      reading: "Reading the photo… prompts are answered as soon as that is done.",
      failed: bench.phaseNote || "The photo could not be opened.",
      empty: "No images yet. Import some on the Images page.",
      ready: "",
    };
    const waits = bench.phase === "ready" && bench.isBusy && !bench.showing.isCurrent && bench.showing.problem;
    words.textContent = waits ? bench.showing.problem : said[bench.phase];
    root.hidden = !words.textContent;
    root.dataset.phase = bench.phase;
  });
  return root;
}
