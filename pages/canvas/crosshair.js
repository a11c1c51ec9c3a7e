// A pointer without a mouse: arrows move it, keys prompt and paint where it stands.

const STEP_PX = 6;
const FAST = 8;

export class Crosshair {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    /** @type {{x: number, y: number} | null} */
    this.at = null;
    this.corner = null;
    this.dab = null;
  }

  hide() {
    this.giveUp();
    this.dab = null;
    if (!this.at) return;
    this.at = null;
    this.show();
  }

  /** The view has changed: what stands on a place of the photo moves with it. */
  viewChanged() {
    if (this.at) this.show();
    else this.bench.pointer.viewChanged();
  }

  show() {
    const { stage } = this.bench;
    for (const pane of stage.panes) pane.showCross(this.at);
    if (this.at) this.bench.aiming.showBrush({ ...this.at, inside: true });
  }

  /** Move it by steps of some screen pixels, or one image pixel when zoomed in; the view follows. */
  move(dx, dy, fast) {
    const { stage, timer, tool } = this.bench;
    timer.touch(tool === "point" ? "prompting" : "painting");
    const step = Math.max(1, Math.round((STEP_PX * (fast ? FAST : 1)) / stage.view.scale));
    const from = this.at ?? this.middle();
    const clamp = (value, size) => Math.min(size - 0.5, Math.max(0.5, Math.floor(value) + 0.5));
    this.at = this.at
      ? { x: clamp(from.x + dx * step, stage.width), y: clamp(from.y + dy * step, stage.height) }
      : { x: clamp(from.x, stage.width), y: clamp(from.y, stage.height) };
    this.follow();
    this.show();
    if (this.corner) stage.main.showPrompts(this.bench.working.object.points, this.boxTo(this.at), -1);
    else this.bench.aiming.preview({ ...this.at, inside: true }, {});
  }

  middle() {
    const { stage } = this.bench;
    const [width, height] = stage.size;
    return { x: (width / 2 - stage.view.x) / stage.view.scale, y: (height / 2 - stage.view.y) / stage.view.scale };
  }

  follow() {
    const { stage } = this.bench;
    const [width, height] = stage.size;
    const x = this.at.x * stage.view.scale + stage.view.x;
    const y = this.at.y * stage.view.scale + stage.view.y;
    const over = (value, size) => (value < 24 ? 24 - value : value > size - 24 ? size - 24 - value : 0);
    const dx = over(x, width);
    const dy = over(y, height);
    if (dx || dy) stage.pan(dx, dy);
  }

  /** Where keys act: the crosshair, or the mouse if it is over the photo. */
  place() {
    if (!this.bench.isOpen) return null;
    const pointed = this.at ?? this.bench.pointer.place;
    if (!pointed) {
      this.move(0, 0, false);
      this.bench.say("Arrows move the crosshair; the same key then places.");
    }
    return pointed;
  }

  /** @param {0 | 1} label */
  point(label) {
    const place = this.place();
    if (!place) return;
    const { bench } = this;
    if (bench.tool !== "point") this.paint(place, label);
    else if (place.x < 0 || place.y < 0 || place.x >= bench.stage.width || place.y >= bench.stage.height) {
      bench.say("A point must be on the photo.");
    } else bench.working.addPoint(place.x, place.y, label);
  }

  paint(place, label) {
    const other = this.bench.tool === "brush" ? "eraser" : "brush";
    this.bench.painting.begin(label ? this.bench.tool : other, place.x, place.y);
    this.bench.painting.end();
    this.dab = { x: place.x, y: place.y };
  }

  /** Paint a straight line from the last dab to here. */
  line() {
    const place = this.place();
    const { bench } = this;
    if (!place || bench.tool === "point") return;
    const from = this.dab ?? place;
    bench.painting.begin(bench.tool, from.x, from.y);
    bench.painting.extend([[place.x, place.y]]);
    bench.painting.end();
    this.dab = { x: place.x, y: place.y };
  }

  /** The first press sets one corner, the second makes the box. */
  setCorner() {
    const place = this.place();
    if (!place) return;
    if (!this.corner) {
      this.corner = { x: place.x, y: place.y };
      this.bench.say("One corner is set; go to the opposite one and press again.");
      return;
    }
    const { x0, y0, x1, y1 } = this.boxTo(place);
    this.corner = null;
    this.bench.working.setBox(x0, y0, x1, y1);
    this.bench.showPrompts();
  }

  boxTo(place) {
    const { width, height } = this.bench.stage;
    const x = (value) => Math.min(width, Math.max(0, value));
    const y = (value) => Math.min(height, Math.max(0, value));
    return { x0: x(this.corner.x), y0: y(this.corner.y), x1: x(place.x), y1: y(place.y) };
  }

  /** @returns {boolean} whether there was a half-made box to give up */
  giveUp() {
    if (!this.corner) return false;
    this.corner = null;
    this.bench.showPrompts();
    return true;
  }
}
