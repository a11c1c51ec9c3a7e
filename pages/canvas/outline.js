// The outline of a mask as straight pieces between pixels, in image coordinates: crisp at every zoom.

import { runsOf } from "./raster.js";

/** @typedef {import("./raster.js").Box} Box */

/**
 * Return the edges between mask and not-mask, runs of unit edges joined. The work grows with the mask's runs, not with
 * its pixels.
 * @param {Uint8Array} pixels
 * @param {Box} box  where the mask's pixels are
 * @returns {{across: Int32Array, down: Int32Array}} across: y, x0, x1 of horizontal pieces; down: x, y0, y1
 */
export function edgesOf(pixels, width, height, box) {
  const runs = runsOf(pixels, width, box);
  const across = [];
  const down = [];
  const begun = new Int32Array(width + 1);
  let above = [];
  for (let y = box.y0, at = 0; y <= box.y1; y++) {
    const here = [];
    for (; at < runs.length && runs[at] === y; at += 3) here.push(runs[at + 1], runs[at + 2]);
    pushBetween(above, here, y, across, down, begun);
    above = here;
  }
  return { across: Int32Array.from(across), down: Int32Array.from(down) };
}

/**
 * Walk along two rows at once, given as the places where each begins or ends a run. Between an odd number of such
 * places the rows differ; a place of both carries an edge down, one of the row above ends it, one of this row begins it.
 */
function pushBetween(above, here, y, across, down, begun) {
  let start = -1;
  for (let i = 0, j = 0; i < above.length || j < here.length; ) {
    const a = i < above.length ? above[i] : Infinity;
    const b = j < here.length ? here[j] : Infinity;
    if (a === b) {
      i++;
      j++;
      continue;
    }
    const x = Math.min(a, b);
    if (a < b) {
      i++;
      down.push(x, begun[x], y);
    } else {
      j++;
      begun[x] = y;
    }
    if (start < 0) start = x;
    else {
      across.push(y, start, x);
      start = -1;
    }
  }
}

/**
 * Paint the edges as bars of `thick` pixels into a picture's memory. A ragged mask has tens of thousands of edges: as
 * canvas paths they would hold the frame up for a third of a second.
 * @param {{width: number, height: number, out: Uint32Array}} picture
 * @param {{across: Int32Array, down: Int32Array}} edges
 * @param {{scale: number, x: number, y: number}} view  in the picture's own pixels
 * @param {number} colour  as picture memory holds it
 */
export function paintEdges(picture, { across, down }, view, thick, colour) {
  const half = thick / 2;
  for (let i = 0; i < across.length; i += 3) {
    const y = Math.round(across[i] * view.scale + view.y - half);
    const x0 = Math.round(across[i + 1] * view.scale + view.x - half);
    const x1 = Math.round(across[i + 2] * view.scale + view.x + half);
    bar(picture, x0, y, x1, y + thick, colour);
  }
  for (let i = 0; i < down.length; i += 3) {
    const x = Math.round(down[i] * view.scale + view.x - half);
    const y0 = Math.round(down[i + 1] * view.scale + view.y - half);
    const y1 = Math.round(down[i + 2] * view.scale + view.y + half);
    bar(picture, x, y0, x + thick, y1, colour);
  }
}

function bar({ width, height, out }, x0, y0, x1, y1, colour) {
  const left = Math.max(0, x0);
  const right = Math.min(width, x1);
  if (left >= right) return;
  for (let y = Math.max(0, y0); y < Math.min(height, y1); y++) {
    for (let p = y * width + left, end = y * width + right; p < end; p++) out[p] = colour;
  }
}
