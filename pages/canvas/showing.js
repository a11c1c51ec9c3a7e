// From the object in work to the stage: finds its candidates, asks for those nobody knows yet, and shows the mask.

import { Composer } from "./composer.js";
import * as objects from "./object.js";

/** The hand that has just clicked often clicks again; the other candidates' masks wait this long. */
const COMPLETE_AFTER_MS = 250;

export class Showing {
  /** @param {import("./bench.js").Bench} bench */
  constructor(bench) {
    this.bench = bench;
    this.openImage(1, 1);
  }

  openImage(width, height) {
    this.composer = new Composer(width, height);
    /** the answer on the stage, which may be the last one's while the next is awaited */
    this.answer = null;
    /** when the hand asked for what is not painted yet; 0 for nothing */
    this.clickAt = 0;
    this.setProblem(null);
  }

  /** Note why the prompt has no answer; until it is asked `again` the stopwatch rests. @param {string | null} problem */
  setProblem(problem, again = false) {
    this.problem = problem;
    this.bench.timer.hold("server", again);
  }

  get object() {
    return this.bench.working.object;
  }

  /** Whether there is a mask that could be accepted. */
  get hasMask() {
    return !objects.isEmpty(this.object) && (this.answer !== null || this.object.edits.length > 0);
  }

  /** Whether the candidates on the stage are those of the prompt. */
  get isCurrent() {
    return !objects.promptKey(this.object) || this.answer === this.bench.answers.of(this.object);
  }

  /** Which candidate of the answer is chosen: another answer may have fewer. */
  get chosen() {
    return this.answer ? Math.min(this.object.chosen, this.answer.candidates.length - 1) : 0;
  }

  /** Whether the chosen candidate's full-size mask is here: until then the stage shows the one chosen before. */
  get isComplete() {
    return !this.answer || Boolean(this.answer.candidates[this.chosen]?.rle);
  }

  /** Show the object; ask for its candidates when they are not known. @param {boolean} keep  whether it has changed */
  refresh(keep) {
    const { answers, chance } = this.bench;
    const key = objects.promptKey(this.object);
    const byHand = chance.stops(this.object);
    const known = key && !byHand ? answers.of(this.object) : null;
    if (!key || byHand) this.answer = null;
    else if (known) this.answer = known;
    answers.dropOthers(this.object);
    if (byHand) chance.tell();
    else if (key && !known) this.ask();
    this.paint();
    if (keep) this.bench.keepDraft();
    this.bench.showPrompts();
    this.bench.emitter.changed("object", "candidates");
  }

  paint() {
    const { stage, answers } = this.bench;
    if (objects.isEmpty(this.object)) {
      this.composer.spoil();
      stage.showMask(null);
      return;
    }
    const index = this.chosen;
    const candidate = this.answer ? answers.pixels(this.answer, index) : null;
    if (this.answer && !candidate) {
      this.complete(this.answer, index);
      return;
    }
    if (!this.answer && !this.object.edits.length) {
      this.composer.spoil();
      stage.showMask(null);
      return;
    }
    let dirty = this.composer.compose(candidate, this.object.edits);
    const { stroke } = this.bench.painting;
    if (stroke) {
      this.composer.live(stroke, 0);
      dirty = null;
    }
    if (this.clickAt && this.isCurrent) {
      stage.showMask(this.composer.pixels, null);
      this.bench.probe.painted(this.clickAt);
      this.clickAt = 0;
    } else {
      stage.showMask(this.composer.pixels, dirty);
    }
  }

  async ask() {
    const { answers, timer } = this.bench;
    const object = this.object;
    timer.beginWaiting();
    this.bench.emitter.changed("status");
    try {
      await answers.ask(object);
      if (objects.promptKey(this.object) !== objects.promptKey(object)) return;
      this.bench.hover.stop();
      this.setProblem(null);
      this.refresh(true);
      this.completeAll();
    } catch (error) {
      if (error.name === "AbortError" || objects.promptKey(this.object) !== objects.promptKey(object)) return;
      const again = error.passing ?? true;
      this.setProblem(error.message, again);
      this.bench.say(error.message, "error");
      if (again) setTimeout(() => this.retry(object), 2_000);
    } finally {
      timer.endWaiting();
      this.bench.emitter.changed("status", "candidates");
    }
  }

  /** Ask once more for candidates, or for the chosen one's full-size mask, that could not be had. */
  retry(object = this.object) {
    if (object !== this.object || !objects.promptKey(object)) return;
    const { answers } = this.bench;
    if (!answers.of(object)) {
      if (!answers.isAsked(object)) this.refresh(false);
    } else if (!this.isComplete) this.paint();
  }

  /** Fetch the full-size masks of the other candidates once nothing else is going on: clicks come first. */
  completeAll() {
    const { answer } = this;
    clearTimeout(this.later);
    const next = async () => {
      if (answer !== this.answer || !answer || !this.isCurrent) return;
      const index = answer.candidates.findIndex((candidate) => !candidate.rle && candidate.token);
      if (index < 0) return this.bench.keepDraft();
      if (await this.complete(answer, index)) next();
    };
    this.later = setTimeout(next, COMPLETE_AFTER_MS);
  }

  /** @returns {Promise<boolean>} whether the candidate is complete now */
  async complete(answer, index) {
    const chosen = () => answer === this.answer && index === this.chosen;
    try {
      await this.bench.answers.complete(answer, index);
      if (chosen()) this.paint();
      this.bench.emitter.changed("candidates");
      return true;
    } catch (error) {
      if (error.status === 404 && chosen()) {
        // The server no longer knows this candidate: the same prompt brings it back under a new token.
        this.bench.answers.forget(this.object);
        this.refresh(false);
      } else if (chosen() && error.name !== "AbortError") this.bench.say(error.message, "error");
      return false;
    }
  }
}
