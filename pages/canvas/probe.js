// A window for tests and benchmarks: window.__masksmith. Reading it changes nothing.
//   state()           plain copy of what the canvas knows: image, phase, object, candidates, masks, skips, outbox ...
//                     in_work: there is an object in work; busy: its prompt is being answered; current: what is on
//                     the stage belongs to its prompt
//   mask()            the mask on the stage as RLE, or null
//   toClient(x, y)    client coordinates of an image place; toImage(clientX, clientY) the other way round
//   timings()         milliseconds from pointer event to painted frame of all clicks so far, and of all opened images
//   hovers()          how many previews have been painted
// The same spans are in the browser's timeline as "masksmith:click->paint" and "masksmith:open->ready".

import { encode } from "./rle.js";
import { toStage } from "./viewport.js";

const KEPT = 2_000;

export class Probe {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    this.clicks = [];
    this.opens = [];
    this.channel = new MessageChannel();
    /** @type {(() => void)[]} */
    this.waiting = [];
    this.channel.port1.onmessage = () => this.waiting.splice(0).forEach((run) => run());
  }

  install() {
    const { bench } = this;
    window.__masksmith = Object.freeze({
      state: () => this.state(),
      mask: () => {
        const { hasMask, composer } = bench.showing;
        return hasMask ? encode(composer.pixels, composer.height, composer.width) : null;
      },
      toClient: (x, y) => {
        const rect = bench.stage.main.root.getBoundingClientRect();
        const [stageX, stageY] = toStage(bench.stage.view, x, y);
        return { x: rect.left + stageX, y: rect.top + stageY };
      },
      toImage: (clientX, clientY) => {
        const { x, y } = bench.stage.locate(clientX, clientY);
        return { x, y };
      },
      timings: () => ({ clicks: [...this.clicks], opens: [...this.opens] }),
      hovers: () => bench.hover.count,
    });
  }

  uninstall() {
    delete window.__masksmith;
    this.channel.port1.close();
  }

  /** The mask asked for at `startedAt` has been put on its canvas: note when its frame is out. */
  painted(startedAt) {
    this.afterFrame(() => this.note("masksmith:click->paint", this.clicks, startedAt));
  }

  opened(startedAt) {
    this.afterFrame(() => this.note("masksmith:open->ready", this.opens, startedAt));
  }

  /** A task posted from an animation frame runs right after that frame has been painted. */
  afterFrame(run) {
    requestAnimationFrame(() => {
      this.waiting.push(run);
      this.channel.port2.postMessage(0);
    });
  }

  note(name, list, start) {
    const end = performance.now();
    performance.measure(name, { start, end });
    list.push(end - start);
    if (list.length > KEPT) list.shift();
  }

  state() {
    const { bench } = this;
    const { working, showing, masks, outbox, timer, library, stage } = bench;
    return structuredClone({
      image_id: bench.imageId,
      image: library.current,
      phase: bench.phase,
      tool: bench.tool,
      brush_size: bench.prefs.get("brushSize"),
      object: working.object,
      in_work: bench.isBusy,
      busy: bench.answers.isAsked(working.object),
      current: showing.isCurrent,
      has_mask: showing.hasMask,
      candidates: showing.answer?.candidates ?? [],
      refined: showing.answer?.refined ?? null,
      masks: masks.list,
      skips: masks.skips,
      selected: masks.selected,
      can_undo: working.history.canUndo,
      can_redo: working.history.canRedo,
      unsaved: outbox.unsaved.length,
      refused: outbox.refused.length,
      held: bench.lease.other,
      left_over: bench.leftOver.boxes,
      online: bench.online,
      times: timer.rounded(),
      limit_used_ms: Math.round(timer.used - bench.allow),
      view: stage.view,
      images: library.images.length,
      message: bench.message,
      project: bench.project,
    });
  }
}
