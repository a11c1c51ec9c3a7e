// The mask on the stage: a candidate's pixels with the annotator's edits painted over them, in their order.

import { clean } from "./regions.js";
import { NOTHING, paintStroke } from "./raster.js";

/**
 * Carry out one edit on a mask's pixels.
 * @param {import("./object.js").Edit} edit
 * @returns {import("./raster.js").Box} what may have changed
 */
export function applyEdit(pixels, width, height, edit) {
  if (edit.kind !== "clean") return paintStroke(pixels, width, height, edit);
  const { below, islands, holes } = edit;
  return clean(pixels, width, height, { below: below ?? Infinity, islands, holes }).box;
}

export class Composer {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height);
    this.candidate = null;
    /** @type {readonly any[]} edits that `pixels` already shows */
    this.edits = [];
  }

  /**
   * Bring the mask up to date.
   * @param {Uint8Array | null} candidate
   * @param {readonly import("./object.js").Edit[]} edits
   * @returns {import("./raster.js").Box | null} what changed; null when everything may have
   */
  compose(candidate, edits) {
    const shown = this.edits;
    const goesOn =
      candidate === this.candidate && shown.length <= edits.length && shown.every((edit, i) => edit === edits[i]);
    this.candidate = candidate;
    this.edits = edits;
    if (!goesOn) {
      if (candidate) this.pixels.set(candidate);
      else this.pixels.fill(0);
      for (const edit of edits) applyEdit(this.pixels, this.width, this.height, edit);
      return null;
    }
    if (shown.length === edits.length) return NOTHING;
    for (const edit of edits.slice(shown.length)) applyEdit(this.pixels, this.width, this.height, edit);
    return null;
  }

  /** Paint the new part of a stroke that is still going on. @param {number} from  first point not yet painted */
  live(stroke, from) {
    return paintStroke(this.pixels, this.width, this.height, stroke, from);
  }

  /** A stroke that was painted live is now one of the edits. */
  settle(edits) {
    this.edits = edits;
  }

  /** Forget what is shown: the next compose starts from the candidate. */
  spoil() {
    this.candidate = undefined;
    this.edits = [];
  }
}
