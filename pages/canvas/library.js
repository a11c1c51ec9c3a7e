// The queue of images and the one on the stage: loading the list page by page, opening, next and previous.

import { RequestFailed } from "./api.js";
import { isProposal } from "./maskbook.js";

/** @typedef {{id: number, name: string, width: number, height: number, state: string, masks: number, skips: number,
 *   proposals: number, embedding: string, has_work: boolean}} Image */

const PAGE = 200;
const AHEAD = 4;
const POLL_MS = 4_000;

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
    /** aborted when the image on the stage is left */
    this.left = new AbortController();
  }

  /** Load the list up to an image, and open it; without one the first that is not done. @param {number | null} wanted */
  async start(wanted) {
    await this.more();
    while (wanted !== null && !this.place.has(wanted) && this.after !== null) await this.more();
    const first = this.images[this.place.get(wanted) ?? -1] ?? (await this.firstOpen()) ?? this.images[0];
    this.polling = setInterval(() => this.poll(), POLL_MS);
    if (first) await this.open(first.id);
    else this.bench.setPhase("empty");
  }

  async firstOpen() {
    for (;;) {
      const found = this.images.find((image) => image.state !== "done");
      if (found || this.after === null) return found;
      await this.more();
    }
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
    bench.imageId = id;
    bench.setPhase("opening");
    putInUrl(id);
    const ready = this.encode(id);
    try {
      const view = await bench.api.get(`/images/${id}`);
      if (turn !== this.opening) return;
      bench.image = view;
      const { mask_list: list, work, open_skips: skips, ...entry } = view;
      this.patch(id, entry);
      const photo = bench.stage.open(bench.api.url(`/images/${id}/pixels?v=${view.version}`), view.width, view.height);
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
    if (error instanceof RequestFailed && error.passing) {
      setTimeout(() => turn === this.opening && this.open(id), 3_000);
    }
  }

  /** Have the server read the photo, and the next ones after it. */
  async encode(id) {
    const next = this.following(id, AHEAD).map((image) => image.id);
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
    for (const { id: next, version } of this.following(id, 2)) {
      new Image().src = this.bench.api.url(`/images/${next}/pixels?v=${version}`);
    }
  }

  /** Go to the next image that is not done; this one is done if it has masks, and nothing is in work or to be checked. */
  async next() {
    const { bench } = this;
    const here = this.current;
    if (!here) return;
    const busy = bench.isBusy;
    const answered = !bench.masks.list.some(isProposal);
    if (!busy && answered && bench.masks.list.length && here.state !== "done") this.setState(here.id, "done");
    if (this.following(here.id, 1).length === 0) await this.more().catch(() => {});
    const target = this.following(here.id, 1)[0] ?? this.images.find((image) => image.id !== here.id && image.state !== "done");
    if (!target) return bench.say(bench.masks.list.length ? "All images are done." : "There is no other image to do.");
    if (busy) bench.say("The object in work is kept with its image.");
    return this.open(target.id);
  }

  previous() {
    const at = this.place.get(this.bench.imageId) ?? 0;
    if (at > 0) return this.open(this.images[at - 1].id);
    this.bench.say("This is the first image.");
    return undefined;
  }

  /** @param {"new" | "in_work" | "done"} state */
  setState(id, state) {
    this.patch(id, { state });
    this.bench.outbox.add({ op: "state", imageId: id, method: "POST", path: `/images/${id}/state`, body: { state } });
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
  history.replaceState(history.state, "", url);
}
