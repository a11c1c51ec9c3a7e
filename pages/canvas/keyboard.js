// The keyboard: finds the action of a key in the table and does it. Listens on the window before everybody else, so that
// Streamlit's own shortcuts (C, R) stay quiet while the workbench is on the page.

const TYPING = "input, textarea, select, [contenteditable=''], [contenteditable='true']";
const NATIVE = new Set(["Enter", " ", "Tab", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

export class Keyboard {
  /**
   * @param {import("./bench.js").Bench} bench
   * @param {Record<string, (event?: KeyboardEvent) => void>} commands  what each action does
   * @param {Set<string>} held  ids of actions whose key is down
   */
  constructor(bench, commands, held) {
    this.bench = bench;
    this.commands = commands;
    this.held = held;
    /** where the key of each held action lies: what is on it can change while it is down @type {Map<string, string>} */
    this.codes = new Map();
    this.stop = new AbortController();
    const options = { capture: true, signal: this.stop.signal };
    window.addEventListener("keydown", (event) => this.down(event), options);
    window.addEventListener("keyup", (event) => this.up(event), options);
    window.addEventListener("blur", () => this.release(), options);
  }

  close() {
    this.stop.abort();
  }

  /** @param {KeyboardEvent} event */
  down(event) {
    if (!this.isOurs(event)) return;
    const action = this.bench.keys.find(event);
    if (!action) {
      // Streamlit reruns the page on R and clears its cache on C; neither is meant here.
      if (/^[rc]$/i.test(event.key) && !event.ctrlKey && !event.metaKey) event.stopImmediatePropagation();
      return;
    }
    if (this.leavesNative(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.repeat && !action.repeat) return;
    this.bench.timer.touch(this.bench.tool === "point" ? "prompting" : "painting");
    if (action.hold) {
      this.held.add(action.id);
      this.codes.set(action.id, event.code);
      this.bench.stage.root.classList.toggle(`held-${action.id}`, true);
    } else {
      this.commands[action.id]?.(event);
    }
  }

  up(event) {
    // A Mac tells of no key that comes up while Cmd is down.
    if (event.key === "Meta") return this.release();
    for (const id of [...this.held]) if (this.codes.get(id) === event.code) this.let(id);
    return undefined;
  }

  release() {
    for (const id of [...this.held]) this.let(id);
  }

  let(id) {
    this.held.delete(id);
    this.bench.stage.root.classList.toggle(`held-${id}`, false);
  }

  /** Typing, dialogs, and keys pressed elsewhere on the page are not ours. */
  isOurs(event) {
    if (this.bench.dialog?.open || event.isComposing) return false;
    const target = event.composedPath()[0];
    if (!(target instanceof Element)) return true;
    if (target.matches(TYPING) && target.type !== "range" && target.type !== "checkbox") return false;
    return !target.closest("[role=dialog], [role=menu], [role=listbox]");
  }

  /** A control that has the focus keeps the keys by which it is used. */
  leavesNative(event) {
    const target = event.composedPath()[0];
    // Tab goes through candidates while there are some, and else through the page as everywhere.
    if (event.key === "Tab" && (this.bench.showing.answer?.candidates.length ?? 0) < 2) return true;
    if (!(target instanceof Element) || event.ctrlKey || event.metaKey) return false;
    if (target === this.bench.stage.root || target === document.body) return false;
    return NATIVE.has(event.key) && target.matches("button, a, input, select, summary");
  }
}
