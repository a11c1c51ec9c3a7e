// Objects in work, kept where a closed tab or a crash cannot reach them: in this browser at once, on the server soon.
// They go by image and object, so two tabs on one image each keep their own; the server keeps the newest of an image.

const DELAY_MS = 700;

/**
 * @typedef {{object: any, answer: any, times: any, allow: number, saved_at: number}} Draft
 * @typedef {{imageId: number, key: string, draft: Draft | null}} News  null: the object is no longer in work
 */

export class Drafts {
  /** @param {import("./api.js").Api} api @param {Storage} storage @param {string} room  whose drafts, as keys begin */
  constructor(api, storage = localStorage, room = "masksmith") {
    this.api = api;
    this.storage = storage;
    this.room = room;
    /** @type {Map<number, string>} key of the object this tab works on, by image */
    this.mine = new Map();
    /** @type {Map<string, News>} what the server has not been told yet, by place in the storage */
    this.waiting = new Map();
    this.timer = 0;
    this.sending = false;
    this.stopped = false;
    this.client = "";
    /** version of the server's copy as this tab knows it, by image; null for none @type {Map<number, string | null>} */
    this.seen = new Map();
    /** images on which another tab has an object in work: what this one does there stays in this browser @type {Set<number>} */
    this.apart = new Set();
    /** @type {(imageId: number, name: string) => void} somebody else is on the image */
    this.onHolder = () => {};
    /** @type {(imageId: number, said: string) => void} another tab has its object in work */
    this.onApart = () => {};
  }

  /** Keep this tab's object in work on an image; null says that it has none. @param {Draft | null} draft */
  keep(imageId, draft) {
    const key = draft?.object.key;
    const last = this.mine.get(imageId);
    if (last && last !== key) this.note({ imageId, key: last, draft: null });
    if (draft) {
      this.mine.set(imageId, key);
      this.note({ imageId, key, draft });
    } else this.mine.delete(imageId);
  }

  /** @param {News} news */
  note(news) {
    const place = this.placeOf(news.imageId, news.key);
    try {
      // That an object is gone is kept, too: until the server knows, its copy must not come back.
      this.storage.setItem(place, JSON.stringify(news.draft ?? { object: null }));
    } catch {
      // No room in this browser: the server's copy remains.
    }
    if (this.apart.has(news.imageId)) {
      if (!news.draft) this.storage.removeItem(place);
      return;
    }
    this.waiting.set(place, news);
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
    let away = false;
    for (const [place, news] of [...this.waiting]) {
      if (this.apart.has(news.imageId)) continue;
      try {
        await this.tell(news, keepalive);
      } catch (error) {
        away = error.passing ?? true;
        if (away) break;
        if (error.kind === "conflict") this.goApart(news, error.message);
        // What the server refuses for good, as on an image that was deleted, stays in this browser.
      }
      this.told(place, news);
    }
    this.sending = false;
    if (this.waiting.size) this.plan(away ? 5_000 : DELAY_MS);
  }

  /** @param {News} news */
  async tell({ imageId, key, draft }, keepalive) {
    if (!draft) {
      await this.api.send("DELETE", `/images/${imageId}/work?object=${key}`, undefined, { keepalive });
      this.seen.set(imageId, null);
      return;
    }
    const seen = this.seen.get(imageId) ?? null;
    const body = { object_key: key, state: draft, seen, client: this.client };
    const kept = await this.api.send("PUT", `/images/${imageId}/work`, body, { keepalive });
    this.seen.set(imageId, kept?.version ?? null);
    if (kept?.holder) this.onHolder(imageId, kept.holder);
  }

  /** The server's copy is another tab's. If this object was ended here meanwhile, that is all that has changed. */
  goApart({ imageId, key }, said) {
    if (this.mine.get(imageId) !== key) return;
    this.apart.add(imageId);
    for (const [place, news] of this.waiting) if (news.imageId === imageId) this.waiting.delete(place);
    this.mine.delete(imageId);
    this.onApart(imageId, said);
  }

  /** @param {string} place @param {News} news */
  told(place, news) {
    if (this.waiting.get(place) !== news) return;
    this.waiting.delete(place);
    if (!news.draft) this.storage.removeItem(place);
  }

  /**
   * Take up the newest draft of an image, or none.
   * @param {{object_key: string, state: any} | null} work  the server's
   * @param {Set<string>} finished  keys of objects that have been accepted or skipped since
   * @returns {Draft | null}
   */
  newest(imageId, work, finished) {
    const here = this.read(imageId);
    this.seen.set(imageId, work?.version ?? null);
    this.apart.delete(imageId);
    if (work?.state?.object && !here.has(work.object_key)) here.set(work.object_key, work.state);
    for (const key of finished) {
      here.delete(key);
      this.storage.removeItem(this.placeOf(imageId, key));
    }
    // What an earlier page could not say any more.
    for (const [key, draft] of here) if (draft?.object === null) this.note({ imageId, key, draft: null });
    const drafts = [...here.values()].filter((draft) => draft?.object);
    drafts.sort((a, b) => (b.saved_at ?? 0) - (a.saved_at ?? 0));
    const newest = drafts[0] ?? null;
    if (newest) this.mine.set(imageId, newest.object.key);
    else this.mine.delete(imageId);
    return newest;
  }

  /** What this browser keeps of an image, by object. @returns {Map<string, Draft>} */
  read(imageId) {
    const head = this.placeOf(imageId, "");
    const places = Object.keys(this.storage).filter((place) => place.startsWith(head));
    return new Map(places.map((place) => [place.slice(head.length), this.parse(place)]));
  }

  parse(place) {
    try {
      return JSON.parse(this.storage.getItem(place) ?? "null");
    } catch {
      return null;
    }
  }

  placeOf(imageId, key) {
    return `${this.room}.draft.${imageId}.${key}`;
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    return this.flush({ keepalive: true });
  }
}
