// Colours that colour-blind people tell apart. The object in work has one that no accepted mask ever gets.
// Source: Okabe and Ito, "Color Universal Design", 2008; Paul Tol's bright scheme, "Colour Schemes", SRON 2021.

/** @typedef {[number, number, number]} Rgb */

export const CURRENT = /** @type {Rgb} */ ([0x22, 0xc7, 0xff]);
export const PREVIEW = /** @type {Rgb} */ ([0x9b, 0xe4, 0xff]);

/** @type {Record<string, {title: string, colours: Rgb[]}>} */
export const PALETTES = {
  okabe: {
    title: "Okabe–Ito",
    colours: [
      [0xe6, 0x9f, 0x00],
      [0x00, 0x9e, 0x73],
      [0xf0, 0xe4, 0x42],
      [0xd5, 0x5e, 0x00],
      [0xcc, 0x79, 0xa7],
      [0x00, 0x72, 0xb2],
    ],
  },
  tol: {
    title: "Tol bright",
    colours: [
      [0xee, 0x66, 0x77],
      [0x22, 0x88, 0x33],
      [0xcc, 0xbb, 0x44],
      [0xaa, 0x33, 0x77],
      [0x44, 0x77, 0xaa],
      [0xbb, 0xbb, 0xbb],
    ],
  },
  single: { title: "One colour", colours: [[0xf0, 0xb4, 0x29]] },
};

/** @param {string} palette @param {number} index @returns {Rgb} */
export function colourOf(palette, index) {
  const { colours } = PALETTES[palette] ?? PALETTES.okabe;
  return colours[index % colours.length];
}

/** @param {Rgb} rgb */
export function css([r, g, b], alpha = 1) {
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}

/** The pixel as canvas memory holds it (little-endian RGBA). @param {Rgb} rgb @param {number} alpha 0 to 255 */
export function packed([r, g, b], alpha) {
  return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
