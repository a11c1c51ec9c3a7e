// The accepted masks and open skips of the image on the stage, as the annotator sees them: what the server has, with
// what it has not been told yet already done.

import { areaOf, boundsOf } from "./raster.js";

/** @typedef {import("./effects.js").Mask} Mask */

export class MaskBook {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.open([], [], []);
  }

  /**
   * Begin with an image's masks.
   * @param {any[]} list  the server's
   * @param {any[]} skips  the server's
   * @param {import("./outbox.js").Item[]} pending  what the server does not know yet, oldest first
   */
  open(list, skips, pending) {
    /** @type {Mask[]} */
    this.list = [];
    this.skips = [...skips];
    this.selected = null;
    this.colours = 0;
    for (const mask of list) this.list.push({ ...mask, colour: this.colours++, saved: true });
    for (const item of pending) this.replay(item);
    this.onChange();
  }

  replay({ op, info }) {
    if (op === "accept" || op === "restore") {
      if (info?.mask && !this.find(info.mask.key)) {
        this.list = this.list.filter((mask) => mask.key !== info.replaced);
        this.list.push({ ...info.mask, colour: info.mask.colour ?? this.colours++, saved: false });
      }
    } else if (op === "delete") {
      this.list = this.list.filter((mask) => mask.key !== info.key);
      if (info.back && !this.find(info.back.key)) this.list.push({ ...info.back, colour: this.colours++ });
    } else if (op === "skip" || op === "putBack") {
      if (!this.skips.some((skip) => skip.key === info.skip.key)) this.skips.push(info.skip);
    } else if (op === "takeBack") this.skips = this.skips.filter((skip) => skip.key !== info.key);
    else if (op === "label") this.patch(info.key, { label: info.label });
    else if (op === "flag") this.patchFlag(info.key, info.flagId, info.resolution);
  }

  /** @returns {Mask | null} */
  find(key) {
    return this.list.find((mask) => mask.key === key) ?? null;
  }

  get selectedMask() {
    return this.find(this.selected);
  }

  /** The mask whose open flags the keys answer: the selected one if it has some, else the newest. @returns {Mask | null} */
  get flagged() {
    const open = this.list.filter((mask) => !mask.locked && openFlags(mask).length);
    return open.find((mask) => mask.key === this.selected) ?? open.at(-1) ?? null;
  }

  /** What a flag says, with another mask of this image called as the list calls it. */
  words({ message, detail }) {
    const at = this.list.findIndex((mask) => detail?.mask_id && mask.mask_id === detail.mask_id);
    return at < 0 ? message : message.replace(`mask ${detail.mask_id}`, this.titleOf(this.list[at], at));
  }

  /** @param {Mask} mask @param {number} at  its place in the list */
  titleOf(mask, at) {
    return mask.label || `Mask ${at + 1}`;
  }

  /** Add a mask, in the place of the one it replaces. @param {Mask} mask @param {Mask | null} replaced */
  add(mask, replaced) {
    const known = this.find(mask.key);
    if (known) return;
    const place = replaced ? this.list.findIndex((one) => one.key === replaced.key) : -1;
    const added = { ...mask, colour: place >= 0 ? this.list[place].colour : (mask.colour ?? this.colours++) };
    if (place >= 0) this.list = this.list.map((one, i) => (i === place ? added : one));
    else this.list = [...this.list, added];
    this.onChange();
  }

  /** Remove a mask; what it had replaced lives again. @param {Mask | null} back */
  remove(key, back = null) {
    const place = this.list.findIndex((mask) => mask.key === key);
    this.list = this.list.filter((mask) => mask.key !== key);
    if (back && !this.find(back.key)) this.list.splice(place < 0 ? this.list.length : place, 0, back);
    if (this.selected === key) this.selected = null;
    this.onChange();
  }

  patch(key, changes) {
    this.list = this.list.map((mask) => (mask.key === key ? { ...mask, ...changes } : mask));
  }

  change(key, changes) {
    this.patch(key, changes);
    this.onChange();
  }

  patchFlag(key, flagId, resolution) {
    const mask = this.find(key);
    if (!mask) return;
    const flags = mask.flags.map((flag) => (flag.flag_id === flagId ? { ...flag, resolution } : flag));
    this.patch(key, { flags });
  }

  resolveFlag(key, flagId, resolution) {
    this.patchFlag(key, flagId, resolution);
    this.onChange();
  }

  addSkip(skip) {
    if (!this.skips.some((one) => one.key === skip.key)) this.skips = [...this.skips, skip];
    this.onChange();
  }

  removeSkip(key) {
    this.skips = this.skips.filter((skip) => skip.key !== key);
    this.onChange();
  }

  select(key) {
    this.selected = this.selected === key ? null : key;
    this.onChange();
  }

  /** Select the next mask of the list, or the one before. @param {1 | -1} step */
  selectNext(step) {
    if (!this.list.length) return;
    const at = this.list.findIndex((mask) => mask.key === this.selected);
    const next = at < 0 ? (step > 0 ? 0 : this.list.length - 1) : (at + step + this.list.length) % this.list.length;
    this.selected = this.list[next].key;
    this.onChange();
  }

  get nextColour() {
    return this.colours++;
  }
}

/** The flags of a mask that nobody has answered. @param {Mask} mask */
export function openFlags(mask) {
  return (mask.flags ?? []).filter((flag) => !flag.resolution);
}

/** Whether a mask came from another tool and nobody has accepted it yet: it counts for nothing. @param {Mask} mask */
export function isProposal(mask) {
  return mask.origin === "imported" && openFlags(mask).some((flag) => flag.name === "imported");
}

/** @param {Uint8Array} pixels */
export function measure(pixels, width, height) {
  const box = boundsOf(pixels, width, height);
  return { bbox: [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0], area: areaOf(pixels) };
}
