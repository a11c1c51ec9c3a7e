// Finishing an object: accept, skip, take back; and what can be done with masks that are accepted.

import { clean } from "./regions.js";
import { decode, encode } from "./rle.js";
import { counted } from "./dom.js";
import { measure, openFlags } from "./maskbook.js";
import * as objects from "./object.js";
import { iouOf } from "./raster.js";
import { uuid } from "./uuid.js";

/** @typedef {import("./effects.js").Mask} Mask */

export class Finishing {
  /** @param {import("./bench.js").Bench} bench @param {import("./effects.js").Effects} effects */
  constructor(bench, effects) {
    this.bench = bench;
    this.effects = effects;
  }

  again(effect) {
    this.effects.again(effect);
  }

  revert(effect) {
    this.effects.revert(effect);
  }

  /** One step of the history with effects that are done now. @param {any[]} effects */
  step(name, after, effects) {
    this.bench.working.change(name, after, effects);
    for (const effect of effects) this.effects.first(effect);
  }

  /** Make the mask on the stage an accepted one. */
  accept() {
    const { working, showing, painting } = this.bench;
    painting.end();
    this.bench.commitLabel();
    const { object } = working;
    if (objects.isEmpty(object)) return this.bench.say("There is no mask to accept: click on an object first.");
    if (!showing.isCurrent || !showing.isComplete) {
      showing.retry();
      return this.bench.say("The mask for the last prompt is not here yet; Enter again in a moment.");
    }
    if (!showing.hasMask) return this.bench.say(showing.problem ?? "There is no mask to accept yet.");
    const { composer } = showing;
    const size = measure(composer.pixels, composer.width, composer.height);
    if (!size.area) return this.bench.say("The mask is empty: paint something or clear the object.");
    const rle = encode(composer.pixels, composer.height, composer.width);
    const effect = this.acceptEffect(object, rle, size);
    this.step("accept", objects.fresh(), [effect]);
    this.bench.dropDraft();
    this.bench.say(`Accepted: ${counted(size.area, "pixel")}.`);
  }

  acceptEffect(object, rle, size) {
    const { showing, timer, masks, imageId } = this.bench;
    const candidate = showing.answer?.candidates[showing.chosen] ?? null;
    const replaced = object.base ? masks.find(object.base.key) : null;
    const was = replaced ?? object.base;
    const times = timer.rounded();
    const scores = {
      predicted_iou: candidate?.predicted_iou ?? null,
      stability_score: candidate?.stability_score ?? null,
      level: candidate?.level ?? null,
    };
    const edited = object.edits.length > 0 || Boolean(was?.edited && object.onBase);
    const offered = object.onBase ? null : showing.composer.candidate;
    const kept_iou = offered ? iouOf(offered, showing.composer.pixels) : null;
    // Painted from nothing, or an outline that was only repainted: no model had a hand in it.
    const unassisted = !objects.hasPrompt(object) && (!was || was.origin === "by_hand");
    const repainted = !objects.hasPrompt(object) && replaced?.origin === "imported";
    const origin = repainted ? "imported" : unassisted ? "by_hand" : "assisted";
    const mask = {
      ...{ key: uuid(), mask_id: null, rle, ...size, ...scores, label: object.label, origin, edited, times },
      ...{ active_ms: sum(times), object_key: object.key, prompts: promptsOf(object), flags: [], saved: false },
      colour: replaced ? replaced.colour : masks.nextColour,
    };
    const body = {
      ...{ rle, object_key: object.key, origin, token: candidate?.token ?? null, model: showing.answer?.model ?? null },
      candidate: candidate ? { ...scores, rank: Math.min(object.chosen, 2), kept_iou } : null,
      // A base that is on the list no more was corrected or deleted meanwhile: the server says so, and nothing is doubled.
      ...{ label: object.label, edited, supersedes: object.base?.key ?? null, prompts: mask.prompts, times },
      edits: object.edits.map(({ kind, at, ...detail }) => ({ kind, detail, at_ms: Math.round(at) })),
    };
    return { kind: "accept", imageId, mask, replaced, body };
  }

