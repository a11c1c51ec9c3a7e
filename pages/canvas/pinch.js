// Two fingers: their middle moves the view, their distance zooms it about that middle.

export class Pinch {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Map<number, {x: number, y: number}>} */
    this.fingers = new Map();
    this.active = false;
  }

  /** @param {PointerEvent} event @returns {boolean} whether this is now a pinch */
  down(event) {
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.fingers.size === 2) this.active = true;
    return this.active;
  }

  move(event) {
    if (!this.fingers.has(event.pointerId)) return false;
    const before = this.middle();
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (!this.active || this.fingers.size < 2) return this.active;
    const after = this.middle();
    this.stage.pan(after.x - before.x, after.y - before.y);
    const { stageX, stageY } = this.stage.locate(after.x, after.y);
    if (before.distance > 0) this.stage.zoom(after.distance / before.distance, stageX, stageY);
    return true;
  }

  /** @returns {boolean} whether the finger belonged to a pinch: the last one to go draws nothing */
  up(event) {
    this.fingers.delete(event.pointerId);
    const was = this.active;
    if (this.fingers.size === 0) this.active = false;
    return was;
  }

  middle() {
    const [a, b = a] = [...this.fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.hypot(a.x - b.x, a.y - b.y) };
  }
}
