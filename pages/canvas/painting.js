// Brush, eraser and cleaning: painted on the full-size mask here, with no waiting for anybody.

import * as objects from "./object.js";
import { snap } from "./raster.js";

export class Painting {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    /** the stroke under the hand @type {import("./raster.js").Stroke | null} */
    this.stroke = null;
  }

  /** @param {"brush" | "eraser"} kind */
  begin(kind, x, y) {
    if (!this.bench.isOpen) return;
    this.bench.timer.start();
    const size = this.bench.prefs.get("brushSize");
    const { composer } = this.bench.showing;
    if (composer.candidate === undefined) composer.compose(null, this.bench.working.object.edits);
    this.stroke = { kind, size, path: [...snap(size, x, y)], at: this.bench.working.at };
    this.paintLive(0);
  }

  /** @param {number[][]} places  image coordinates, in order */
  extend(places) {
    if (!this.stroke) return;
    const { path, size } = this.stroke;
    const from = path.length / 2;
    for (const [x, y] of places) {
      const [sx, sy] = snap(size, x, y);
      if (sx !== path.at(-2) || sy !== path.at(-1)) path.push(sx, sy);
    }
    if (path.length / 2 > from) this.paintLive(from);
  }

  paintLive(from) {
    const dirty = this.bench.showing.composer.live(this.stroke, from);
    this.bench.stage.showMask(this.bench.showing.composer.pixels, dirty);
  }

  end() {
    const stroke = this.stroke;
    if (!stroke) return;
    this.stroke = null;
    const object = objects.addEdit(this.bench.working.object, { ...stroke, path: Object.freeze(stroke.path) });
    this.bench.showing.composer.settle(object.edits);
    this.bench.working.change(stroke.kind === "brush" ? "brush stroke" : "eraser stroke", object);
  }

  cancel() {
    if (!this.stroke) return;
    this.stroke = null;
    // The stroke had started the time of an object that now never was.
    if (!this.bench.isBusy) this.bench.restoreTimer(null, false, 0);
    this.bench.showing.composer.spoil();
    this.bench.showing.refresh(false);
  }

  /** Islands and holes below the project's minimum; if there are none, all islands and holes. */
  clean() {
    if (!this.bench.showing.hasMask) return this.bench.say("There is no mask to clean.");
    const small = this.bench.project?.settings.min_area ?? 100;
    for (const below of [small, null]) {
      const edit = { kind: "clean", below, islands: true, holes: true, at: this.bench.working.at };
      const before = this.bench.showing.composer.pixels.slice();
      const object = objects.addEdit(this.bench.working.object, edit);
      this.bench.showing.composer.compose(this.bench.showing.composer.candidate, object.edits);
      if (before.some((value, i) => value !== this.bench.showing.composer.pixels[i])) {
        this.bench.working.change("cleaning", object);
        return this.bench.say(below ? `Islands and holes below ${small} px are gone.` : "All islands and holes are gone.");
      }
      this.bench.showing.composer.spoil();
    }
    this.bench.showing.refresh(false);
    this.bench.say("The mask has no islands and no holes.");
  }
}
