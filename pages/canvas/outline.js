// The outline of a mask as straight pieces between pixels, in image coordinates: crisp at every zoom.

/** @typedef {import("./raster.js").Box} Box */

/**
 * Return the edges between mask and not-mask, runs of unit edges joined.
 * @param {Uint8Array} pixels
 * @param {Box} box  where the mask's pixels are
 * @returns {{across: Int32Array, down: Int32Array}} across: y, x0, x1 of horizontal pieces; down: x, y0, y1
 */
export function edgesOf(pixels, width, height, box) {
  const across = [];
  const down = [];
  const open = new Int32Array(box.x1 - box.x0 + 1).fill(-1);
  for (let y = box.y0; y <= box.y1; y++) {
    const here = y < box.y1 ? y * width : -1;
    const above = y > box.y0 ? (y - 1) * width : -1;
    pushAcross(across, pixels, here, above, box, y);
    pushDown(down, pixels, here, box, y, open);
  }
  return { across: Int32Array.from(across), down: Int32Array.from(down) };
}

function pushAcross(across, pixels, here, above, box, y) {
  let start = -1;
  for (let x = box.x0; x < box.x1; x++) {
    const a = here < 0 ? 0 : pixels[here + x];
    const b = above < 0 ? 0 : pixels[above + x];
    if (a !== b) {
      if (start < 0) start = x;
    } else if (start >= 0) {
      across.push(y, start, x);
      start = -1;
    }
  }
  if (start >= 0) across.push(y, start, box.x1);
}

function pushDown(down, pixels, here, box, y, open) {
  let left = 0;
  for (let x = box.x0; x <= box.x1; x++) {
    const value = here < 0 || x === box.x1 ? 0 : pixels[here + x];
    const slot = x - box.x0;
    if (value !== left) {
      if (open[slot] < 0) open[slot] = y;
    } else if (open[slot] >= 0) {
      down.push(x, open[slot], y);
      open[slot] = -1;
    }
    left = value;
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
