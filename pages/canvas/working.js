// Working on one object: each prompt, choice and edit is one step of the history. What the stage then shows is the
// business of showing.js.

import { History } from "./history.js";
import * as objects from "./object.js";

/**
 * @typedef {import("./object.js").WorkObject} WorkObject
 * @typedef {{name: string, before: WorkObject, after: WorkObject, effects: any[], timesBefore: any, timesAfter: any}} Step
 */

/** Histories by image; they outlive a remount of the component. @type {Map<number, History<Step>>} */
const histories = new Map();
const MOST_HISTORIES = 40;

export class Working {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    this.object = objects.fresh();
    this.history = new History();
    this.width = 1;
    this.height = 1;
  }

  /** Begin on an image, with the draft of an object or none. @param {any} draft */
  openImage(imageId, width, height, draft) {
    this.width = width;
    this.height = height;
    this.bench.painting.stroke = null;
    this.bench.showing.openImage(width, height);
    this.history = histories.get(imageId) ?? new History();
    histories.delete(imageId);
    histories.set(imageId, this.history);
    if (histories.size > MOST_HISTORIES) histories.delete(histories.keys().next().value);
    let object = objects.fromState(draft?.object) ?? objects.fresh();
    if (draft?.answer && objects.promptKey(object)) {
      this.bench.answers.put(object, draft.answer);
      object = objects.withModel(object);
    }
    this.seedHistory(object);
    this.object = object;
    this.bench.restoreTimer(draft?.times ?? null, !objects.isEmpty(object), draft?.allow ?? 0);
    this.bench.showing.refresh(false);
  }

  /** No image is open: nothing is in work and nothing can be undone. */
  close() {
    this.object = objects.fresh();
    this.history = new History();
    this.bench.answers.openImage(null);
    this.bench.restoreTimer(null, false, 0);
    this.bench.showing.openImage(1, 1);
    this.bench.showing.refresh(false);
  }

  /** After a reload the object's own prompts and strokes are what undo can take back. */
  seedHistory(object) {
    const last = this.history.peek();
    if (last?.after.key === object.key || objects.isEmpty(object)) return;
    let before = Object.freeze({ ...objects.fresh(), key: object.key });
    for (const after of objects.stepsTo(object)) {
      this.history.push({ name: "restored", before, after, effects: [], timesBefore: null, timesAfter: null });
      before = after;
    }
  }

  /** Make `after` the object in work as one step. @param {WorkObject} after @param {any[]} effects */
  change(name, after, effects = []) {
    const timesBefore = this.bench.timer.rounded();
    const step = { name, before: this.object, after, effects, timesBefore, timesAfter: null };
    this.history.push(step);
    // What was said of the step before is no longer news.
    if (this.bench.message.kind !== "warning") this.bench.say("");
    this.moveTo(after, step.before, null);
    return step;
  }

  /** @param {WorkObject} object @param {WorkObject} from @param {any} times  of `object` when it was left or emptied */
  moveTo(object, from, times) {
    this.bench.painting.cancel();
    this.object = object;
    if (objects.isEmpty(object)) this.bench.restoreTimer(null, false, 0);
    else if (object.key !== from.key || (times && objects.isEmpty(from))) this.bench.restoreTimer(times, true, Infinity);
    else this.bench.timer.start();
    this.bench.showing.setProblem(null);
    this.bench.showing.refresh(true);
  }

  undo() {
    if (this.bench.painting.stroke) {
      this.bench.painting.cancel();
      return;
    }
    const step = this.history.undo();
    if (!step) return this.bench.say("Nothing to undo on this image.");
    step.timesAfter = this.bench.timer.rounded();
    for (const effect of [...step.effects].reverse()) this.bench.finishing.revert(effect);
    this.moveTo(step.before, step.after, step.timesBefore);
    this.bench.say(`Undone: ${step.name}.`);
  }

  redo() {
    const step = this.history.redo();
    if (!step) return this.bench.say("Nothing to redo on this image.");
    for (const effect of step.effects) this.bench.finishing.again(effect);
    this.moveTo(step.after, step.before, step.timesAfter);
    this.bench.say(`Done again: ${step.name}.`);
  }

  /**
   * What the server has refused of a mask, as others were first, is no part of the history: taking it back or doing it
   * again would show what is not there. A step that only just moved is left again, while nothing was done since.
   * @param {import("./outbox.js").Item} item
   */
  withdraw({ op, imageId, info }) {
    if (!["accept", "delete", "restore"].includes(op)) return;
    const key = info.mask?.key ?? info.key;
    const history = imageId === this.bench.imageId ? this.history : histories.get(imageId);
    for (const step of history?.steps ?? []) {
      const effect = step.effects.find((one) => one.mask?.key === key);
      if (!effect) continue;
      step.effects = step.effects.filter((one) => one !== effect);
      if (op === "accept" || history !== this.history || this.bench.painting.stroke) continue;
      const undone = (effect.kind === "accept") === (op === "delete");
      if (undone && history.steps[history.at] === step && this.object === step.before) this.redo();
      else if (!undone && history.peek() === step && this.object === step.after) this.undo();
    }
  }

  get at() {
    return Math.round(this.bench.timer.total);
  }

  /** The token further prompts refine: that of the candidate on the stage. */
  get refineToken() {
    const answer = this.bench.answers.of(this.object);
    if (!answer) return this.object.refine;
    return (answer.candidates[this.object.chosen] ?? answer.candidates[0])?.token ?? null;
  }

  /** The object with one more point. @param {0 | 1} label */
  withPoint(x, y, label) {
    return objects.addPoint(this.object, { ...this.within(x, y), label, at: this.at }, this.refineToken);
  }

  within(x, y) {
    const { width, height } = this;
    const keep = (value, size) => Math.round(Math.min(size - 0.01, Math.max(0, value)) * 100) / 100;
    return { x: keep(x, width), y: keep(y, height) };
  }

  /** @param {0 | 1} label @param {number} startedAt  when the hand did it, on the clock of performance.now() */
  addPoint(x, y, label, startedAt = performance.now()) {
    this.bench.showing.clickAt = startedAt;
    this.change(label ? "foreground point" : "background point", this.withPoint(x, y, label));
  }

  movePoint(index, x, y, startedAt = performance.now()) {
    this.bench.showing.clickAt = startedAt;
    const place = this.within(x, y);
    this.change("moving a point", objects.movePoint(this.object, index, place.x, place.y));
  }

  removePoint(index) {
    this.bench.showing.clickAt = performance.now();
    this.change("removing a point", objects.removePoint(this.object, index));
  }

  setBox(x0, y0, x1, y1, startedAt = performance.now()) {
    this.bench.showing.clickAt = startedAt;
    const a = this.within(Math.min(x0, x1), Math.min(y0, y1));
    const b = this.within(Math.max(x0, x1), Math.max(y0, y1));
    if (b.x - a.x < 2 || b.y - a.y < 2) return this.bench.say("A box must be at least two pixels wide and high.");
    const box = { x0: a.x, y0: a.y, x1: b.x, y1: b.y, at: this.at };
    this.change("box", objects.setBox(this.object, box, this.refineToken));
  }

  choose(index) {
    const answer = this.bench.answers.of(this.object);
    if (!answer?.candidates[index] || index === this.object.chosen) return;
    this.change(`candidate ${index + 1}`, objects.choose(this.object, index));
  }

  chooseNext(step) {
    const count = this.bench.answers.of(this.object)?.candidates.length ?? 0;
    if (count > 1) this.choose((Math.min(this.object.chosen, count - 1) + step + count) % count);
  }

  clear() {
    if (this.bench.painting.stroke) return this.bench.painting.cancel();
    if (objects.isEmpty(this.object)) return;
    this.bench.commitLabel();
    this.change("clearing the object", objects.fresh());
    this.bench.say(`Cleared. ${this.bench.keys.tip("undo", "Undo")} brings it back.`);
  }

  setLabel(label) {
    if (label !== this.object.label) this.change("label", objects.setLabel(this.object, label));
  }
}