  /** Leave the object to the hard queue. @param {"hard" | "timer"} reason */
  skip(reason = "hard") {
    const { working, painting, timer, imageId } = this.bench;
    painting.end();
    this.bench.commitLabel();
    const { object } = working;
    if (objects.isEmpty(object)) return this.bench.say("There is no object to skip: click on one first.");
    const times = timer.rounded();
    const state = { object, answer: this.bench.draftAnswer(), times, saved_at: Date.now() };
    const key = uuid();
    const skip = { key, object_key: object.key, reason, state, created_at: new Date().toISOString() };
    const body = { object_key: object.key, reason, state, times };
    this.step("skip", objects.fresh(), [{ kind: "skip", imageId, skip, body }]);
    this.bench.dropDraft();
    const why = reason === "timer" ? `Skipped after ${this.bench.project.settings.skip_limit_s} s` : "Skipped";
    const back = this.bench.keys.tip("takeBack", "Take it back");
    this.bench.say(`${why}: the object waits in the hard queue. ${back}`, reason === "timer" ? "warning" : "info");
  }

  /** Bring a skipped object back into work; by default the last one. */
  takeBack(key = this.bench.masks.skips.at(-1)?.key) {
    const { working, masks, answers, imageId } = this.bench;
    const skip = masks.skips.find((one) => one.key === key);
    if (!skip) return this.bench.say("No skipped object of this image waits in the hard queue.");
    if (!objects.isEmpty(working.object)) return this.bench.say("Accept, skip or clear the object in work first.");
    const object = objects.fromState(skip.state?.object);
    if (!object || objects.isEmpty(object)) {
      this.step("taking a skip back", working.object, [{ kind: "takeBack", imageId, skip }]);
      return this.bench.say("The skip is taken back; it had no prompts.");
    }
    if (skip.state.answer && objects.promptKey(object)) answers.put(object, skip.state.answer);
    this.step("taking a skip back", object, [{ kind: "takeBack", imageId, skip }]);
    this.bench.restoreTimer(skip.state.times ?? null, true, Infinity);
    this.bench.keepDraft();
    return this.bench.say("The skipped object is back in work, with the whole time again.");
  }

  /** Delete the selected accepted mask. */
  remove(key = this.bench.masks.selected) {
    const { masks, working, imageId } = this.bench;
    const mask = masks.find(key);
    if (!mask) return this.bench.say("Select an accepted mask first.");
    if (mask.locked) return this.bench.say(LOCKED);
    if (this.isEdited(mask)) return this.bench.say(EDITED);
    this.step("delete", working.object, [{ kind: "delete", imageId, mask }]);
    this.bench.say(`Deleted. ${this.bench.keys.tip("undo", "Undo")} brings it back.`);
  }

  /** Make the selected accepted mask the object in work. */
  edit(key = this.bench.masks.selected) {
    this.bench.commitLabel();
    const { masks, working } = this.bench;
    const mask = masks.find(key);
    if (!mask) return this.bench.say("Select an accepted mask first.");
    if (mask.locked) return this.bench.say(LOCKED);
    if (!objects.isEmpty(working.object)) return this.bench.say("Accept, skip or clear the object in work first.");
    const { rle, label, predicted_iou, stability_score, level, origin, edited } = mask;
    const points = mask.prompts.filter((prompt) => prompt.kind === "point");
    const box = mask.prompts.findLast((prompt) => prompt.kind === "box");
    const base = { key: mask.key, rle, label, predicted_iou, stability_score, level, origin, edited };
    const object = objects.onBase(
      base,
      points.map(({ x, y, label: sign, at_ms }) => ({ x, y, label: sign === 0 ? 0 : 1, at: at_ms ?? 0 })),
      box ? { x0: box.x, y0: box.y, x1: box.x1, y1: box.y1, at: box.at_ms ?? 0 } : null,
    );
    masks.selected = null;
    this.step("editing a mask", object, []);
    this.bench.say("Editing: paint or prompt, then accept. The old mask stays until then.");
  }

