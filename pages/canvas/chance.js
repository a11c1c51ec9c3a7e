// Chance assigns some objects to be outlined by hand: so it can be measured what the model saves. Whoever clicks learns
// of it at the first prompt, when the object is chosen already; a choice beforehand would favour easy ones.

import { openDialog } from "./dialogs.js";
import { button, el } from "./dom.js";
import * as objects from "./object.js";

/** Whether chance says so of an object: its key is random, so 32 bits of it are a fair draw. The server draws alike. */
export function isAssigned(object, share) {
  return Number.parseInt(object.key.slice(0, 8), 16) / 2 ** 32 < share;
}

export class Chance {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
  }

  /** Whether an object waits for being outlined by hand, so that no candidates are asked for. */
  stops(object) {
    const share = this.bench.project?.settings.by_hand_share ?? 0;
    return share > 0 && !object.base && !object.withModel && objects.hasPrompt(object) && isAssigned(object, share);
  }

  /** Say so, and let the annotator outline it, or go on with the model. */
  tell() {
    const { bench } = this;
    if (bench.dialog?.open) return;
    const choose = (run) => () => {
      dialog.close();
      run();
    };
    const outline = button({ class: "plain primary" }, "Outline it", el("kbd", {}, "Enter"));
    const go = button({ class: "plain" }, "With the model this time");
    const dialog = openDialog(
      bench,
      "This one by hand",
      el("p", {}, "Chance has chosen this object to be outlined without the model, so that it can be told what the model saves."),
      el("footer", {}, go, outline),
    );
    outline.addEventListener("click", choose(() => this.outline()));
    go.addEventListener("click", choose(() => this.goOn()));
    outline.focus();
  }

  outline() {
    const { bench } = this;
    const { object } = bench.working;
    const [point] = object.points;
    const at = point ? [point.x, point.y] : [(object.box.x0 + object.box.x1) / 2, (object.box.y0 + object.box.y1) / 2];
    bench.keepDraft();
    bench.askByHand({ object_key: object.key, times: bench.timer.rounded(), at });
  }

  goOn() {
    const { working } = this.bench;
    if (this.stops(working.object)) working.change("going on with the model", objects.withModel(working.object));
  }
}
