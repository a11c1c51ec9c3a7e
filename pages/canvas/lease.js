// Whose the image on the stage is: taken when it is opened, kept while somebody is at work on it, handed back when it is
// left. Where another person is on it the stage only shows it; a server that is away gets in nobody's way.

const BEAT_MS = 60_000;
/** Without a hand's move for so long nobody is at work. */
const AWAKE_MS = 150_000;

export class Lease {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    this.imageId = null;
    /** what is said of whoever else is on the image, and whether they may be taken over @type {{said: string, quiet: boolean} | null} */
    this.other = null;
    this.moved = performance.now();
    /** what is asked of the server goes in order: an image let go must not be let go after it was taken again */
    this.asked = Promise.resolve();
    this.timer = setInterval(() => this.beat(), BEAT_MS);
    this.stop = new AbortController();
    const options = { capture: true, passive: true, signal: this.stop.signal };
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) {
      window.addEventListener(name, () => (this.moved = performance.now()), options);
    }
    document.addEventListener("visibilitychange", () => this.beat(), options);
  }

  /** Take the image that is being opened. */
  open(imageId) {
    this.imageId = imageId;
    this.say(null);
    return this.take();
  }

  /** A sign of life while the tab is seen and somebody is at work; asks again where somebody else was. */
  beat() {
    if (this.imageId === null || document.hidden || performance.now() - this.moved > AWAKE_MS) return undefined;
    return this.take();
  }

  take({ takeOver = false } = {}) {
    const { imageId } = this;
    const { api, client } = this.bench;
    this.asked = this.asked.then(async () => {
      if (imageId !== this.imageId) return;
      try {
        await api.send("PUT", `/images/${imageId}/lease`, { client, take_over: takeOver }, { timeout: 10_000 });
        if (imageId === this.imageId && this.other) await this.begin();
      } catch (error) {
        if (imageId === this.imageId && (error.kind === "held" || error.kind === "held-quietly")) {
          this.say({ said: error.message, quiet: error.kind === "held-quietly" });
        }
      }
    });
    return this.asked;
  }

  /** The other person has gone: what they did is shown, and the hand may work. */
  begin() {
    this.say(null);
    this.bench.say("The image is yours now.");
    return this.bench.library.reload();
  }

  /** Somebody has taken the image over while it was worked on here. @param {string} name */
  lost(imageId, name) {
    if (imageId !== this.imageId || this.other) return;
    this.bench.painting.cancel();
    this.say({ said: `${name} is on this image now; your object in work is kept`, quiet: false });
  }

  /** @param {{said: string, quiet: boolean} | null} other */
  say(other) {
    this.other = other;
    this.bench.timer.hold("held", other !== null);
    this.bench.emitter.changed("lease", "image");
  }

  /** Hand the image back. */
  leave({ keepalive = false } = {}) {
    const { imageId } = this;
    if (imageId === null) return;
    this.imageId = null;
    const { api, client } = this.bench;
    const send = () => api.send("DELETE", `/images/${imageId}/lease?client=${client}`, undefined, { keepalive }).catch(() => {});
    if (keepalive) send();
    else this.asked = this.asked.then(send);
  }

  close() {
    clearInterval(this.timer);
    this.stop.abort();
  }

  /** Let the named methods of a part do nothing but say why while somebody else is on the image. @param {any} part */
  guard(part, ...names) {
    for (const name of names) {
      const run = part[name].bind(part);
      part[name] = (...given) => (this.other ? this.bench.say(`${this.other.said}.`, "warning") : run(...given));
    }
  }
}
