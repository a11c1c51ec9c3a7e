// The object in work: what the annotator has given for it so far, as a value that nobody changes. Candidates are not
// part of it; they follow from it (see answers.js), so going back to an earlier value brings its candidates back.

import { uuid } from "./uuid.js";

/**
 * @typedef {{x: number, y: number, label: 0 | 1, at: number}} Point  at: active milliseconds since the object began
 * @typedef {{x0: number, y0: number, x1: number, y1: number, at: number}} PromptBox
 * @typedef {{kind: "clean", below: number | null, islands: boolean, holes: boolean, at: number}} Clean
 * @typedef {import("./raster.js").Stroke | Clean} Edit
 * @typedef {{key: string, rle: import("./rle.js").Rle, label: string | null, predicted_iou: number | null,
 *   stability_score: number | null, level: string | null, origin: string, edited: boolean}} Base  the accepted mask being edited
 * @typedef {{key: string, points: readonly Point[], box: PromptBox | null, refine: string | null, chosen: number,
 *   edits: readonly Edit[], base: Base | null, onBase: boolean, label: string | null, withModel: boolean}} WorkObject
 *   refine: token of the candidate that the prompt refines; onBase: no prompt yet since editing began; withModel: the
 *   annotator did not want to outline it by hand, though chance had chosen it
 */

/** @returns {WorkObject} an object nobody has prompted yet */
export function fresh() {
  return Object.freeze({
    key: uuid(),
    points: Object.freeze([]),
    box: null,
    refine: null,
    chosen: 0,
    edits: Object.freeze([]),
    base: null,
    onBase: false,
    label: null,
    withModel: false,
  });
}

/** @param {WorkObject} object */
export function isEmpty(object) {
  return !object.points.length && !object.box && !object.edits.length && !object.base;
}

/** @param {WorkObject} object */
export function hasPrompt(object) {
  return object.points.length > 0 || object.box !== null;
}

/** @param {WorkObject} object @param {Partial<WorkObject>} changes @returns {WorkObject} */
function changed(object, changes) {
  return Object.freeze({ ...object, ...changes });
}

/** @param {WorkObject} object @param {Partial<WorkObject>} changes @returns {WorkObject} */
function prompted(object, changes) {
  return changed(object, { chosen: 0, onBase: false, ...changes });
}

/** @param {WorkObject} object @param {Point} point @param {string | null} refine @returns {WorkObject} */
export function addPoint(object, point, refine) {
  return prompted(object, { points: Object.freeze([...object.points, Object.freeze(point)]), refine });
}

/** A moved point no longer refines: the mask it led to is not what it says now. @returns {WorkObject} */
export function movePoint(object, index, x, y) {
  const points = object.points.map((point, i) => (i === index ? Object.freeze({ ...point, x, y }) : point));
  return prompted(object, { points: Object.freeze(points), refine: null });
}

/** @param {WorkObject} object @param {number} index @returns {WorkObject} */
export function removePoint(object, index) {
  const points = Object.freeze(object.points.filter((_, i) => i !== index));
  return prompted(object, { points, refine: null });
}

/** @param {WorkObject} object @param {PromptBox | null} box @param {string | null} refine @returns {WorkObject} */
export function setBox(object, box, refine) {
  return prompted(object, { box: box && Object.freeze(box), refine });
}

/** @param {WorkObject} object @param {number} index @returns {WorkObject} */
export function choose(object, index) {
  return changed(object, { chosen: index });
}

/** @param {WorkObject} object @param {Edit} edit @returns {WorkObject} */
export function addEdit(object, edit) {
  return changed(object, { edits: Object.freeze([...object.edits, Object.freeze(edit)]) });
}

/** @param {WorkObject} object @param {string | null} label @returns {WorkObject} */
export function setLabel(object, label) {
  return changed(object, { label });
}

/** @param {WorkObject} object @returns {WorkObject} */
export function withModel(object) {
  return changed(object, { withModel: true });
}

/** Begin to edit an accepted mask; its own prompts come back with it. @param {Base} base @param {Point[]} points */
export function onBase(base, points, box) {
  return changed(fresh(), {
    base: Object.freeze(base),
    onBase: true,
    points: Object.freeze(points.map((point) => Object.freeze(point))),
    box: box && Object.freeze(box),
    label: base.label,
  });
}

/**
 * Name what the candidates depend on: equal names, equal candidates. Empty when there is nothing to ask.
 * @param {WorkObject} object
 */
export function promptKey(object) {
  if (object.base && object.onBase) return `base ${object.base.key}`;
  if (!hasPrompt(object)) return "";
  const { points, box, refine } = object;
  return JSON.stringify([
    points.map((point) => [point.x, point.y, point.label]),
    box && [box.x0, box.y0, box.x1, box.y1],
    refine,
  ]);
}

/**
 * The values this object may have gone through, oldest first: prompts and edits added one at a time. Undo walks them
 * when an object comes back after a reload.
 * @param {WorkObject} object
 * @returns {WorkObject[]}
 */
export function stepsTo(object) {
  const given = [
    ...object.points.map((point) => ({ at: point.at, add: (o) => addPoint(o, point, null) })),
    ...(object.box ? [{ at: object.box.at, add: (o) => setBox(o, object.box, null) }] : []),
    ...object.edits.map((edit) => ({ at: edit.at, add: (o) => addEdit(o, edit) })),
  ];
  given.sort((a, b) => a.at - b.at);
  if (object.onBase || object.base) given.splice(0, given.length - object.edits.length);
  let value = changed(object, {
    points: object.base ? object.points : [],
    box: object.base ? object.box : null,
    edits: [],
    refine: object.base ? object.refine : null,
    chosen: object.base ? object.chosen : 0,
  });
  const values = given.map((step) => (value = step.add(value)));
  if (values.length) values[values.length - 1] = object;
  return values;
}

/** Return the object that `state` (JSON of toState) describes, or null if it describes none. @returns {WorkObject | null} */
export function fromState(state) {
  if (!state || typeof state !== "object" || typeof state.key !== "string" || !state.key) return null;
  const numbers = (...values) => values.every((value) => Number.isFinite(value));
  const points = asList(state.points).filter((p) => p && numbers(p.x, p.y, p.at) && (p.label === 0 || p.label === 1));
  const edits = asList(state.edits).filter((edit) => edit && isEdit(edit, numbers));
  const box = state.box && numbers(state.box.x0, state.box.y0, state.box.x1, state.box.y1) ? state.box : null;
  const base = state.base && typeof state.base.key === "string" && state.base.rle ? state.base : null;
  return changed(fresh(), {
    key: state.key,
    points: Object.freeze(points),
    box,
    refine: typeof state.refine === "string" ? state.refine : null,
    chosen: Number.isInteger(state.chosen) ? Math.max(0, state.chosen) : 0,
    edits: Object.freeze(edits),
    base,
    onBase: Boolean(base && state.onBase),
    label: typeof state.label === "string" ? state.label : null,
    withModel: state.withModel === true,
  });
}

function asList(value) {
  return Array.isArray(value) ? value : [];
}

function isEdit(edit, numbers) {
  if (edit.kind === "clean") return numbers(edit.at) && (edit.below === null || numbers(edit.below));
  if (edit.kind !== "brush" && edit.kind !== "eraser") return false;
  return numbers(edit.at, edit.size) && edit.size >= 1 && Array.isArray(edit.path) && numbers(...edit.path);
}
