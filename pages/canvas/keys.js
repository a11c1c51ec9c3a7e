// One table of everything a key can do. The help dialog, the tooltips and the key listener all read it.

/**
 * @typedef {{id: string, title: string, group: string, keys: string[], hold?: boolean, repeat?: boolean}} Action
 *   keys: "Enter", "b", "Ctrl+z", "Shift+ArrowUp" ...; hold: works while held; repeat: again while the key stays down
 */

/** @type {readonly Action[]} */
export const ACTIONS = Object.freeze([
  act("accept", "Accept the mask", "Object", ["Enter"]),
  act("skip", "Skip the object: too hard", "Object", ["s"]),
  act("takeBack", "Take the last skip back", "Object", ["t"]),
  act("clear", "Clear the object", "Object", ["Escape"]),
  act("choose1", "Candidate 1", "Object", ["1"]),
  act("choose2", "Candidate 2", "Object", ["2"]),
  act("choose3", "Candidate 3", "Object", ["3"]),
  act("chooseNext", "Next candidate", "Object", ["Tab"]),
  act("choosePrevious", "Previous candidate", "Object", ["Shift+Tab"]),
  act("undo", "Undo", "Object", ["z", "Ctrl+z"], { repeat: true }),
  act("redo", "Redo", "Object", ["y", "Ctrl+Shift+z", "Ctrl+y"], { repeat: true }),
  act("label", "Label of the object", "Object", ["l"]),
  act("pointTool", "Points and box", "Tools", ["v"]),
  act("brush", "Brush", "Tools", ["b"]),
  act("eraser", "Eraser", "Tools", ["d"]),
  act("smaller", "Smaller brush", "Tools", ["["], { repeat: true }),
  act("larger", "Larger brush", "Tools", ["]"], { repeat: true }),
  act("clean", "Clean islands and holes", "Tools", ["c"]),
  act("background", "Hold: click sets a background point", "Tools", ["x"], { hold: true }),
  act("removePoint", "Remove the point under the pointer, or the selected mask", "Tools", ["Delete", "Backspace"]),
  act("byHand", "Outline by hand", "Tools", ["h"]),
  act("next", "Next image", "Images", ["n"]),
  act("previous", "Previous image", "Images", ["p"]),
  act("guidelines", "Guidelines of the project", "Images", ["m"]),
  act("maskNext", "Select the next accepted mask", "Masks", ["."], { repeat: true }),
  act("maskPrevious", "Select the previous accepted mask", "Masks", [","], { repeat: true }),
  act("edit", "Edit the selected mask", "Masks", ["e"]),
  act("fix", "Fix what the flag says: clean, edit, or delete a duplicate", "Masks", ["g"]),
  act("keep", "Keep the mask as it is", "Masks", ["k"]),
  act("fit", "Fit the image", "View", ["f"]),
  act("actual", "One to one", "View", ["0"]),
  act("zoomIn", "Zoom in", "View", ["=", "+"], { repeat: true }),
  act("zoomOut", "Zoom out", "View", ["-"], { repeat: true }),
  act("pan", "Hold: drag moves the view", "View", ["Space"], { hold: true }),
  act("overlay", "Filled, outline only, hidden", "View", ["o"]),
  act("sideBySide", "Image beside image with mask", "View", ["i"]),
  act("settings", "View settings", "View", ["w"]),
  act("help", "All keys", "View", ["?"]),
  act("left", "Crosshair left", "Without a mouse", ["ArrowLeft"], { repeat: true }),
  act("right", "Crosshair right", "Without a mouse", ["ArrowRight"], { repeat: true }),
  act("up", "Crosshair up", "Without a mouse", ["ArrowUp"], { repeat: true }),
  act("down", "Crosshair down", "Without a mouse", ["ArrowDown"], { repeat: true }),
  act("leftFast", "Crosshair left, fast", "Without a mouse", ["Shift+ArrowLeft"], { repeat: true }),
  act("rightFast", "Crosshair right, fast", "Without a mouse", ["Shift+ArrowRight"], { repeat: true }),
  act("upFast", "Crosshair up, fast", "Without a mouse", ["Shift+ArrowUp"], { repeat: true }),
  act("downFast", "Crosshair down, fast", "Without a mouse", ["Shift+ArrowDown"], { repeat: true }),
  act("placeForeground", "Foreground point here; with brush or eraser: paint here", "Without a mouse", ["a"]),
  act("placeBackground", "Background point here", "Without a mouse", ["q"]),
  act("placeCorner", "Corner of a box here", "Without a mouse", ["u"]),
  act("paintTo", "Brush or eraser: paint a line to here", "Without a mouse", ["Shift+a"]),
]);

