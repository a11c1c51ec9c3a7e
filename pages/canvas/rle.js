// COCO's compressed run-length encoding: runs go down the columns, alternate 0 and 1, start with 0, and are
// written as differences to the run two before, in 6-bit characters from "0" (48) on.
// Source: the format of cocoapi, common/maskApi.c (rleToString, rleFrString).

/** @typedef {{size: [number, number], counts: string}} Rle  size is [height, width] */

/**
 * Return the runs written in `counts`.
 * @param {string} counts
 * @returns {number[]}
 */
export function parseCounts(counts) {
  const runs = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more) {
      if (at >= counts.length) throw new Error("RLE counts must end with a whole number, got a cut one");
      const code = counts.charCodeAt(at++) - 48;
      if (code < 0 || code > 63) throw new Error(`RLE counts must hold characters 48 to 111, got ${code + 48}`);
      value |= (code & 31) << shift;
      more = (code & 32) !== 0;
      shift += 5;
      if (!more && code & 16) value |= shift < 32 ? -1 << shift : 0;
    }
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}

/**
 * Return runs as compressed counts.
 * @param {number[]} runs
 */
export function writeCounts(runs) {
  const parts = [];
  for (let i = 0; i < runs.length; i++) {
    let value = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    let more = true;
    while (more) {
      let code = value & 31;
      value >>= 5;
      more = code & 16 ? value !== -1 : value !== 0;
      if (more) code |= 32;
      parts.push(code + 48);
    }
  }
  let text = "";
  for (let i = 0; i < parts.length; i += 8192) text += String.fromCharCode(...parts.slice(i, i + 8192));
  return text;
}

/**
 * Return a mask's pixels, row by row, one byte each (0 or 1).
 * @param {Rle} rle
 * @returns {Uint8Array} length height * width
 */
export function decode(rle) {
  const [height, width] = rle.size;
  const pixels = new Uint8Array(height * width);
  const runs = parseCounts(rle.counts);
  let total = 0;
  for (const run of runs) total += run;
  if (total !== height * width || runs.some((run) => run < 0)) {
    throw new Error(`RLE runs must cover ${height} x ${width} pixels, got ${total}`);
  }
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    if (i & 1) fillRun(pixels, height, width, at, runs[i]);
    at += runs[i];
  }
  return pixels;
}

/** Set `length` pixels from column-major position `start` on. */
function fillRun(pixels, height, width, start, length) {
  let x = Math.floor(start / height);
  let y = start - x * height;
  let left = length;
  while (left > 0) {
    const step = Math.min(left, height - y);
    for (let p = y * width + x, end = p + step * width; p < end; p += width) pixels[p] = 1;
    left -= step;
    x += 1;
    y = 0;
  }
}

/**
 * Return the runs of a mask, column by column.
 * @param {Uint8Array} pixels  row by row, 0 or 1
 * @returns {number[]}
 */
export function runsOf(pixels, height, width) {
  const runs = [];
  let value = 0;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0, p = x; y < height; y++, p += width) {
      if (pixels[p] !== value) {
        runs.push(run);
        run = 0;
        value = pixels[p];
      }
      run += 1;
    }
  }
  runs.push(run);
  return runs;
}

/**
 * Return a mask as compressed RLE.
 * @param {Uint8Array} pixels  row by row, 0 or 1
 * @returns {Rle}
 */
export function encode(pixels, height, width) {
  return { size: [height, width], counts: writeCounts(runsOf(pixels, height, width)) };
}
