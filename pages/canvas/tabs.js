// One queue per tab in localStorage. A tab holds a lock for its life; a queue whose tab is gone is adopted by another.
// Web Locks exist on https and localhost only; elsewhere a heartbeat says who lives.

import { uuid } from "./uuid.js";

const BEAT_MS = 5_000;
// Browsers let hidden tabs run timers once a minute: a tab counts as gone only well after that.
const GONE_MS = 180_000;

export class TabQueues {
  /**
   * @param {string} prefix  of all keys
   * @param {{storage?: Storage, session?: Storage, locks?: LockManager | undefined}} browser
   */
  constructor(prefix, { storage = localStorage, session = sessionStorage, locks = navigator.locks } = {}) {
    this.prefix = prefix;
    this.storage = storage;
    this.session = session;
    this.locks = locks;
    this.tab = "";
    this.memory = [];
  }

  /** Take the queue this tab had before a reload, or a new one. */
  async claim() {
    const last = this.session.getItem(`${this.prefix}.tab`);
    if (last && (await this.hold(last))) this.tab = last;
    else {
      this.tab = uuid();
      await this.hold(this.tab);
    }
    this.session.setItem(`${this.prefix}.tab`, this.tab);
    return this.tab;
  }

  /** @returns {Promise<boolean>} whether the tab's lock is now ours until the page goes */
  hold(tab) {
    if (!this.locks) {
      // A reloaded tab has taken its mark away as it went; a duplicated one finds its original's.
      const taken = this.alive(tab);
      if (!taken) this.beat(tab);
      return Promise.resolve(!taken);
    }
    return new Promise((resolve) => {
      this.locks.request(`${this.prefix}.${tab}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(() => {}) : undefined;
      });
    });
  }

  beat(tab) {
    const mark = () => this.storage.setItem(`${this.prefix}.alive.${tab}`, String(Date.now()));
    mark();
    this.beating = setInterval(mark, BEAT_MS);
    addEventListener("pagehide", () => this.storage.removeItem(`${this.prefix}.alive.${tab}`));
  }

  alive(tab) {
    return Date.now() - Number(this.storage.getItem(`${this.prefix}.alive.${tab}`) ?? 0) < GONE_MS;
  }

  key(tab) {
    return `${this.prefix}.queue.${tab}`;
  }

  /** @returns {any[]} this tab's items */
  read(tab = this.tab) {
    try {
      const items = JSON.parse(this.storage.getItem(this.key(tab)) ?? "[]");
      return Array.isArray(items) ? items : [];
    } catch {
      return [];
    }
  }

  /**
   * Keep this tab's items.
   * @returns {boolean} false when the browser has no room: they then live in memory only
   */
  write(items) {
    try {
      if (items.length) this.storage.setItem(this.key(this.tab), JSON.stringify(items));
      else this.storage.removeItem(this.key(this.tab));
      return true;
    } catch {
      return false;
    }
  }

  /** Take over the items of tabs that are gone; ours are written before theirs are removed. @returns {Promise<any[]>} */
  async adopt(write) {
    const head = this.key("");
    const tabs = Object.keys(this.storage)
      .filter((key) => key.startsWith(head))
      .map((key) => key.slice(head.length))
      .filter((tab) => tab !== this.tab);
    for (const tab of tabs) await this.adoptFrom(tab, write);
  }

  async adoptFrom(tab, write) {
    const take = () => {
      const items = this.read(tab);
      if (items.length && !write(items)) return;
      this.storage.removeItem(this.key(tab));
      this.storage.removeItem(`${this.prefix}.alive.${tab}`);
    };
    if (!this.locks) {
      if (!this.alive(tab)) take();
      return;
    }
    await this.locks.request(`${this.prefix}.${tab}`, { ifAvailable: true }, (lock) => lock && take());
  }
}
