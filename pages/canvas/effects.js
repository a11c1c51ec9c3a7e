// What a step of the history does besides changing the object: on the list of masks here at once, on the server through
// the outbox. Each effect can be taken back and done again any number of times.

/**
 * @typedef {{key: string, mask_id: number | null, rle: import("./rle.js").Rle, bbox: number[], area: number,
 *   predicted_iou: number | null, stability_score: number | null, level: string | null, label: string | null,
 *   origin: string, edited: boolean, active_ms: number, times: any, object_key: string, prompts: any[], flags: any[],
 *   colour: number, saved: boolean, locked?: boolean}} Mask  locked: somebody else's, not to be changed by this person
 * @typedef {{kind: "accept", imageId: number, mask: Mask, replaced: Mask | null, body: any}
 *   | {kind: "delete", imageId: number, mask: Mask}
 *   | {kind: "skip", imageId: number, skip: any, body: any}
 *   | {kind: "takeBack", imageId: number, skip: any}
 *   | {kind: "label", imageId: number, key: string, from: string | null, to: string | null}
 *   | {kind: "flag", imageId: number, key: string, flagId: number, from: string | null, to: string | null}} Effect
 */

export class Effects {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
  }

  send(imageId, op, method, path, extra = {}) {
    this.bench.outbox.add({ op, imageId, method, path, ...extra });
  }

  /** Do an effect for the first time. @param {Effect} effect */
  first(effect) {
    const { imageId } = effect;
    if (effect.kind === "accept") {
      const { mask, replaced, body } = effect;
      const info = { mask, replaced: replaced?.key ?? null };
      this.send(imageId, "accept", "POST", `/images/${imageId}/masks`, { key: mask.key, body, info });
      this.bench.masks.add(mask, replaced);
    } else if (effect.kind === "skip") {
      const { skip, body } = effect;
      this.send(imageId, "skip", "POST", `/images/${imageId}/skips`, { key: skip.key, body, info: { skip } });
      this.bench.masks.addSkip(skip);
    } else {
      this.again(effect);
    }
  }

  /** Do an effect again after it was taken back. @param {Effect} effect */
  again(effect) {
    const { imageId } = effect;
    const { masks } = this.bench;
    if (effect.kind === "accept") {
      const info = { mask: effect.mask, replaced: effect.replaced?.key ?? null };
      this.send(imageId, "restore", "POST", `/masks/${effect.mask.key}/restore`, { info });
      masks.add(effect.mask, effect.replaced);
    } else if (effect.kind === "delete") {
      this.send(imageId, "delete", "DELETE", `/masks/${effect.mask.key}`, { info: { key: effect.mask.key } });
      masks.remove(effect.mask.key);
    } else if (effect.kind === "skip") {
      this.putBack(effect);
    } else if (effect.kind === "takeBack") {
      this.takeBack(effect);
    } else if (effect.kind === "label") {
      this.label(effect, effect.to);
    } else {
      this.resolve(effect, effect.to);
    }
  }

  /** Take an effect back. @param {Effect} effect */
  revert(effect) {
    const { imageId } = effect;
    const { masks } = this.bench;
    if (effect.kind === "accept") {
      const info = { key: effect.mask.key, back: effect.replaced };
      this.send(imageId, "delete", "DELETE", `/masks/${effect.mask.key}?revive=1`, { info });
      masks.remove(effect.mask.key, effect.replaced);
    } else if (effect.kind === "delete") {
      this.send(imageId, "restore", "POST", `/masks/${effect.mask.key}/restore`, { info: { mask: effect.mask } });
      masks.add(effect.mask, null);
    } else if (effect.kind === "skip") {
      this.takeBack(effect);
    } else if (effect.kind === "takeBack") {
      this.putBack(effect);
    } else if (effect.kind === "label") {
      this.label(effect, effect.from);
    } else {
      this.resolve(effect, effect.from);
    }
  }

  takeBack({ imageId, skip }) {
    this.send(imageId, "takeBack", "DELETE", `/skips/${skip.key}`, { info: { key: skip.key } });
    this.bench.masks.removeSkip(skip.key);
  }

  putBack({ imageId, skip }) {
    this.send(imageId, "putBack", "POST", `/skips/${skip.key}/restore`, { info: { skip } });
    this.bench.masks.addSkip(skip);
  }

  label({ imageId, key, from, to }, label) {
    const body = { label, seen: label === to ? from : to };
    this.send(imageId, "label", "PATCH", `/masks/${key}`, { body, info: { key, label } });
    this.bench.masks.change(key, { label });
  }

  resolve({ imageId, key, flagId, from, to }, resolution) {
    const body = { resolution, seen: resolution === to ? from : to };
    this.send(imageId, "flag", "POST", `/flags/${flagId}`, { body, info: { key, flagId, resolution } });
    this.bench.masks.resolveFlag(key, flagId, resolution);
  }
}
