// Telling panels that something changed. Panels draw after the frame in which the stage was painted, each once.

export class Emitter {
  constructor() {
    /** @type {Map<string, Set<() => void>>} */
    this.listeners = new Map();
    this.dirty = new Set();
    this.planned = false;
  }

  /** Call `draw` after any of these topics has changed. @param {string[]} topics @param {() => void} draw */
  on(topics, draw) {
    for (const topic of topics) {
      if (!this.listeners.has(topic)) this.listeners.set(topic, new Set());
      this.listeners.get(topic).add(draw);
    }
    draw();
  }

  /** @param {...string} topics */
  changed(...topics) {
    for (const topic of topics) this.dirty.add(topic);
    if (this.planned) return;
    this.planned = true;
    const flush = () => this.flush();
    // A hidden tab gets no frames, but its panels must not stay wrong for ever.
    if (document.hidden) setTimeout(flush, 50);
    else requestAnimationFrame(() => setTimeout(flush, 0));
  }

  flush() {
    this.planned = false;
    const draws = new Set();
    for (const topic of this.dirty) for (const draw of this.listeners.get(topic) ?? []) draws.add(draw);
    this.dirty.clear();
    for (const draw of draws) draw();
  }

  clear() {
    this.listeners.clear();
  }
}