function act(id, title, group, keys, { hold = false, repeat = false } = {}) {
  return Object.freeze({ id, title, group, keys: Object.freeze(keys), hold, repeat });
}

const NAMES = { " ": "Space", Esc: "Escape", Del: "Delete" };
const SHOWN = {
  Escape: "Esc",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Delete: "Del",
  Enter: "Enter",
};

/**
 * Name what was pressed, with Ctrl for the command key too. Shift is named only with letters and named keys: "?"
 * and "+" are keys of their own, wherever they lie.
 * @param {{key: string, code?: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, shiftKey: boolean}} event
 */
export function nameOf(event) {
  let key = NAMES[event.key] ?? event.key;
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const ctrl = event.ctrlKey || event.metaKey;
  if (letter) key = key.toLowerCase();
  // On a Cyrillic or Greek keyboard the place of the key counts, not the letter on it.
  if (letter && key > "\x7f" && /^Key[A-Z]$/.test(event.code ?? "")) key = event.code[3].toLowerCase();
  const shift = event.shiftKey && (letter || key.length > 1);
  return `${ctrl ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/** How a key is written for people. @param {string} name */
export function shownKey(name) {
  const parts = name === "+" ? ["+"] : name.split("+").filter(Boolean);
  if (name.endsWith("++")) parts.push("+");
  return parts.map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join("+");
}

export class Keys {
  /** @param {Record<string, string[]>} changes  the person's own keys by action */
  constructor(changes = {}) {
    this.load(changes);
  }

  /** Take over a person's own keys; what no longer makes sense is left out. */
  load(changes) {
    /** @type {Map<string, string[]>} */
    this.keysOf = new Map(ACTIONS.map((action) => [action.id, [...action.keys]]));
    for (const [id, keys] of Object.entries(changes ?? {})) {
      if (!this.keysOf.has(id) || !Array.isArray(keys)) continue;
      this.keysOf.set(id, keys.filter((key) => typeof key === "string").slice(0, 4));
    }
    this.index();
  }

  index() {
    this.actionOf = new Map();
    for (const [id, keys] of this.keysOf) {
      for (const key of keys) if (!this.actionOf.has(key)) this.actionOf.set(key, id);
    }
  }

  /** @returns {Action | null} what this key does */
  find(event) {
    const id = this.actionOf.get(nameOf(event));
    return ACTIONS.find((action) => action.id === id) ?? null;
  }

  /** The first key of an action, as people read it; empty when it has none. */
  shown(id) {
    const key = this.keysOf.get(id)?.[0];
    return key ? shownKey(key) : "";
  }

  /** A tooltip: what it does and its key. */
  tip(id, title = ACTIONS.find((action) => action.id === id)?.title ?? id) {
    const key = this.shown(id);
    return key ? `${title} (${key})` : title;
  }

  /**
   * Give an action another key.
   * @returns {string | null} one sentence when that cannot be
   */
  assign(id, key) {
    const holder = this.actionOf.get(key);
    if (holder && holder !== id) {
      const title = ACTIONS.find((action) => action.id === holder)?.title ?? holder;
      return `${shownKey(key)} is taken by “${title}”; give that another key first.`;
    }
    if (["Shift", "Control", "Alt", "Meta", "CapsLock", "Dead"].some((name) => key.endsWith(name))) {
      return "A key must be more than Shift, Ctrl or Alt alone.";
    }
    this.keysOf.set(id, [key]);
    this.index();
    return null;
  }

  /** Give all actions their first keys back. */
  reset() {
    this.load({});
  }

  /** What differs from the defaults, for the preferences. */
  changes() {
    const changes = {};
    for (const action of ACTIONS) {
      const keys = this.keysOf.get(action.id);
      if (keys.join(" ") !== action.keys.join(" ")) changes[action.id] = keys;
    }
    return changes;
  }
}
