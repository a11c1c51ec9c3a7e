// The stage: photo, masks and prompts in one view, or two panes side by side that share it.

import { AcceptedLayer, MaskLayer, PreviewLayer } from "./layers.js";
import { Pane } from "./pane.js";
import { NOTHING, boundsOf, join } from "./raster.js";
import { decode } from "./rle.js";
import { PREVIEW } from "./palette.js";
import { edgesOf } from "./outline.js";
import { fit, keepInSight, panBy, scaleTo, zoomAbout } from "./viewport.js";
import { el } from "./dom.js";

export class Stage {
  constructor() {
    this.mask = new MaskLayer();
    this.accepted = new AcceptedLayer();
    this.preview = new PreviewLayer();
    this.main = new Pane([this.accepted.canvas, this.mask.canvas, this.preview.canvas]);
    this.plain = new Pane([]);
    this.plain.root.hidden = true;
    this.root = el(
      "div",
      { class: "stage", tabIndex: 0, role: "application", "aria-label": "Photo with masks. Press ? for all keys." },
      this.plain.root,
      this.main.root,
    );
    this.width = 1;
    this.height = 1;
    this.view = { scale: 1, x: 0, y: 0 };
    this.fitted = true;
    this.beside = false;
    /** the pane in which a gesture began: until it ends, places are that pane's @type {Pane | null} */
    this.gripped = null;
    this.bounds = NOTHING;
    this.mode = "fill";
    this.onView = () => {};
    this.resize = new ResizeObserver(() => this.resized());
    this.resize.observe(this.main.root);
  }

  /** Show a photo; resolves when it is decoded. */
  async open(url, width, height) {
    this.width = width;
    this.height = height;
    this.mask.reset(width, height);
    this.accepted.reset(width, height);
    this.preview.show(null);
    this.bounds = NOTHING;
    this.main.edges = this.main.selected = null;
    for (const pane of this.panes) pane.setSize(width, height);
    this.fit();
    await Promise.all(this.panes.map((pane) => pane.setPhoto(url)));
  }

  /** Show no photo. */
  blank() {
    for (const pane of this.panes) pane.setPhoto(null);
  }

  get panes() {
    return [this.main, this.plain];
  }

  /** Size of one pane in CSS pixels. */
  get size() {
    return [this.main.root.clientWidth || 1, this.main.root.clientHeight || 1];
  }

  setView(view, fitted = false) {
    this.view = keepInSight(view, this.width, this.height, ...this.size);
    this.fitted = fitted;
    for (const pane of this.panes) pane.setView(this.view);
    this.onView();
  }

  fit() {
    this.setView(fit(this.width, this.height, ...this.size), true);
  }

  /** One image pixel on one pixel of the screen. */
  actual() {
    this.setView(scaleTo(this.view, 1 / (devicePixelRatio || 1), ...this.size));
  }

  /** Zoom about a place of the stage, by default its middle. */
  zoom(factor, x = this.size[0] / 2, y = this.size[1] / 2) {
    this.setView(zoomAbout(this.view, factor, x, y));
  }

  pan(dx, dy) {
    this.setView(panBy(this.view, dx, dy));
  }

  resized() {
    if (this.fitted) this.fit();
    else this.setView(this.view);
  }

  setBeside(on) {
    this.beside = on;
    this.gripped = null;
    this.plain.root.hidden = !on;
    this.root.classList.toggle("beside", on);
    this.resized();
  }

  /** "fill": fill and outline; "outline"; "hidden". Accepted masks follow. */
  setMode(mode) {
    this.mode = mode;
    this.root.dataset.overlay = mode;
    this.main.showEdges = mode !== "hidden";
    this.main.draw();
  }

  setLook({ opacity, brightness, contrast }) {
    this.root.style.setProperty("--ms-opacity", String(opacity));
    // A filter that changes nothing still costs the compositor a pass over the photo in every frame.
    const neutral = brightness === 1 && contrast === 1;
    this.root.style.setProperty("--ms-photo", neutral ? "none" : `brightness(${brightness}) contrast(${contrast})`);
  }

  /**
   * Show the mask of the object in work, or none.
   * @param {Uint8Array | null} pixels
   * @param {import("./raster.js").Box | null} dirty  what changed; null: everything
   */
  showMask(pixels, dirty = null) {
    // While a stroke is being painted the old bounds and the stroke's are enough; exact ones cost a whole scan.
    if (dirty && pixels) this.bounds = join(this.bounds, dirty);
    else this.bounds = pixels ? boundsOf(pixels, this.width, this.height) : NOTHING;
    const bounds = this.bounds;
    this.mask.paint(pixels, bounds, dirty);
    this.main.edges = pixels ? () => edgesOf(pixels, this.width, this.height, bounds) : null;
    this.main.draw();
  }

  /** Show accepted masks; the selected one gets an outline. */
  showAccepted(masks, palette, selected) {
    this.accepted.show(masks, palette);
    if (this.selectedRle === selected?.rle) return;
    this.selectedRle = selected?.rle;
    this.main.selected = null;
    if (selected) {
      const pixels = decode(selected.rle);
      this.main.selected = edgesOf(pixels, this.width, this.height, boundsOf(pixels, this.width, this.height));
    }
    this.main.draw();
  }

  showPreview(candidate, rgb = PREVIEW) {
    this.preview.show(candidate?.coarse ?? null, decode, rgb);
  }

  /** @param {number} clientX */
  paneAt(clientX) {
    return this.beside && this.plain.covers(clientX) ? this.plain : this.main;
  }

  /** Where a pointer is, in image coordinates. @returns {{x: number, y: number, stageX: number, stageY: number, inside: boolean}} */
  locate(clientX, clientY) {
    const pane = this.gripped ?? this.paneAt(clientX);
    const rect = pane.root.getBoundingClientRect();
    const stageX = clientX - rect.left - pane.root.clientLeft;
    const stageY = clientY - rect.top - pane.root.clientTop;
    const x = (stageX - this.view.x) / this.view.scale;
    const y = (stageY - this.view.y) / this.view.scale;
    return { x, y, stageX, stageY, inside: x >= 0 && y >= 0 && x < this.width && y < this.height };
  }

  close() {
    this.resize.disconnect();
  }
}
