// The stopwatch of the object in work. It counts active time in whole slices between two looks at the clock:
//   waiting    a prompt is with the server
//   painting   brush or eraser is down, or moved within the last MOVING_MS
//   prompting  the hand moves with the point tool (the last input is at most MOVING_MS old)
//   thinking   none of these, and the last input is at most IDLE_MS old
// Hidden tabs, open dialogs, absent people, and prompts that an absent server will be asked again count nothing. The
// limit looks at all but waiting: a slow server must not cost an object.

/** @typedef {{waiting_ms: number, thinking_ms: number, prompting_ms: number, painting_ms: number}} Times */

export const MOVING_MS = 400;
export const IDLE_MS = 20_000;

/** @returns {Times} */
export function noTimes() {
  return { waiting_ms: 0, thinking_ms: 0, prompting_ms: 0, painting_ms: 0 };
}

export class Timer {
  /** @param {() => number} clock  milliseconds */
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.restore(null);
    this.waiting = 0;
    this.held = new Set();
    this.tool = "prompting";
  }

  /** Go on from `times`, or stand at nothing. @param {Times | null} times */
  restore(times) {
    /** @type {Times} */
    this.times = { ...noTimes(), ...times };
    this.running = false;
    this.seen = this.clock();
    this.input = this.seen;
    this.warned = false;
  }

  /** The first prompt or stroke starts the object's time. */
  start() {
    if (this.running) return;
    this.running = true;
    this.seen = this.clock();
    this.input = this.seen;
  }

  get used() {
    const { thinking_ms, prompting_ms, painting_ms } = this.times;
    return thinking_ms + prompting_ms + painting_ms;
  }

  get total() {
    return this.used + this.times.waiting_ms;
  }

  /** Whether nothing is being counted although an object is in work. */
  get resting() {
    return this.held.size > 0 || this.clock() - this.input > IDLE_MS;
  }

  /** The hand did something. @param {"prompting" | "painting"} tool */
  touch(tool) {
    this.look();
    this.input = this.clock();
    this.tool = tool;
  }

  beginWaiting() {
    this.look();
    this.waiting += 1;
  }

  endWaiting() {
    this.look();
    this.waiting = Math.max(0, this.waiting - 1);
  }

  /** Stop or go on counting for a reason ("hidden", "dialog", "server"). @param {string} why @param {boolean} on */
  hold(why, on) {
    this.look();
    if (on === this.held.has(why)) return;
    if (on) this.held.add(why);
    else this.held.delete(why);
    this.input = this.clock();
  }

  /** Book the time since the last look. */
  look() {
    const now = this.clock();
    const from = this.seen;
    this.seen = now;
    if (!this.running || this.held.size || now <= from) return;
    if (this.waiting > 0) {
      this.times.waiting_ms += now - from;
      return;
    }
    const moving = Math.min(now, Math.max(from, this.input + MOVING_MS));
    const awake = Math.min(now, Math.max(moving, this.input + IDLE_MS));
    const hand = this.tool === "painting" ? "painting_ms" : "prompting_ms";
    this.times[hand] += moving - from;
    this.times.thinking_ms += awake - moving;
  }

  /** @returns {Times} whole milliseconds */
  rounded() {
    this.look();
    return Object.fromEntries(Object.entries(this.times).map(([name, ms]) => [name, Math.round(ms)]));
  }
}
