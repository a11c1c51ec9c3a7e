// What has been done and the server does not know yet: sent in order, one at a time, again and again until it is
// answered. Kept in localStorage before anything is sent, so a reload or a crash loses nothing; every item carries an
// idempotency key, so sending twice saves once.

import { uuid } from "./uuid.js";

/**
 * @typedef {{id: string, op: string, imageId: number | null, method: string, path: string, body: any, key: string | null,
 *   info: any, refused: string | null, kind?: string, added: number}} Item
 *   op: "accept", "delete", "restore" ...; info: what the canvas shows of it while it waits
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

export class Outbox {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./tabs.js").TabQueues} queues
   * @param {{firstWait?: number, longestWait?: number}} pace
   */
  constructor(api, queues, { firstWait = FIRST_WAIT_MS, longestWait = LONGEST_WAIT_MS } = {}) {
    this.api = api;
    this.queues = queues;
    this.firstWait = firstWait;
    this.longestWait = longestWait;
    this.wait = firstWait;
    /** @type {Item[]} */
    this.items = [];
    /** the last items that were sent @type {{at: number, item: Item}[]} */
    this.done = [];
    this.sending = false;
    this.started = false;
    this.timer = 0;
    this.durable = true;
    /** @type {(item: Item, answer: any) => void} */
    this.onSent = () => {};
    /** @type {(item: Item) => void} */
    this.onRefused = () => {};
    this.onHeld = () => {};
    this.onChange = () => {};
  }

  /** Take up what an earlier page of this tab, or a tab that is gone, has left. */
  async start() {
    const early = this.items;
    await this.queues.claim();
    this.items = [...this.queues.read(), ...early];
    this.started = true;
    await this.adopt();
    this.save();
    this.wakeUp = () => this.retryNow();
    addEventListener("online", this.wakeUp);
    this.adopting = setInterval(() => this.adopt(), 30_000);
    this.drain();
  }

  adopt() {
    return this.queues.adopt((items) => {
      const known = new Set(this.items.map((item) => item.id));
      this.items = [...items.filter((item) => item && !known.has(item.id)), ...this.items];
      const kept = this.save();
      this.drain();
      return kept;
    });
  }

  /** @param {Pick<Item, "op" | "imageId" | "method" | "path"> & Partial<Item>} what @returns {Item} */
  add({ op, imageId, method, path, body = undefined, key = null, info = null }) {
    const item = { id: uuid(), op, imageId, method, path, body, key, info, refused: null, added: Date.now() };
    this.items.push(item);
    this.save();
    this.drain();
    return item;
  }

  /** Items the server may still take. */
  get unsaved() {
    return this.items.filter((item) => !item.refused);
  }

  /** Wait until the server has everything it may take, but not for ever. @returns {Promise<boolean>} whether it has */
  async settled() {
    for (let look = 0; look < 50 && this.unsaved.length; look++) await new Promise((resolve) => setTimeout(resolve, 100));
    return this.unsaved.length === 0;
  }

  /** Items the server has refused for good; they wait for the annotator's word. */
  get refused() {
    return this.items.filter((item) => item.refused);
  }

  /**
   * What a server's answer asked for at `askedAt` (performance.now) may not show of an image yet, oldest first.
   * @param {number | null} imageId @returns {Item[]}
   */
  since(imageId, askedAt) {
    const sent = this.done.filter(({ at }) => at >= askedAt).map(({ item }) => item);
    return [...sent, ...this.unsaved].filter((item) => item.imageId === imageId);
  }

  save() {
    if (this.started) this.durable = this.queues.write(this.items);
    this.onChange();
    return this.durable;
  }

  retryNow() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.wait = this.firstWait;
    this.drain();
  }

  /** Send a refused item once more. */
  tryAgain(id) {
    for (const item of this.items) if (item.id === id) item.refused = null;
    this.save();
    this.retryNow();
  }

  /** Send a refused correction as a mask of its own, beside what stands for the one it was to correct. */
  saveBeside(id) {
    for (const item of this.items) {
      if (item.id !== id || item.op !== "accept") continue;
      // What stays imported is a correction of what was: beside that it is what a hand has painted.
      const origin = item.body.origin === "imported" ? "by_hand" : item.body.origin;
      item.body = { ...item.body, supersedes: null, origin };
      item.info = { ...item.info, replaced: null, beside: true };
    }
    this.tryAgain(id);
  }

  /** Give a refused item up: the annotator said so. */
  discard(id) {
    this.items = this.items.filter((item) => item.id !== id || !item.refused);
    this.save();
  }

  async drain() {
    if (this.sending || this.timer || !this.started) return;
    this.sending = true;
    try {
      let item;
      while ((item = this.items.find((one) => !one.refused))) {
        if (!(await this.sendOne(item))) break;
      }
    } finally {
      this.sending = false;
    }
  }

  /** @param {Item} item @returns {Promise<boolean>} whether the next one may go */
  async sendOne(item) {
    try {
      const headers = item.key ? { "Idempotency-Key": item.key } : {};
      const answer = await this.api.send(item.method, item.path, item.body, { headers, timeout: 30_000 });
      this.settle(item, answer);
      return true;
    } catch (error) {
      if (error.status === 404 && item.method === "DELETE") {
        this.settle(item, null);
        return true;
      }
      if (error.passing ?? true) {
        if (error.status >= 500) this.onHeld(error.message);
        this.later();
        return false;
      }
      item.refused = error.message;
      item.kind = error.kind;
      this.save();
      this.onRefused(item);
      return true;
    }
  }

  settle(item, answer) {
    this.wait = this.firstWait;
    this.items = this.items.filter((one) => one.id !== item.id);
    this.done.push({ at: performance.now(), item });
    if (this.done.length > 200) this.done.shift();
    this.onSent(item, answer);
    this.save();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.drain();
    }, this.wait);
    this.wait = Math.min(this.longestWait, this.wait * 2);
    this.onChange();
  }

  stop() {
    clearTimeout(this.timer);
    clearInterval(this.adopting);
    removeEventListener("online", this.wakeUp);
  }
}
