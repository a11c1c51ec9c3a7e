// Mouse, pen and touch on the stage. One pointer prompts, paints or moves the view; two fingers pan and zoom.
//   left click     foreground point          right click, or with Alt / the held key / a long press: background point
//   left drag      box                       on a point: move it; Shift + click on it: remove it
//   middle drag, or drag with the held key (Space): move the view;   Ctrl + click: select the accepted mask there

import { Pinch } from "./pinch.js";
import { BoxDrag, Click, PanDrag, PointDrag, StrokeDrag } from "./gestures.js";

const HIT_PX = 10;
const LONG_PRESS_MS = 500;

export class Pointer {
  /** @param {import("./bench.js").Bench} bench @param {Set<string>} held  ids of actions whose key is down */
  constructor(bench, held) {
    this.bench = bench;
    this.held = held;
    this.root = bench.stage.root;
    this.pinch = new Pinch(bench.stage);
    this.gesture = null;
    this.pointerId = null;
    /** last place of the pointer @type {{x: number, y: number, inside: boolean} | null} */
    this.place = null;
    /** the event that led there @type {PointerEvent | WheelEvent | null} */
    this.last = null;
    this.longPress = 0;
    this.stopListening = new AbortController();
    const { signal } = this.stopListening;
    const on = (name, run, options = {}) => this.root.addEventListener(name, run.bind(this), { signal, ...options });
    on("pointerdown", this.down);
    on("pointermove", this.move);
    on("pointerup", this.up);
    on("pointercancel", this.cancel);
    on("lostpointercapture", this.lost);
    on("pointerleave", this.leave);
    on("wheel", this.wheel, { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    on("auxclick", (event) => event.preventDefault());
    on("dblclick", (event) => event.preventDefault());
  }

  close() {
    this.stopListening.abort();
    clearTimeout(this.longPress);
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.root.focus({ preventScroll: true });
    this.bench.crosshair.hide();
    this.capture(event.pointerId);
    if (event.pointerType === "touch" && this.pinch.down(event)) {
      this.drop();
      return;
    }
    if (this.gesture) return;
    event.preventDefault();
    this.pointerId = event.pointerId;
    this.place = this.bench.stage.locate(event.clientX, event.clientY);
    this.gesture = this.begin(event);
    if (this.gesture) this.bench.stage.gripped = this.bench.stage.paneAt(event.clientX);
    this.last = event;
    this.bench.timer.touch(this.hand);
    if (event.pointerType === "touch" && this.gesture instanceof Click) {
      this.longPress = setTimeout(() => this.pressLong(), LONG_PRESS_MS);
    }
  }

  capture(pointerId) {
    try {
      this.root.setPointerCapture(pointerId);
    } catch {
      // The pointer has gone already.
    }
  }

  get hand() {
    return this.bench.tool === "point" ? "prompting" : "painting";
  }

  begin(event) {
    const { bench, place } = this;
    if (event.button === 1 || this.held.has("pan")) return new PanDrag(bench, event);
    if (!bench.isOpen) return null;
    if ((event.ctrlKey || event.metaKey) && event.button === 0) {
      bench.aiming.selectAt(place.x, place.y);
      return null;
    }
    if (bench.tool !== "point" || event.button === 5) return this.beginStroke(event);
    const hit = this.pointAt(event);
    if (hit >= 0 && event.button === 0) {
      if (!event.shiftKey) return new PointDrag(bench, event, hit);
      bench.working.removePoint(hit);
      return null;
    }
    if (event.button !== 0 && event.button !== 2) return null;
    const background = event.button === 2 || event.altKey || this.held.has("background");
    return new Click(bench, event, place, background ? 0 : 1);
  }

  /** The right button, and a pen's other end, do the other tool's work. */
  beginStroke(event) {
    const { bench } = this;
    if (event.button !== 0 && event.button !== 2 && event.button !== 5) return null;
    let kind = event.button === 5 ? "eraser" : bench.tool;
    if (event.button === 2) kind = bench.tool === "brush" ? "eraser" : "brush";
    return new StrokeDrag(bench, event, kind);
  }

  /** Index of the prompt point under the pointer, -1 for none. */
  pointAt(event) {
    const { x, y } = this.bench.stage.locate(event.clientX, event.clientY);
    const reach = (event.pointerType === "touch" ? 2 : 1) * (HIT_PX / this.bench.stage.view.scale);
    let best = -1;
    let least = reach;
    this.bench.working.object.points.forEach((point, i) => {
      const distance = Math.hypot(point.x - x, point.y - y);
      if (distance <= least) {
        best = i;
        least = distance;
      }
    });
    return best;
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (event.pointerType === "touch" && this.pinch.move(event)) return;
    const { bench } = this;
    this.place = bench.stage.locate(event.clientX, event.clientY);
    this.last = event;
    bench.timer.touch(this.hand);
    if (this.gesture) {
      if (event.pointerId !== this.pointerId) return;
      const next = this.gesture.move(event);
      if (next) {
        clearTimeout(this.longPress);
        this.gesture = next === "box" ? new BoxDrag(bench, this.gesture) : next;
        this.gesture.move(event);
      }
    } else if (event.pointerType !== "touch") {
      this.hover(event);
    }
    bench.aiming.showBrush(this.place);
  }

  hover(event) {
    const { bench } = this;
    if (bench.tool !== "point") return;
    bench.hoverPoint(this.pointAt(event));
    bench.aiming.preview(this.place, { shift: event.shiftKey, background: event.altKey || this.held.has("background") });
  }

  /** @param {PointerEvent} event */
  up(event) {
    clearTimeout(this.longPress);
    if (event.pointerType === "touch" && this.pinch.up(event)) return;
    if (event.pointerId !== this.pointerId || !this.gesture) return;
    this.take().end(event);
  }

  /** Return the running gesture, which runs no more. */
  take() {
    const { gesture } = this;
    this.gesture = null;
    this.pointerId = null;
    this.bench.stage.gripped = null;
    return gesture;
  }

  pressLong() {
    if (!(this.gesture instanceof Click)) return;
    this.gesture.label = 0;
    this.take().end();
    navigator.vibrate?.(15);
  }

  cancel(event) {
    this.pinch.up(event);
    if (event.pointerId === this.pointerId) this.drop();
  }

  lost(event) {
    if (event.pointerId === this.pointerId && this.gesture) this.drop();
  }

  /** Give the running gesture up; nothing of it remains. */
  drop() {
    clearTimeout(this.longPress);
    this.take()?.cancel();
  }

  leave() {
    if (this.gesture) return;
    this.place = null;
    this.bench.hover.stop();
    this.bench.hoverPoint(-1);
    this.bench.aiming.showBrush(null);
  }

  /** Another place of the photo is under a pointer that rests. */
  viewChanged() {
    if (!this.place || this.pinch.active) return;
    this.place = this.bench.stage.locate(this.last.clientX, this.last.clientY);
    this.bench.aiming.showBrush(this.place);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const { stage } = this.bench;
    this.last = event;
    this.bench.timer.touch(this.hand);
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (event.shiftKey) {
      stage.pan(-(event.deltaX || event.deltaY) * unit, 0);
      return;
    }
    const { stageX, stageY } = stage.locate(event.clientX, event.clientY);
    // A trackpad's pinch comes as a wheel with Ctrl and small steps.
    const speed = event.ctrlKey ? 0.01 : 0.0016;
    stage.zoom(Math.exp(-event.deltaY * unit * speed), stageX, stageY);
    this.place = stage.locate(event.clientX, event.clientY);
    this.bench.aiming.showBrush(this.place);
  }
}
