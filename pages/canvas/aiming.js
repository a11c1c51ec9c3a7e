// What follows the pointer without changing anything: the live preview, the brush's ring, and picking accepted masks.

import { CURRENT, PREVIEW, colourOf } from "./palette.js";
import { promptBody } from "./answers.js";
import { snap } from "./raster.js";

const MOVED_PX = 1.5;

export class Aiming {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    this.last = null;
    bench.hover.onPreview = (candidate) => bench.stage.showPreview(candidate, this.last?.label === 0 ? ERASE : this.colour);
  }

  get colour() {
    return this.bench.isBusy ? CURRENT : PREVIEW;
  }

  /**
   * Show what a click here would give: while no object is in work, or with Shift or the background key held.
   * @param {{x: number, y: number, inside: boolean}} place
   * @param {{shift?: boolean, background?: boolean}} how
   */
  preview(place, { shift = false, background = false }) {
    const { bench } = this;
    const wanted = place.inside && (!bench.isBusy || shift || background);
    const readable = bench.phase === "ready" && bench.online && !bench.painting.stroke;
    if (!wanted || !readable || bench.tool !== "point" || bench.hoveredPoint >= 0) {
      if (this.last) bench.hover.stop();
      this.last = null;
      return;
    }
    const label = background && bench.isBusy ? 0 : 1;
    const still = MOVED_PX / bench.stage.view.scale;
    if (this.last?.label === label && Math.hypot(this.last.x - place.x, this.last.y - place.y) < still) return;
    this.last = { x: place.x, y: place.y, label };
    bench.hover.ask(bench.imageId, promptBody(bench.working.withPoint(place.x, place.y, label)));
  }

  /** Show the ring of brush or eraser where it would paint. @param {{x: number, y: number} | null} place */
  showBrush(place) {
    const { tool, stage, prefs } = this.bench;
    let at = null;
    if (place && tool !== "point") {
      const size = prefs.get("brushSize");
      const [x, y] = snap(size, place.x, place.y);
      at = { x, y, size, kind: tool };
    }
    for (const pane of stage.panes) pane.showRing(at);
  }

  /** Select the accepted mask here, or none. */
  selectAt(x, y) {
    const { bench } = this;
    const mask = bench.stage.accepted.at(x, y);
    if (mask) bench.masks.select(mask.key);
    else if (bench.masks.selected) bench.masks.select(bench.masks.selected);
    else bench.say("No accepted mask is here.");
  }
}

const ERASE = colourOf("okabe", 3);
