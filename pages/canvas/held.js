// The bar over the stage that says who else is on the image, and what can be done.

import { button, el } from "./dom.js";

/** @param {import("./bench.js").Bench} bench */
export function heldBar(bench) {
  const words = el("span", {});
  const over = button({ class: "plain", title: "They have done nothing for a while; what they made stays", onclick: () => bench.lease.take({ takeOver: true }) }, "Take over");
  const next = button({ class: "plain", title: bench.keys.tip("next"), onclick: () => bench.commands.next() }, "Next image");
  const root = el("div", { class: "held", role: "status", hidden: true }, words, over, next);
  bench.emitter.on(["lease"], () => {
    const { other } = bench.lease;
    root.hidden = !other;
    words.textContent = other ? `${other.said}.` : "";
    over.hidden = !other?.quiet;
  });
  return root;
}
