// Brush and eraser on a mask's pixels. A stroke is its path and its size; the same path always sets the same
// pixels, whether painted piece by piece under the hand or replayed at once.

/**
 * @typedef {{x0: number, y0: number, x1: number, y1: number}} Box  x1, y1 are exclusive
 * @typedef {{kind: "brush" | "eraser", size: number, path: number[], at: number}} Stroke
 *   size: diameter in image pixels; path: x, y, x, y ... already snapped
 */

/**
 * Return where a round brush of this diameter stands: odd sizes on a pixel's centre, even ones on a corner, so
 * that its footprint is the same everywhere and size 1 is exactly the pixel under the pointer.
 * @param {number} size  diameter in whole image pixels
 */
export function snap(size, x, y) {
  return size % 2 ? [Math.floor(x) + 0.5, Math.floor(y) + 0.5] : [Math.round(x), Math.round(y)];
}

/**
 * Set every pixel whose centre is within size / 2 of the segment.
 * @param {Uint8Array} pixels  row by row
 * @param {0 | 1} value
 * @returns {Box} what may have changed
 */
export function stampSegment(pixels, width, height, size, ax, ay, bx, by, value) {
  const r = size / 2;
  const box = clip(Math.min(ax, bx) - r, Math.min(ay, by) - r, Math.max(ax, bx) + r, Math.max(ay, by) + r, width, height);
  const dx = bx - ax;
  const dy = by - ay;
  const length2 = dx * dx + dy * dy;
  const r2 = r * r + 1e-9;
  for (let y = box.y0; y < box.y1; y++) {
    const py = y + 0.5 - ay;
    for (let x = box.x0, p = y * width + box.x0; x < box.x1; x++, p++) {
      const px = x + 0.5 - ax;
      let t = length2 === 0 ? 0 : (px * dx + py * dy) / length2;
      t = t < 0 ? 0 : t > 1 ? 1 : t;
      const ex = px - t * dx;
      const ey = py - t * dy;
      if (ex * ex + ey * ey <= r2) pixels[p] = value;
    }
  }
  return box;
}

/**
 * Paint a stroke's path from its point `from` on; 0 paints all of it.
 * @param {Stroke} stroke
 * @returns {Box} what may have changed
 */
export function paintStroke(pixels, width, height, stroke, from = 0) {
  const value = stroke.kind === "brush" ? 1 : 0;
  const { path, size } = stroke;
  let box = NOTHING;
  for (let i = Math.max(0, from - 1) * 2; i + 1 < path.length; i += 2) {
    const last = i + 3 >= path.length;
    if (last && i > 0) break;
    const [bx, by] = last ? [path[i], path[i + 1]] : [path[i + 2], path[i + 3]];
    box = join(box, stampSegment(pixels, width, height, size, path[i], path[i + 1], bx, by, value));
  }
  return box;
}

/** @type {Box} */
export const NOTHING = Object.freeze({ x0: 0, y0: 0, x1: 0, y1: 0 });

/** @param {Box} box */
export function isNothing(box) {
  return box.x1 <= box.x0 || box.y1 <= box.y0;
}

/** The smallest box around both. @param {Box} a @param {Box} b @returns {Box} */
export function join(a, b) {
  if (isNothing(a)) return b;
  if (isNothing(b)) return a;
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

/** Whole pixels within the image. @returns {Box} */
export function clip(x0, y0, x1, y1, width, height) {
  return {
    x0: Math.max(0, Math.floor(x0)),
    y0: Math.max(0, Math.floor(y0)),
    x1: Math.min(width, Math.ceil(x1)),
    y1: Math.min(height, Math.ceil(y1)),
  };
}

/** `box` grown by `by` pixels on every side, within the image. @param {Box} box @returns {Box} */
export function grow(box, by, width, height) {
  return isNothing(box) ? box : clip(box.x0 - by, box.y0 - by, box.x1 + by, box.y1 + by, width, height);
}

/** The smallest box around a mask's pixels. @param {Uint8Array} pixels @returns {Box} */
export function boundsOf(pixels, width, height) {
  let x0 = width;
  let x1 = 0;
  let y0 = height;
  let y1 = 0;
  for (let y = 0; y < height; y++) {
    const start = y * width;
    const first = pixels.indexOf(1, start);
    if (first < 0) break;
    if (first >= start + width) {
      y = Math.floor(first / width) - 1;
      continue;
    }
    const last = pixels.lastIndexOf(1, start + width - 1);
    if (y < y0) y0 = y;
    y1 = y + 1;
    if (first - start < x0) x0 = first - start;
    if (last - start + 1 > x1) x1 = last - start + 1;
  }
  return y1 ? { x0, y0, x1, y1 } : NOTHING;
}

/** How many pixels a mask has. @param {Uint8Array} pixels */
export function areaOf(pixels) {
  let area = 0;
  for (let i = 0; i < pixels.length; i++) area += pixels[i];
  return area;
}

/** IoU of two masks of the same size; 1 for two empty ones. @param {Uint8Array} a @param {Uint8Array} b */
export function iouOf(a, b) {
  let both = 0;
  let any = 0;
  for (let i = 0; i < a.length; i++) {
    both += a[i] & b[i];
    any += a[i] | b[i];
  }
  return any ? both / any : 1;
}

/**
 * Return the runs of a mask within a box, row by row: y, x0, x1 of each.
 * @param {Uint8Array} pixels
 * @param {Box} box
 * @returns {number[]}
 */
export function runsOf(pixels, width, { x0, y0, x1, y1 }) {
  const runs = [];
  const after = (y1 - 1) * width + x1;
  // One pass: each look for the next pixel, set or not, begins where the last one ended, however many rows are empty
  // or full in between.
  let zero = -1;
  for (let p = pixels.indexOf(1, y0 * width + x0); p >= 0 && p < after; ) {
    const y = Math.floor(p / width);
    const row = y * width;
    if (p - row < x0) p = pixels.indexOf(1, row + x0);
    else if (p - row >= x1) p = pixels.indexOf(1, row + width + x0);
    else {
      if (zero < p) zero = pixels.indexOf(0, p);
      if (zero < 0) zero = pixels.length;
      const stop = Math.min(zero, row + x1);
      runs.push(y, p - row, stop - row);
      p = pixels.indexOf(1, stop);
    }
  }
  return runs;
}
