// One pane of the stage: the photo with its layers, outlines drawn in screen pixels, and markers as elements.

import { paintEdges } from "./outline.js";
import { CURRENT, packed } from "./palette.js";
import { el } from "./dom.js";

const DARK = packed([0, 0, 0], 0xbf);
const WHITE = packed([255, 255, 255], 0xff);

export class Pane {
  /** @param {HTMLCanvasElement[]} layers  canvases of the image's size, bottom first */
  constructor(layers) {
    this.photo = el("img", { class: "photo", alt: "", draggable: false });
    this.world = el("div", { class: "world" }, this.photo, ...layers);
    this.lines = el("canvas", { class: "lines" });
    this.markers = el("div", { class: "markers" });
    this.flags = el("div", { class: "markers" });
    this.ring = el("div", { class: "ring", hidden: true });
    this.cross = el("div", { class: "cross", hidden: true });
    this.root = el("div", { class: "pane" }, this.world, this.lines, this.flags, this.markers, this.ring, this.cross);
    this.context = this.lines.getContext("2d");
    this.view = { scale: 1, x: 0, y: 0 };
    /** outline of the object in work, or a function that finds it once it is drawn @type {any} */
    this.edges = null;
    this.selected = null;
    this.showEdges = true;
    this.frame = 0;
  }

  setSize(width, height) {
    this.world.style.width = `${width}px`;
    this.world.style.height = `${height}px`;
  }

  async setPhoto(url) {
    this.photo.removeAttribute("src");
    if (!url) return;
    this.photo.src = url;
    await this.photo.decode();
  }

  setView(view) {
    this.view = view;
    this.world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.world.classList.toggle("crisp", view.scale * (devicePixelRatio || 1) >= 2);
    this.placeMarkers();
    this.draw();
  }

  /** @param {number} clientX */
  covers(clientX) {
    const rect = this.root.getBoundingClientRect();
    return clientX >= rect.left && clientX < rect.right;
  }

  /** Draw the outlines in the next frame; several wishes make one drawing. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.root.clientWidth * ratio);
    const height = Math.round(this.root.clientHeight * ratio);
    if (this.lines.width !== width || this.lines.height !== height) {
      this.lines.width = width;
      this.lines.height = height;
      this.drawn = false;
    }
    if (typeof this.edges === "function") this.edges = this.edges();
    const lines = [this.selected && [this.selected, WHITE], this.edges && this.showEdges && [this.edges, packed(CURRENT, 0xff)]];
    this.outline(lines.filter(Boolean), ratio);
  }

  /** Draw outlines, dark on both sides, in place of those drawn before. @param {[any, number][]} lines edges, colour */
  outline(lines, ratio) {
    const { width, height } = this.lines;
    if (!lines.length || !width || !height) {
      if (this.drawn) this.context.clearRect(0, 0, width, height);
      this.drawn = false;
      return;
    }
    const image = this.context.createImageData(width, height);
    const picture = { width, height, out: new Uint32Array(image.data.buffer) };
    const view = { scale: this.view.scale * ratio, x: this.view.x * ratio, y: this.view.y * ratio };
    const thin = Math.max(1, Math.round(1.25 * ratio));
    for (const [edges, colour] of lines) {
      paintEdges(picture, edges, view, thin + 2, DARK);
      paintEdges(picture, edges, view, thin, colour);
    }
    this.context.putImageData(image, 0, 0);
    this.drawn = true;
  }

  /**
   * Show prompts as elements.
   * @param {readonly import("./object.js").Point[]} points
   * @param {{x0: number, y0: number, x1: number, y1: number} | null} box
   * @param {number} hovered  index of the point under the pointer, -1 for none
   */
  showPrompts(points, box, hovered) {
    const marks = points.map((point, i) =>
      el(
        "div",
        {
          class: `point ${point.label ? "foreground" : "background"}${i === hovered ? " hovered" : ""}`,
          role: "img",
          "aria-label": `${point.label ? "Foreground" : "Background"} point at ${Math.round(point.x)}, ${Math.round(point.y)}`,
          "data-x": point.x,
          "data-y": point.y,
        },
        point.label ? "+" : "−",
      ),
    );
    if (box) marks.unshift(el("div", { class: "box", role: "img", "aria-label": "Box" }));
    this.box = box;
    this.markers.replaceChildren(...marks);
    this.placeMarkers();
  }

  /** Frame what open flags speak of: a stray pixel is found at any zoom. @param {number[][]} boxes  x, y, width, height */
  showFlags(boxes) {
    const name = JSON.stringify(boxes);
    if (name === this.flagged) return;
    this.flagged = name;
    this.flags.replaceChildren(...boxes.map((box) => el("div", { class: "flag-box", "data-box": JSON.stringify(box) })));
    this.placeMarkers();
  }

  placeMarkers() {
    const { scale, x, y } = this.view;
    for (const mark of this.flags.children) {
      const [left, top, width, height] = JSON.parse(mark.dataset.box);
      mark.style.transform = `translate(${left * scale + x - 5}px, ${top * scale + y - 5}px)`;
      mark.style.width = `${width * scale + 10}px`;
      mark.style.height = `${height * scale + 10}px`;
    }
    for (const mark of this.markers.children) {
      if (mark.classList.contains("box")) {
        const { x0, y0, x1, y1 } = this.box;
        mark.style.transform = `translate(${Math.min(x0, x1) * scale + x}px, ${Math.min(y0, y1) * scale + y}px)`;
        mark.style.width = `${Math.abs(x1 - x0) * scale}px`;
        mark.style.height = `${Math.abs(y1 - y0) * scale}px`;
      } else {
        mark.style.transform = `translate(${mark.dataset.x * scale + x}px, ${mark.dataset.y * scale + y}px)`;
      }
    }
  }

  /** Show the brush's footprint, or hide it. @param {{x: number, y: number, size: number, kind: string} | null} at */
  showRing(at) {
    this.ring.hidden = !at;
    if (!at) return;
    const side = at.size * this.view.scale;
    const left = (at.x - at.size / 2) * this.view.scale + this.view.x;
    const top = (at.y - at.size / 2) * this.view.scale + this.view.y;
    this.ring.className = `ring ${at.kind}${at.size === 1 ? " square" : ""}`;
    this.ring.style.width = this.ring.style.height = `${side}px`;
    this.ring.style.transform = `translate(${left}px, ${top}px)`;
  }

  /** Show the keyboard's crosshair, or hide it. @param {{x: number, y: number} | null} at */
  showCross(at) {
    this.cross.hidden = !at;
    if (!at) return;
    const { scale, x, y } = this.view;
    this.cross.style.transform = `translate(${at.x * scale + x}px, ${at.y * scale + y}px)`;
  }
}
