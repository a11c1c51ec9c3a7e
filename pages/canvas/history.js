// Undo and redo: a line of steps and how far along it we are. Knows nothing of what a step means.

/**
 * @template T
 */
export class History {
  /** @param {number} limit  how many steps are kept; the oldest go first */
  constructor(limit = 500) {
    this.limit = limit;
    /** @type {T[]} */
    this.steps = [];
    this.at = 0;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.steps.length;
  }

  /** Add a step that has just been done; what had been undone is gone. @param {T} step */
  push(step) {
    this.steps.length = this.at;
    this.steps.push(step);
    if (this.steps.length > this.limit) this.steps.shift();
    this.at = this.steps.length;
  }

  /** Return the step to be taken back, or null. @returns {T | null} */
  undo() {
    return this.canUndo ? this.steps[--this.at] : null;
  }

  /** Return the step to be done again, or null. @returns {T | null} */
  redo() {
    return this.canRedo ? this.steps[this.at++] : null;
  }

  /** The step an undo would take back, or null. @returns {T | null} */
  peek() {
    return this.canUndo ? this.steps[this.at - 1] : null;
  }

  /** Put a changed step in the place of the last one (an action that is still going on). @param {T} step */
  amend(step) {
    if (!this.canUndo) throw new Error("history must have a step to amend, it has none");
    this.steps.length = this.at;
    this.steps[this.at - 1] = step;
  }
}
