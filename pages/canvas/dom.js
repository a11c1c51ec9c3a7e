// Making elements. Text goes in as text, never as markup: names, labels and messages come from strangers.

/**
 * @param {string} tag
 * @param {Record<string, any>} props  on*: listener; class, data-*, aria-*, role ...: attribute; else property
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {any}
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") element.style.cssText = value;
  else if (name in element && !name.includes("-") && name !== "class" && name !== "role" && name !== "list") element[name] = value;
  else element.setAttribute(name, value);
}

/** A button that leaves the keyboard focus where it is when pressed with a pointer. */
export function button(props, ...children) {
  const made = el("button", { type: "button", ...props }, ...children);
  made.addEventListener("pointerdown", (event) => event.preventDefault());
  made.addEventListener("mousedown", (event) => event.preventDefault());
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of 20 x 20 from one path. @param {string} path */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** Seconds as people read them. @param {number} ms */
export function seconds(ms) {
  return ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** A count of pixels as people read it. @param {number} area */
export function pixels(area) {
  return area >= 10_000 ? `${Math.round(area / 1000)}k px` : `${area} px`;
}

/** A number with its word: "1 point", "3 points". */
export function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}
