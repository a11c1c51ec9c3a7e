// The queue of images and the one on the stage: loading the list page by page, opening, next and previous.

import { RequestFailed } from "./api.js";
import { isProposal } from "./maskbook.js";
import { comeBack, sendTo, wasSentTo } from "./places.js";

/** @typedef {{id: number, name: string, width: number, height: number, state: string, masks: number, skips: number,
 *   proposals: number, embedding: string, has_work: boolean, version: number, pixels_version: string, priority: number}} Image
 * @typedef {{image: number | null, mask: number | null, round: number | null, ahead: number[]}} Next */

const PAGE = 200;
const AHEAD = 4;
const POLL_MS = 4_000;
/** Pages of the list that are read to find an image; one that lies further on is shown behind them. */
const SOUGHT_PAGES = 3;
const MOST_PASSED = 500;

export class Library {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    /** @type {Image[]} */
    this.images = [];
    /** @type {Map<number, number>} place in `images` by id */
    this.place = new Map();
    /** id after which the next page begins; null at the end @type {number | null} */
    this.after = 0;
    this.loading = null;
    this.opening = 0;
    /** images this tab has been on, in order, and where among them it is; going back leads along them @type {number[]} */
    this.trail = [];
    this.at = -1;
    /** images that were left without being done @type {Set<number>} */
    this.passed = new Set();
    /** what the server says comes after the image on the stage @type {number[]} */
    this.ahead = [];
    this.leaving = false;
    /** aborted when the image on the stage is left */
    this.left = new AbortController();
  }

  /** Load the list and open an image: the one asked for, else the next that is to be done. @param {number | null} wanted */
  async start(wanted) {
    await this.more();
    if (this.bench.stopped) return undefined;
    const next = wanted === null ? await this.claim(null) : null;
    if (this.bench.stopped) return next && this.refuse(next);
    if (next?.round) return sendTo(next.round, next.image);
    const first = wanted ?? next?.image ?? this.images[0]?.id ?? null;
    this.polling = setInterval(() => this.poll(), POLL_MS);
    if (first === null) return this.bench.setPhase("empty");
    await this.find(first);
    if (!this.bench.stopped) await this.visit(first, next);
    return undefined;
  }

  /** Load the list until it has an image, if that is not far. */
  async find(id) {
    for (let page = 1; page < SOUGHT_PAGES && !this.place.has(id) && this.after !== null; page++) await this.more();
  }

  /** Load another page of the list; calls that come meanwhile share it. */
  more() {
    if (this.after === null) return Promise.resolve();
    this.loading ??= this.loadPage().finally(() => (this.loading = null));
    return this.loading;
  }

  async loadPage() {
    const page = await this.bench.api.get(`/images?limit=${PAGE}&after=${this.after || ""}`);
    for (const image of page.images) {
      if (this.place.has(image.id)) continue;
      this.place.set(image.id, this.images.length);
      this.images.push(image);
    }
    this.after = page.next ?? null;
    this.bench.emitter.changed("queue");
  }

  /** @returns {Image | null} */
  get current() {
    return this.images[this.place.get(this.bench.imageId) ?? -1] ?? null;
  }

  /** Keep what is known of an image, behind the others if the list does not reach to it. @param {Image} image */
  know(image) {
    if (!this.place.has(image.id)) {
      this.place.set(image.id, this.images.length);
      this.images.push(image);
    }
    this.patch(image.id, image);
  }

  patch(id, changes) {
    const at = this.place.get(id);
    if (at === undefined) return;
    this.images[at] = { ...this.images[at], ...changes };
    this.bench.emitter.changed("queue");
  }

  /** Look again at how far images near the current one are, while some are not ready. */
  async poll() {
    if (document.hidden || !this.images.length) return;
    const at = Math.max(0, (this.place.get(this.bench.imageId) ?? 0) - 3);
    const near = this.images.slice(at, at + 40);
    if (near.every((image) => image.embedding === "ready")) return;
    const after = at > 0 ? this.images[at - 1].id : "";
    try {
      const page = await this.bench.api.get(`/images?limit=40&after=${after}`, { timeout: 8_000 });
      for (const { id, embedding } of page.images) if (this.place.has(id)) this.patch(id, { embedding });
    } catch {
      // The badge for the lost connection says it already.
    }
  }

  /** Bring an image on the stage. */
  async open(id) {
    const { bench } = this;
    const turn = ++this.opening;
    this.left.abort();
    this.left = new AbortController();
    const openedAt = performance.now();
    bench.leaveImage();
    if (bench.lease.imageId !== id) bench.lease.leave();
    bench.imageId = id;
    bench.lease.open(id);
    bench.setPhase("opening");
    putInUrl(id);
    const ready = this.encode(id);
    ready.catch(() => {}); // told below, unless the image itself fails before
    try {
      const view = await bench.api.get(`/images/${id}`);
      if (turn !== this.opening) return;
      bench.image = view;
      const { mask_list: list, work, open_skips: skips, ...entry } = view;
      this.know(entry);
      const photo = bench.stage.open(bench.api.url(`/images/${id}/pixels?v=${view.pixels_version}`), view.width, view.height);
      bench.showImage(view, list, work, skips, openedAt);
      await photo;
      if (turn !== this.opening) return;
      if (bench.phase === "opening") bench.setPhase("reading");
      await ready;
      if (turn !== this.opening) return;
      bench.setPhase("ready");
      bench.probe.opened(openedAt);
      this.prefetchPhotos(id);
    } catch (error) {
      if (turn !== this.opening || error.name === "AbortError") return;
      this.failed(id, error, turn);
    }
  }

  /** @param {Error} error */
  failed(id, error, turn) {
    const said = error instanceof RequestFailed ? error.message : "The photo could not be shown.";
    this.bench.stage.blank();
    this.bench.setPhase("failed", said);
    this.bench.say(said, "error");
    // A photo that did not come may come the next time, as what the server could not answer.
    if (!(error instanceof RequestFailed) || error.passing) {
      setTimeout(() => turn === this.opening && this.open(id), 3_000);
    }
  }

  /** Have the server read the photo, and the next ones after it. */
  async encode(id) {
    const next = this.ahead.length ? this.ahead : this.following(id, AHEAD).map((image) => image.id);
    try {
      const { api, client } = this.bench;
      await api.post(`/images/${id}/open`, { next, client }, { timeout: 300_000, signal: this.left.signal });
      this.patch(id, { embedding: "ready" });
    } catch (error) {
      // Prompts work without: the server then reads the photo at the first one.
      if (error.status === 404) throw error;
    }
  }

  /** The images after this one that are not done. */
  following(id, count) {
    const at = this.place.get(id) ?? -1;
    const found = [];
    for (let i = at + 1; i < this.images.length && found.length < count; i++) {
      if (this.images[i].state !== "done") found.push(this.images[i]);
    }
    return found;
  }

  prefetchPhotos(id) {
    const next = this.ahead.length ? this.ahead : this.following(id, 2).map((image) => image.id);
    for (const one of next.slice(0, 2)) {
      const known = this.images[this.place.get(one) ?? -1];
      if (known) new Image().src = this.bench.api.url(`/images/${one}/pixels?v=${known.pixels_version}`);
    }
  }

  /**
   * Let go of an image, and ask the server for the next one.
   * @param {number | null} leaving @returns {Promise<Next>}
   */
  async claim(leaving) {
    const { api, client, outbox } = this.bench;
    // What is done here, and the server does not know yet, is nothing to be given again.
    const done = outbox.unsaved.filter((item) => item.op === "state" && item.imageId !== null).map((item) => item.imageId);
    const passed = [...new Set([...done, ...[...this.passed].reverse()])].slice(0, MOST_PASSED);
    const next = await api.post("/next", { client, leaving, passed }, { timeout: 10_000 });
    this.ahead = next.ahead;
    return done.includes(next.image) ? { image: null, mask: null, round: null, ahead: [] } : next;
  }

  /** Go to the next image; this one is done if it has masks, and nothing is in work or to be checked. */
  async next() {
    const { bench } = this;
    const here = this.current;
    if (this.leaving || (!here && bench.phase === "opening")) return undefined;
    const busy = bench.isBusy;
    this.leaving = true;
    try {
      const finished = here !== null && this.isFinished(here);
      if (finished) {
        if (!(await bench.leftOver.agrees(here.id)) || here.id !== bench.imageId || !this.isFinished(here)) return undefined;
        this.setState(here.id, "done");
      } else if (here && here.state !== "done") this.passed.add(here.id);
      if (this.at < this.trail.length - 1) return this.walk(1);
      const left = bench.imageId;
      const next = await this.claim(here?.id ?? null).catch((error) => this.offline(here, error));
      if (!next) return undefined;
      if (left !== bench.imageId) return this.refuse(next);
      if (finished && bench.isBusy) return this.stay(here, next);
      if (next.round) return sendTo(next.round, next.image);
      if (next.image === null) {
        if (wasSentTo(bench.seat) && (await bench.outbox.settled())) return comeBack();
        return bench.say(bench.masks.list.length ? "All images are done." : "There is no other image to do.");
      }
      if (busy) bench.say("The object in work is kept with its image.");
      await this.find(next.image);
      return this.visit(next.image, next);
    } finally {
      this.leaving = false;
    }
  }

  /** Stay on an image that was done until something was begun on it while the queue was asked. @param {Next} next */
  stay(here, next) {
    this.refuse(next);
    this.setState(here.id, "in_work");
    this.bench.lease.open(here.id);
    this.bench.say("You have begun another object here.", "warning");
  }

  /** Hand back what the queue has given when the hand went elsewhere meanwhile. @param {Next} next */
  refuse({ image, round }) {
    const { api, client } = this.bench;
    if (image !== null && round === null) api.send("DELETE", `/images/${image}/lease?client=${client}`).catch(() => {});
  }

  /** Whether leaving an image means that it is done. @param {Image} here */
  isFinished(here) {
    const { bench } = this;
    const { list } = bench.masks;
    return !bench.lease.other && !bench.isBusy && list.length > 0 && !list.some(isProposal) && here.state !== "done";
  }

  /** Without the server the list says what comes next. @param {Image | null} here @returns {Next | null} */
  offline(here, error) {
    if (error.passing === false) {
      this.bench.say(error.message, "error");
      return null;
    }
    const next = this.following(here?.id, 1)[0] ?? this.images.find((image) => image.id !== here?.id && image.state !== "done");
    return { image: next?.id ?? null, mask: null, round: null, ahead: [] };
  }

  /** Open an image, from which going back leads to the one before it. @param {Next | null} next  why, if the queue says so */
  async visit(id, next = null) {
    this.trail = [...this.trail.slice(0, this.at + 1), id];
    this.at = this.trail.length - 1;
    await this.open(id);
    if (next?.mask && id === this.bench.imageId) this.showReturned(next.mask);
  }

  /** Open an image of the list; the one that is on the stage only if it failed to open. */
  choose(id) {
    if (id !== this.bench.imageId) return this.visit(id);
    return this.bench.phase === "failed" ? this.open(id) : undefined;
  }

  showReturned(maskId) {
    const { masks } = this.bench;
    const mask = masks.list.find((one) => one.mask_id === maskId);
    if (!mask) return;
    if (masks.selected !== mask.key) masks.select(mask.key);
    this.bench.say(`A reviewer sent this mask back. ${this.bench.keys.tip("edit", "Edit")} corrects it; My work says why.`, "warning");
  }

  walk(step) {
    this.at += step;
    return this.open(this.trail[this.at]);
  }

  previous() {
    if (this.at > 0) return this.walk(-1);
    const place = this.place.get(this.bench.imageId);
    if (place === undefined && this.images.length) return this.visit(this.images[0].id);
    if (!place) return this.bench.say("This is the first image.");
    this.trail.unshift(this.images[place - 1].id);
    return this.open(this.trail[this.at]);
  }

  /** Show what others have changed on the image on the stage; what is in work here stays. */
  async reload() {
    const { bench } = this;
    const id = bench.imageId;
    const askedAt = performance.now();
    try {
      const { mask_list: list, work, open_skips: skips, ...entry } = await bench.api.get(`/images/${id}`);
      if (id !== bench.imageId || bench.phase === "opening") return;
      this.patch(id, entry);
      bench.refreshMasks(list, skips, bench.outbox.since(id, askedAt));
    } catch (error) {
      bench.say(error.message, "error");
    }
  }

  /** @param {"new" | "in_work" | "done"} state */
  setState(id, state) {
    const seen = this.images[this.place.get(id) ?? -1]?.version;
    this.patch(id, { state });
    this.bench.outbox.add({ op: "state", imageId: id, method: "POST", path: `/images/${id}/state`, body: { state, seen } });
  }

  stop() {
    this.opening += 1;
    this.left.abort();
    clearInterval(this.polling);
  }
}

function putInUrl(id) {
  const url = new URL(location.href);
  if (url.searchParams.get("image") === String(id)) return;
  url.searchParams.set("image", String(id));
  forgetWanted(url);
}

/** Take out of the page's address what was to be taken up: a reload does not ask for it again. */
export function forgetWanted(url = new URL(location.href)) {
  for (const name of ["mask", "skip"]) url.searchParams.delete(name);
  history.replaceState(history.state, "", url);
}
