// What the annotator has chosen about the look and the keys: at once in this browser, and on the server per person.

export const DEFAULTS = Object.freeze({
  opacity: 0.8,
  overlay: "fill",
  palette: "okabe",
  brightness: 1,
  contrast: 1,
  beside: false,
  brushSize: 24,
  panelOpen: false,
  keys: {},
});

const KEY = "masksmith.preferences";

export class Preferences {
  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.values = { ...DEFAULTS, ...read() };
    this.timer = 0;
    this.unsent = false;
  }

  /** Take the server's values, unless newer ones wait here to be sent. @param {any} sent */
  load(sent) {
    if (this.unsent || !sent || typeof sent !== "object") return;
    for (const name of Object.keys(DEFAULTS)) {
      if (typeof sent[name] === typeof DEFAULTS[name]) this.values[name] = sent[name];
    }
    this.keepHere();
  }

  get(name) {
    return this.values[name];
  }

  /** @param {Partial<typeof DEFAULTS>} changes */
  set(changes) {
    Object.assign(this.values, changes);
    this.unsent = true;
    this.keepHere();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), 800);
  }

  keepHere() {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.values));
    } catch {
      // Preferences are worth no room that saved masks need.
    }
  }

  async send() {
    try {
      await this.api.send("PUT", "/preferences", this.values);
      this.unsent = false;
    } catch {
      // Sent again with the next change; this browser keeps them meanwhile.
    }
  }
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return Object.fromEntries(Object.entries(kept).filter(([name, value]) => typeof value === typeof DEFAULTS[name]));
  } catch {
    return {};
  }
}
