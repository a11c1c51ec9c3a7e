// What one pointer can be doing between down and up. Each gesture has move, end and cancel.

const DRAG_PX = 5;

/** A press that is a click until it moves; the prompt is already asked while the button is down. */
export class Click {
  /** @param {import("./bench.js").Bench} bench @param {PointerEvent} event @param {0 | 1} label */
  constructor(bench, event, place, label) {
    this.bench = bench;
    this.place = place;
    this.label = label;
    this.startX = event.clientX;
    this.startY = event.clientY;
    this.startedAt = event.timeStamp;
    this.canDrag = event.button === 0 && label === 1;
    bench.hover.stop();
    // Asked at once and found again when the button comes up: a hand's press of 80 ms then costs no waiting.
    if (place.inside) bench.answers.ask(bench.working.withPoint(place.x, place.y, label)).catch(() => {});
  }

  /** @returns {"box" | null} "box" once the press has become a drag */
  move(event) {
    const far = Math.hypot(event.clientX - this.startX, event.clientY - this.startY) > DRAG_PX;
    return far && this.canDrag ? "box" : null;
  }

  end() {
    if (!this.place.inside) return this.bench.say("A point must be on the photo.");
    return this.bench.working.addPoint(this.place.x, this.place.y, this.label, this.startedAt);
  }

  cancel() {
    this.bench.answers.dropOthers(this.bench.working.object);
  }
}

/** A box being drawn from where a click began. */
export class BoxDrag {
  /** @param {import("./bench.js").Bench} bench @param {Click} click */
  constructor(bench, click) {
    this.bench = bench;
    this.from = click.place;
    this.to = click.place;
    bench.answers.dropOthers(bench.working.object);
  }

  move(event) {
    this.to = this.bench.stage.locate(event.clientX, event.clientY);
    const { points } = this.bench.working.object;
    this.bench.stage.main.showPrompts(points, this.box, -1);
    return null;
  }

  get box() {
    const { width, height } = this.bench.stage;
    const clampX = (x) => Math.min(width, Math.max(0, x));
    const clampY = (y) => Math.min(height, Math.max(0, y));
    return { x0: clampX(this.from.x), y0: clampY(this.from.y), x1: clampX(this.to.x), y1: clampY(this.to.y) };
  }

  end(event) {
    const { x0, y0, x1, y1 } = this.box;
    this.bench.working.setBox(x0, y0, x1, y1, event.timeStamp);
    this.bench.showPrompts();
  }

  cancel() {
    this.bench.showPrompts();
  }
}

/** A point being moved. A press without a move changes nothing. */
export class PointDrag {
  constructor(bench, event, index) {
    this.bench = bench;
    this.index = index;
    this.startX = event.clientX;
    this.startY = event.clientY;
    this.moved = false;
    bench.hover.stop();
  }

  move(event) {
    this.moved ||= Math.hypot(event.clientX - this.startX, event.clientY - this.startY) > DRAG_PX;
    if (!this.moved) return null;
    const { x, y } = this.bench.stage.locate(event.clientX, event.clientY);
    this.to = this.bench.working.within(x, y);
    const { points, box } = this.bench.working.object;
    const shown = points.map((point, i) => (i === this.index ? { ...point, ...this.to } : point));
    this.bench.stage.main.showPrompts(shown, box, this.index);
    return null;
  }

  end(event) {
    if (this.moved) this.bench.working.movePoint(this.index, this.to.x, this.to.y, event.timeStamp);
  }

  cancel() {
    this.bench.showPrompts();
  }
}

/** A brush or eraser stroke; also the places between two frames are painted. */
export class StrokeDrag {
  constructor(bench, event, kind) {
    this.bench = bench;
    const { x, y } = bench.stage.locate(event.clientX, event.clientY);
    bench.painting.begin(kind, x, y);
  }

  move(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    const places = (events.length ? events : [event]).map(({ clientX, clientY }) => {
      const { x, y } = this.bench.stage.locate(clientX, clientY);
      return [x, y];
    });
    this.bench.painting.extend(places);
    return null;
  }

  end() {
    this.bench.painting.end();
  }

  cancel() {
    this.bench.painting.cancel();
  }
}

/** The view being moved. */
export class PanDrag {
  constructor(bench, event) {
    this.bench = bench;
    this.x = event.clientX;
    this.y = event.clientY;
    bench.stage.root.classList.add("panning");
  }

  move(event) {
    this.bench.stage.pan(event.clientX - this.x, event.clientY - this.y);
    this.x = event.clientX;
    this.y = event.clientY;
    return null;
  }

  end() {
    this.bench.stage.root.classList.remove("panning");
  }

  cancel() {
    this.end();
  }
}