  /** Label the selected accepted mask. @param {string | null} label */
  labelMask(key, label) {
    const { masks, working, imageId } = this.bench;
    const mask = masks.find(key);
    if (mask?.locked) return this.bench.say(LOCKED);
    if (!mask || (mask.label ?? null) === (label || null)) return;
    const effect = { kind: "label", imageId, key, from: mask.label ?? null, to: label || null };
    this.step("label", working.object, [effect]);
  }

  /** Mend the open flags of a mask: a cleaned mask takes its place, or it goes when cleaning is no help. */
  fix(key = this.bench.masks.flagged?.key) {
    const { masks, working, imageId } = this.bench;
    const mask = masks.find(key);
    if (!mask || !openFlags(mask).length) return this.bench.say("There is no open flag.");
    if (this.isEdited(mask)) return this.bench.say(EDITED);
    const flags = openFlags(mask).filter((flag) => flag.fix === "clean");
    if (!flags.length) return goesAway(openFlags(mask)) ? this.remove(mask.key) : this.edit(mask.key);
    const [height, width] = mask.rle.size;
    const pixels = decode(mask.rle);
    const named = (name) => flags.some((flag) => flag.name.includes(name));
    const all = !named("island") && !named("hole");
    const what = { below: Infinity, islands: all || named("island"), holes: all || named("hole") };
    clean(pixels, width, height, what);
    const effect = this.fixEffect(mask, encode(pixels, height, width), measure(pixels, width, height), what);
    const solved = flags.map(({ flag_id }) => ({
      ...{ kind: "flag", imageId, key: mask.key, flagId: flag_id, from: null, to: "fixed" },
    }));
    this.step("fixing a flag", working.object, [...solved, effect]);
    return this.bench.say("Fixed: the cleaned mask replaces the old one.");
  }

  fixEffect(mask, rle, size, { islands, holes }) {
    const times = { waiting_ms: 0, thinking_ms: 0, prompting_ms: 0, painting_ms: 0 };
    const { object_key, origin, label, prompts, predicted_iou, stability_score, level } = mask;
    const made = { ...mask, key: uuid(), mask_id: null, rle, ...size, edited: true, flags: [], saved: false };
    const body = {
      ...{ rle, object_key, origin, label, prompts, edited: true, supersedes: mask.key, times, model: null, token: null },
      candidate: predicted_iou === null ? null : { predicted_iou, stability_score, level, rank: null },
      edits: [{ kind: "clean", detail: { below: null, islands, holes }, at_ms: 0 }],
    };
    return { kind: "accept", imageId: this.bench.imageId, mask: made, replaced: mask, body };
  }

  /** Whether a mask is the object in work, which takes its place once it is accepted. @param {Mask} mask */
  isEdited(mask) {
    return this.bench.working.object.base?.key === mask.key;
  }

  /** Keep a mask in spite of its flags. */
  keep(key = this.bench.masks.flagged?.key) {
    const { masks, working, imageId } = this.bench;
    const mask = masks.find(key);
    const flags = mask ? openFlags(mask) : [];
    if (!flags.length) return this.bench.say("There is no open flag.");
    const effects = flags.map(({ flag_id }) => ({
      ...{ kind: "flag", imageId, key, flagId: flag_id, from: null, to: "kept" },
    }));
    this.step("keeping a flagged mask", working.object, effects);
    this.bench.say("Kept as it is.");
  }
}

const LOCKED = "Somebody else made this mask; they or a reviewer can change it.";
const EDITED = "This mask is being edited: accept it, or clear the object in work, first.";

function sum(times) {
  return Object.values(times).reduce((total, ms) => total + ms, 0);
}

/** Whether flags are mended by doing without the mask, as a duplicate is, or a speck; what else is wrong is painted right. */
export function goesAway(flags) {
  return flags.some((flag) => ["small", "duplicate", "covering"].includes(flag.name));
}

/** @param {import("./object.js").WorkObject} object */
function promptsOf({ points, box }) {
  const given = points.map(({ x, y, label, at }) => ({ kind: "point", x, y, label, at_ms: Math.round(at) }));
  if (box) given.push({ kind: "box", x: box.x0, y: box.y0, x1: box.x1, y1: box.y1, at_ms: Math.round(box.at) });
  return given.sort((a, b) => a.at_ms - b.at_ms);
}
