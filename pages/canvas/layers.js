// The masks as pixels over the photo: canvases of the image's own size, stretched by the stage. Each paints only the
// region that changed; opacity is the compositor's work.

import { NOTHING, clip, grow, isNothing, join, runsOf } from "./raster.js";
import { CURRENT, colourOf, css, packed } from "./palette.js";
import { parseCounts } from "./rle.js";
import { el } from "./dom.js";

/** @typedef {import("./raster.js").Box} Box */

// A canvas that shows nothing is hidden: transparent ones, too, cost the compositor a pass in every frame.

const FILL = 0x5c;
const RIM = 0xd0;
const MOST_BARS = 4_000;

function sized(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
}

/** The mask of the object in work. */
export class MaskLayer {
  constructor() {
    this.canvas = el("canvas", { class: "mask", hidden: true });
    this.context = this.canvas.getContext("2d");
    this.reset(1, 1);
  }

  reset(width, height) {
    sized(this.canvas, width, height);
    this.painted = NOTHING;
  }

  /**
   * Show a mask, or nothing.
   * @param {Uint8Array | null} pixels
   * @param {Box} bounds  where the mask's pixels are
   * @param {Box | null} dirty  what changed since the last call; null: everything
   */
  paint(pixels, bounds, dirty) {
    const { width, height } = this.canvas;
    const region = dirty ?? join(this.painted, bounds);
    this.painted = pixels ? (dirty ? join(this.painted, bounds) : bounds) : NOTHING;
    this.canvas.hidden = isNothing(this.painted);
    if (isNothing(region)) return;
    const { x0, y0, x1, y1 } = clip(region.x0, region.y0, region.x1, region.y1, width, height);
    this.context.clearRect(x0, y0, x1 - x0, y1 - y0);
    if (pixels) this.fill(pixels, width, { x0, y0, x1, y1 });
  }

  /** Bars row by row: for a smooth mask of a million pixels a tenth of what putting an image costs. */
  fill(pixels, width, region) {
    const bars = runsOf(pixels, width, region);
    if (bars.length > 3 * MOST_BARS) return this.put(bars, region);
    this.context.fillStyle = css(CURRENT);
    for (let i = 0; i < bars.length; i += 3) this.context.fillRect(bars[i + 1], bars[i], bars[i + 2] - bars[i + 1], 1);
  }

  /** As one picture: a ragged mask has more bars than the canvas can take within a frame. */
  put(bars, { x0, y0, x1, y1 }) {
    const image = this.context.createImageData(x1 - x0, y1 - y0);
    const out = new Uint32Array(image.data.buffer);
    const colour = packed(CURRENT, 0xff);
    for (let i = 0; i < bars.length; i += 3) {
      const row = (bars[i] - y0) * (x1 - x0) - x0;
      out.fill(colour, row + bars[i + 1], row + bars[i + 2]);
    }
    this.context.putImageData(image, x0, y0);
  }
}

/** The accepted masks, dimmed, each with a rim; later ones lie on top. Knows which mask is where. */
export class AcceptedLayer {
  constructor() {
    this.canvas = el("canvas", { class: "accepted", hidden: true });
    this.context = this.canvas.getContext("2d");
    this.reset(1, 1);
  }

  reset(width, height) {
    sized(this.canvas, width, height);
    /** which mask (its place in `shown` + 1) owns a pixel */
    this.owner = new Uint16Array(width * height);
    /** @type {any[]} */
    this.shown = [];
    this.palette = "";
  }

  /** Show these masks. @param {{key: string, rle: any, bbox: number[], colour: number}[]} masks */
  show(masks, palette) {
    const { width, height } = this.canvas;
    const before = this.shown;
    const added =
      palette === this.palette &&
      masks.length > before.length &&
      before.every((mask, i) => mask.rle === masks[i].rle && mask.colour === masks[i].colour);
    const same = palette === this.palette && masks.length === before.length && before.every((mask, i) => mask.rle === masks[i].rle && mask.colour === masks[i].colour);
    this.shown = masks;
    this.palette = palette;
    this.canvas.hidden = !masks.length;
    if (same) return;
    if (!added) this.owner.fill(0);
    let region = added ? NOTHING : { x0: 0, y0: 0, x1: width, y1: height };
    for (let i = added ? before.length : 0; i < masks.length; i++) {
      this.own(masks[i].rle, i + 1);
      if (added) region = join(region, boxOf(masks[i].bbox));
    }
    this.repaint(grow(region, 1, width, height));
  }

  own(rle, value) {
    const { width, height } = this.canvas;
    if (rle.size[0] !== height || rle.size[1] !== width) return;
    let at = 0;
    parseCounts(rle.counts).forEach((run, i) => {
      if (i & 1) {
        for (let c = at, end = Math.min(at + run, width * height); c < end; c++) {
          const x = (c / height) | 0;
          this.owner[(c - x * height) * width + x] = value;
        }
      }
      at += run;
    });
  }

  /** @param {Box} box */
  repaint(box) {
    if (isNothing(box)) return;
    const { width, height } = this.canvas;
    const { owner } = this;
    const fills = [0, ...this.shown.map((mask) => packed(colourOf(this.palette, mask.colour), FILL))];
    const rims = [0, ...this.shown.map((mask) => packed(colourOf(this.palette, mask.colour), RIM))];
    const image = this.context.createImageData(box.x1 - box.x0, box.y1 - box.y0);
    const out = new Uint32Array(image.data.buffer);
    let o = 0;
    for (let y = box.y0; y < box.y1; y++) {
      for (let x = box.x0, p = y * width + x; x < box.x1; x++, p++, o++) {
        const value = owner[p];
        if (!value) continue;
        const inside =
          (x === 0 || owner[p - 1] === value) &&
          (x === width - 1 || owner[p + 1] === value) &&
          (y === 0 || owner[p - width] === value) &&
          (y === height - 1 || owner[p + width] === value);
        out[o] = inside ? fills[value] : rims[value];
      }
    }
    this.context.putImageData(image, box.x0, box.y0);
  }

  /** The mask on top at this pixel, or null. */
  at(x, y) {
    const { width, height } = this.canvas;
    if (x < 0 || y < 0 || x >= width || y >= height) return null;
    return this.shown[this.owner[Math.floor(y) * width + Math.floor(x)] - 1] ?? null;
  }
}

/** @param {number[]} bbox x, y, width, height @returns {Box} */
export function boxOf(bbox) {
  return { x0: bbox[0], y0: bbox[1], x1: bbox[0] + bbox[2], y1: bbox[1] + bbox[3] };
}

/** The preview under the pointer: a small mask, stretched softly over the image. */
export class PreviewLayer {
  constructor() {
    this.canvas = el("canvas", { class: "preview", hidden: true });
    this.context = this.canvas.getContext("2d");
  }

  /** @param {import("./rle.js").Rle | null} coarse @param {(rle: any) => Uint8Array} decode @param {any} rgb */
  show(coarse, decode, rgb) {
    if (!coarse) {
      this.canvas.hidden = true;
      return;
    }
    const [height, width] = coarse.size;
    if (this.canvas.width !== width || this.canvas.height !== height) sized(this.canvas, width, height);
    const pixels = decode(coarse);
    const image = this.context.createImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    const colour = packed(rgb, 0x8c);
    for (let i = 0; i < pixels.length; i++) if (pixels[i]) out[i] = colour;
    this.context.putImageData(image, 0, 0);
    this.canvas.hidden = false;
  }
}
