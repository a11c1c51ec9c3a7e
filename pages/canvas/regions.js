// Islands and holes: connected regions of a mask, found by joining runs of equal pixels row after row.

import { NOTHING, boundsOf, grow, isNothing } from "./raster.js";

/**
 * Return the connected regions of all pixels equal to `value` within `box`.
 * @param {Uint8Array} pixels
 * @param {0 | 1} value
 * @param {boolean} diagonal  whether pixels that touch at a corner belong together
 * @returns {{runs: Int32Array, regionOf: Int32Array, areas: number[], edge: boolean[]}}
 *   runs: start, end, start, end ... (positions in `pixels`); regionOf: region of each run; edge: touches the box's rim
 */
export function regionsOf(pixels, width, box, value, diagonal) {
  const runs = [];
  const rows = [];
  for (let y = box.y0; y < box.y1; y++) {
    rows.push(runs.length / 2);
    pushRuns(runs, pixels, y * width + box.x0, y * width + box.x1, value);
  }
  rows.push(runs.length / 2);
  const parent = Int32Array.from({ length: runs.length / 2 }, (_, i) => i);
  for (let row = 1; row < rows.length - 1; row++) joinRows(runs, rows, row, width, parent, diagonal ? 1 : 0);
  return measure(runs, rows, width, box, parent);
}

function pushRuns(runs, pixels, start, end, value) {
  let p = start;
  while (p < end) {
    while (p < end && pixels[p] !== value) p++;
    if (p >= end) return;
    const first = p;
    while (p < end && pixels[p] === value) p++;
    runs.push(first, p);
  }
}

/** Join each run of a row with the runs of the row above that it touches. */
function joinRows(runs, rows, row, width, parent, reach) {
  let above = rows[row - 1];
  for (let i = rows[row]; i < rows[row + 1]; i++) {
    const start = runs[2 * i] - width - reach;
    const end = runs[2 * i + 1] - width + reach;
    while (above < rows[row] && runs[2 * above + 1] <= start) above++;
    for (let j = above; j < rows[row] && runs[2 * j] < end; j++) {
      const a = rootOf(parent, i);
      const b = rootOf(parent, j);
      if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
    }
  }
}

function rootOf(parent, i) {
  while (parent[i] !== i) {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}

function measure(runs, rows, width, box, parent) {
  const regionOf = new Int32Array(parent.length).fill(-1);
  const areas = [];
  const edge = [];
  let row = 0;
  for (let i = 0; i < parent.length; i++) {
    while (i >= rows[row + 1]) row++;
    const root = rootOf(parent, i);
    if (regionOf[root] < 0) {
      regionOf[root] = areas.length;
      areas.push(0);
      edge.push(false);
    }
    const region = (regionOf[i] = regionOf[root]);
    areas[region] += runs[2 * i + 1] - runs[2 * i];
    const x0 = runs[2 * i] % width;
    const x1 = ((runs[2 * i + 1] - 1) % width) + 1;
    if (row === 0 || row === rows.length - 2 || x0 === box.x0 || x1 === box.x1) edge[region] = true;
  }
  return { runs: Int32Array.from(runs), regionOf, areas, edge };
}

/**
 * Remove islands and fill holes in place: all islands but the largest one, and all holes, that have fewer than
 * `below` pixels.
 * @param {Uint8Array} pixels
 * @param {{below: number, islands?: boolean, holes?: boolean}} what  below: Infinity takes them all
 * @returns {{box: import("./raster.js").Box, islands: number, holes: number}} what changed, and how many went
 */
export function clean(pixels, width, height, { below, islands = true, holes = true }) {
  const bounds = boundsOf(pixels, width, height);
  if (isNothing(bounds)) return { box: NOTHING, islands: 0, holes: 0 };
  let removed = 0;
  let filled = 0;
  if (islands) {
    const found = regionsOf(pixels, width, bounds, 1, true);
    const largest = found.areas.indexOf(found.areas.reduce((a, b) => Math.max(a, b), 0));
    removed = fill(pixels, found, 0, (region) => region !== largest && found.areas[region] < below);
  }
  if (holes) {
    // One pixel of margin: what surrounds the mask is then one region that touches the rim, or the image's.
    const found = regionsOf(pixels, width, grow(bounds, 1, width, height), 0, false);
    filled = fill(pixels, found, 1, (region) => !found.edge[region] && found.areas[region] < below);
  }
  return { box: removed || filled ? bounds : NOTHING, islands: removed, holes: filled };
}

function fill(pixels, found, value, wanted) {
  const goes = found.areas.map((_, region) => wanted(region));
  for (let i = 0; i < found.regionOf.length; i++) {
    if (goes[found.regionOf[i]]) pixels.fill(value, found.runs[2 * i], found.runs[2 * i + 1]);
  }
  return goes.filter(Boolean).length;
}
