// The object in work, kept where a closed tab or a crash cannot reach it: in this browser at once, on the server soon.

const PREFIX = "masksmith.draft.";
const DELAY_MS = 700;

/** @typedef {{object: any, answer: any, times: any, saved_at: number}} Draft */

export class Drafts {
  /** @param {import("./api.js").Api} api @param {Storage} storage */
  constructor(api, storage = localStorage) {
    this.api = api;
    this.storage = storage;
    /** @type {Map<number, Draft | null>} what the server has not been told yet */
    this.waiting = new Map();
    this.timer = 0;
    this.sending = false;
    this.stopped = false;
  }

  /** Keep a draft; null says that the image has no object in work. @param {Draft | null} draft */
  keep(imageId, draft) {
    try {
      this.storage.setItem(PREFIX + imageId, JSON.stringify(draft ?? { object: null, saved_at: Date.now() }));
    } catch {
      // No room in this browser: the server's copy remains.
    }
    this.waiting.set(imageId, draft);
    this.plan(DELAY_MS);
  }

  plan(delay) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.flush(), delay);
  }

  /** Tell the server now. */
  async flush({ keepalive = false } = {}) {
    clearTimeout(this.timer);
    if (this.sending) return;
    this.sending = true;
    try {
      for (const [imageId, draft] of [...this.waiting]) {
        await this.tell(imageId, draft, keepalive);
        if (this.waiting.get(imageId) === draft) this.waiting.delete(imageId);
      }
    } catch (error) {
      if (error.passing ?? true) this.plan(5_000);
      else this.waiting.clear();
    } finally {
      this.sending = false;
    }
    if (this.waiting.size && !this.stopped) this.plan(DELAY_MS);
  }

  tell(imageId, draft, keepalive) {
    if (!draft) return this.api.send("DELETE", `/images/${imageId}/work`, undefined, { keepalive });
    const body = { object_key: draft.object.key, state: draft };
    return this.api.send("PUT", `/images/${imageId}/work`, body, { keepalive });
  }

  /**
   * Return the newer of the two drafts of an image, or null.
   * @param {{object_key: string, state: any, updated_at: string} | null} work  the server's
   * @param {Set<string>} finished  keys of objects that have been accepted or skipped since
   * @returns {Draft | null}
   */
  newest(imageId, work, finished) {
    const here = this.read(imageId);
    const there = work?.state?.object ? work.state : null;
    const usable = [here, there].filter((draft) => draft && !(draft.object && finished.has(draft.object.key)));
    usable.sort((a, b) => (b.saved_at ?? 0) - (a.saved_at ?? 0));
    return usable[0]?.object ? usable[0] : null;
  }

  /** @returns {Draft | null} */
  read(imageId) {
    try {
      return JSON.parse(this.storage.getItem(PREFIX + imageId) ?? "null");
    } catch {
      return null;
    }
  }

  /** Forget what this browser keeps of an image once nothing of it is open. */
  forget(imageId) {
    this.storage.removeItem(PREFIX + imageId);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    return this.flush({ keepalive: true });
  }
}
