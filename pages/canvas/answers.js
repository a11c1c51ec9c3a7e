// Candidates for prompts: asked once, kept under the prompt's name, so that going back to a prompt needs no server.

import { decode } from "./rle.js";
import { promptKey } from "./object.js";

/**
 * @typedef {{token: string | null, rle: import("./rle.js").Rle | null, coarse: import("./rle.js").Rle | null,
 *   bbox: number[], area: number, predicted_iou: number | null, stability_score: number | null, level: string | null}} Candidate
 * @typedef {{candidates: Candidate[], model: string | null, refined: boolean, pixels: (Uint8Array | null)[]}} Answer
 */

const KEPT = 60;
const KEPT_PIXELS = 9;

export class Answers {
  /**
   * @param {import("./api.js").Api} api
   * @param {string} client  names this tab to the server, which drops its stale hovers
   */
  constructor(api, client) {
    this.api = api;
    this.client = client;
    this.seq = 0;
    this.imageId = null;
    /** @type {Map<string, Answer>} */
    this.ready = new Map();
    /** @type {Map<string, {promise: Promise<Answer>, abort: AbortController}>} */
    this.asked = new Map();
    /** @type {Uint8Array[]} full-size pixels in memory, oldest use first */
    this.recent = [];
  }

  /** Forget everything: another image's candidates mean nothing here. @param {number | null} imageId */
  openImage(imageId) {
    for (const { abort } of this.asked.values()) abort.abort();
    this.asked.clear();
    this.ready.clear();
    this.recent = [];
    this.imageId = imageId;
  }

  /** @param {import("./object.js").WorkObject} object @returns {Answer | null} */
  of(object) {
    return this.ready.get(promptKey(object)) ?? baseAnswer(this, object);
  }

  /** @param {import("./object.js").WorkObject} object */
  isAsked(object) {
    return this.asked.has(promptKey(object));
  }

  /** Keep an answer that came another way (a draft). @param {import("./object.js").WorkObject} object */
  put(object, answer) {
    if (!Array.isArray(answer.candidates)) return; // kept before it was checked: the prompt is asked again
    const key = promptKey(object);
    this.ready.set(key, { ...answer, pixels: answer.candidates.map(() => null) });
    while (this.ready.size > KEPT) this.ready.delete(this.ready.keys().next().value);
  }

  /** Let go of an answer, so that the prompt is asked again. @param {import("./object.js").WorkObject} object */
  forget(object) {
    this.ready.delete(promptKey(object));
  }

  /**
   * Return the candidates of an object's prompt; the same prompt is never asked twice at once.
   * @param {import("./object.js").WorkObject} object
   * @returns {Promise<Answer>}
   */
  ask(object) {
    const known = this.of(object);
    if (known) return Promise.resolve(known);
    const key = promptKey(object);
    const running = this.asked.get(key);
    if (running) return running.promise;
    const abort = new AbortController();
    const promise = this.request(object, key, abort.signal).finally(() => {
      if (this.asked.get(key)?.abort === abort) this.asked.delete(key);
    });
    this.asked.set(key, { promise, abort });
    return promise;
  }

  /** Give up all requests but that of `object`: nobody will look at their answers. */
  dropOthers(object) {
    const wanted = promptKey(object);
    for (const [key, { abort }] of this.asked) {
      if (key === wanted) continue;
      abort.abort();
      this.asked.delete(key);
    }
  }

  async request(object, key, signal) {
    const imageId = this.imageId;
    const body = { ...promptBody(object), client: this.client, seq: ++this.seq, preview: false, lazy: true };
    const answer = await this.api.post(`/images/${imageId}/prompt`, body, { signal });
    if (imageId !== this.imageId) throw new DOMException("another image was opened", "AbortError");
    this.put(object, answer);
    return this.ready.get(key);
  }

  /** Full-size pixels of a candidate, or null when they have not been fetched yet. @param {Answer} answer */
  pixels(answer, index) {
    const candidate = answer.candidates[index];
    if (!candidate?.rle) return null;
    let pixels = answer.pixels[index];
    if (!pixels) pixels = answer.pixels[index] = decode(candidate.rle);
    this.touch(answer, pixels);
    return pixels;
  }

  touch(answer, pixels) {
    const at = this.recent.indexOf(pixels);
    if (at >= 0) this.recent.splice(at, 1);
    this.recent.push(pixels);
    if (this.recent.length <= KEPT_PIXELS) return;
    const oldest = this.recent.shift();
    for (const known of this.ready.values()) {
      const index = known.pixels.indexOf(oldest);
      if (index >= 0) known.pixels[index] = null;
    }
  }

  /**
   * Fetch the full-size mask of a candidate that came without.
   * @param {Answer} answer
   * @throws {import("./api.js").RequestFailed} status 404 when the server has forgotten the token
   */
  async complete(answer, index, signal) {
    const candidate = answer.candidates[index];
    if (!candidate || candidate.rle || !candidate.token) return;
    const path = `/images/${this.imageId}/candidates/${encodeURIComponent(candidate.token)}`;
    const full = await this.api.get(path, { signal });
    answer.candidates[index] = { ...candidate, ...full };
  }
}

/** @param {import("./object.js").WorkObject} object */
export function promptBody(object) {
  const { points, box, refine } = object;
  return {
    points: points.map((point) => [point.x, point.y, point.label]),
    box: box && [box.x0, box.y0, box.x1, box.y1],
    refine,
  };
}

/** An accepted mask being edited stands for the one candidate of its own prompt. @returns {Answer | null} */
function baseAnswer(answers, object) {
  if (!object.base || !object.onBase) return null;
  const { rle, predicted_iou, stability_score, level } = object.base;
  const candidate = { token: null, rle, coarse: null, bbox: [], area: 0, predicted_iou, stability_score, level };
  answers.put(object, { candidates: [candidate], model: null, refined: false });
  return answers.ready.get(promptKey(object));
}
