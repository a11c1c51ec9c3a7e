// The 30-second rule: looks at the stopwatch a few times a second, warns, and at the limit leaves the object to the
// hard queue, or only says so, as the project wants it.

const LOOK_MS = 200;

export class Clockwork {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.stop = new AbortController();
    document.addEventListener("visibilitychange", () => bench.timer.hold("hidden", document.hidden), {
      signal: this.stop.signal,
    });
    bench.timer.hold("hidden", document.hidden);
  }

  /** How the object stands against the limit. */
  get state() {
    const { timer, project, isBusy, allow, working } = this.bench;
    const settings = project?.settings ?? {};
    const limit = (settings.skip_limit_s ?? 30) * 1000;
    const warn = (settings.warn_at_s ?? 20) * 1000;
    const used = isBusy ? timer.used - allow : 0;
    // An accepted mask being corrected is no object that could be left; there the limit only warns.
    const skips = settings.skip_mode !== "warn" && !working.object.base;
    return { used, limit, warn, skips, resting: isBusy && timer.resting };
  }

  look() {
    const { bench } = this;
    bench.timer.look();
    if (!bench.isBusy) {
      bench.emitter.changed("timer");
      return;
    }
    const { used, limit, warn, skips } = this.state;
    if (used >= limit && skips && !bench.pointer.gesture) {
      bench.finishing.skip("timer");
      bench.stage.root.classList.remove("late");
    } else if (used >= warn && !bench.timer.warned) {
      bench.timer.warned = true;
      const left = Math.max(0, Math.round((limit - used) / 1000));
      bench.say(skips ? `${left} s left, then this object goes to the hard queue.` : "This object takes long.", "warning");
    }
    bench.emitter.changed("timer");
  }

  close() {
    clearInterval(this.timer);
    this.stop.abort();
  }
}
