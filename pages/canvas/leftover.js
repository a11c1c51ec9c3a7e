// What the survey of an image says is left on it: asked about once, when its annotator says that it is done.

import { ask } from "./dialogs.js";
import { counted } from "./dom.js";

export class LeftOver {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    /** images that were asked about @type {Set<number>} */
    this.asked = new Set();
    /** boxes around what is left, while they are shown @type {number[][]} */
    this.boxes = [];
  }

  /** Whether an image may be called done: the survey sees nothing more, was asked before, or the annotator says so. */
  async agrees(imageId) {
    if (this.asked.has(imageId)) return true;
    let found;
    try {
      found = await this.bench.api.get(`/images/${imageId}/left`, { timeout: 3_000 });
    } catch {
      return true; // no survey keeps anybody from going on
    }
    if (!found?.left || imageId !== this.bench.imageId) return true;
    this.asked.add(imageId);
    const { left } = found;
    const words = `The survey sees about ${counted(left, "object")} without a mask. It is the model's guess.`;
    if (await ask(this.bench, "Is this image done?", words, "Finish anyway", left === 1 ? "Show it" : "Show them")) return true;
    this.boxes = found.boxes;
    this.bench.showAccepted();
    this.bench.say(`Boxes are around what the survey sees without a mask. ${this.bench.keys.tip("next", "Next image")} finishes.`);
    return false;
  }

  hide() {
    this.boxes = [];
  }
}
