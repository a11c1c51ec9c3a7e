// The live preview under the pointer: at most one request in flight, and after it only the newest place is asked.

/** @typedef {{points: number[][], box: number[] | null, refine: string | null}} Prompt */

const MIN_GAP_MS = 30;

export class Hover {
  /**
   * @param {import("./api.js").Api} api
   * @param {{client: string, onPreview: (candidate: object | null, startedAt: number) => void}} options
   */
  constructor(api, { client, onPreview }) {
    this.api = api;
    this.client = client;
    this.onPreview = onPreview;
    this.seq = 0;
    this.paused = false;
    /** @type {{imageId: number, prompt: Prompt, at: number} | null} */
    this.wanted = null;
    this.running = null;
    this.lastStart = 0;
    this.timer = 0;
    this.count = 0;
  }

  /** Ask for a preview here; what was asked before and has not been sent is dropped. @param {Prompt} prompt */
  ask(imageId, prompt) {
    if (this.paused) return;
    this.wanted = { imageId, prompt, at: performance.now() };
    this.next();
  }

  /** Nobody looks at a preview any more. */
  stop() {
    this.wanted = null;
    clearTimeout(this.timer);
    this.timer = 0;
    this.running?.abort();
    this.running = null;
    this.onPreview(null, 0);
  }

  next() {
    if (this.running || !this.wanted || this.timer) return;
    const gap = this.lastStart + MIN_GAP_MS - performance.now();
    if (gap > 0) {
      this.timer = setTimeout(() => {
        this.timer = 0;
        this.next();
      }, gap);
      return;
    }
    const { imageId, prompt, at } = this.wanted;
    this.wanted = null;
    this.run(imageId, prompt, at);
  }

  async run(imageId, prompt, at) {
    const abort = (this.running = new AbortController());
    this.lastStart = performance.now();
    const body = { ...prompt, client: this.client, seq: ++this.seq, preview: true, lazy: true };
    try {
      const answer = await this.api.post(`/images/${imageId}/prompt`, body, { signal: abort.signal, timeout: 10_000 });
      if (this.running === abort) {
        this.count += 1;
        this.onPreview(answer.candidates[0] ?? null, at);
      }
    } catch {
      // A preview that fails is simply not shown; clicks say what is wrong.
      if (this.running === abort) await new Promise((resolve) => setTimeout(resolve, 200));
    } finally {
      if (this.running === abort) {
        this.running = null;
        this.next();
      }
    }
  }
}
