// The project's guidelines: Markdown shown as elements of our own making. Nothing of the text is ever markup to the
// browser: what is not one of the few forms below stays the text it is. Pictures are the project's own, by their names.

import { el } from "./dom.js";

// Bounded, so that no text can make a match try for long.
const INLINE = /(!?)\[([^\]\n]{0,300})\]\(([^)\n]{1,500})\)|\*\*([^*\n]{1,500})\*\*|\*([^*\n]{1,500})\*|`([^`\n]{1,500})`/g;
const ITEM = /^\s{0,3}(?:[-*+]|(\d{1,3})[.)])\s+(.*)$/;
const HEADING = /^(#{1,4})\s+(.*)$/;

/**
 * @param {string} text  Markdown
 * @param {Record<string, string>} pictures  addresses by name
 * @returns {HTMLElement}
 */
export function guidelines(text, pictures) {
  const root = el("article", { class: "guidelines" });
  let open = null;
  const close = () => (open = null);
  const into = (tag) => {
    if (open?.tag !== tag) {
      open = { tag, element: el(tag, {}) };
      root.append(open.element);
    }
    return open.element;
  };
  for (const line of text.split(/\r?\n/)) {
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    if (!line.trim()) close();
    else if (heading) {
      close();
      root.append(el(`h${Math.min(4, heading[1].length + 1)}`, {}, ...inline(heading[2], pictures)));
    } else if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) {
      close();
      root.append(el("hr", {}));
    } else if (item) into(item[1] ? "ol" : "ul").append(el("li", {}, ...inline(item[2], pictures)));
    else if (line.startsWith(">")) add(into("blockquote"), line.slice(1).trim(), pictures);
    else if (open && (open.tag === "ul" || open.tag === "ol")) add(open.element.lastChild, line.trim(), pictures);
    else add(into("p"), line.trim(), pictures);
  }
  return root;
}

/** Append a line to a paragraph, in which lines are as they were written. */
function add(element, line, pictures) {
  if (element.childNodes.length) element.append(el("br", {}));
  element.append(...inline(line, pictures));
}

function inline(line, pictures) {
  const parts = [];
  let from = 0;
  for (const match of line.matchAll(INLINE)) {
    const [whole, bang, words, target, bold, italic, code] = match;
    parts.push(line.slice(from, match.index));
    if (bold) parts.push(el("b", {}, bold));
    else if (italic) parts.push(el("i", {}, italic));
    else if (code) parts.push(el("code", {}, code));
    else parts.push(bang ? picture(words, target, pictures) : link(words, target, whole));
    from = match.index + whole.length;
  }
  parts.push(line.slice(from));
  return parts.filter((part) => part !== "");
}

function picture(words, name, pictures) {
  if (!Object.hasOwn(pictures, name)) return el("em", {}, `[no picture ${name}]`);
  return el("img", { src: pictures[name], alt: words, loading: "lazy", draggable: false });
}

/** A link to a page; anything else, such as a script, stays the text it was. */
function link(words, target, whole) {
  let url = null;
  try {
    url = new URL(target);
  } catch {
    return whole;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return whole;
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, words || target);
}

/** Where the pictures are, by their names. @param {Record<string, string>} hashes */
export function addresses(api, hashes) {
  return Object.fromEntries(Object.entries(hashes).map(([name, sha256]) => [name, `${api}/guidelines/pictures/${sha256}`]));
}

/** As a component: the preview beside the text. @param {HTMLElement} root @param {{text: string, pictures: any, api: string}} data */
export function mount(root, data) {
  const draw = ({ text, pictures, api }) => root.replaceChildren(guidelines(text, addresses(api, pictures)));
  draw(data);
  return { update: draw, unmount: () => root.replaceChildren() };
}
