// The filmstrip: thousands of images, of which only those in sight exist as elements.

import { button, counted, el } from "./dom.js";

const ROW = 92;
const SPARE = 4;
const STATES = { new: "new", in_work: "in work", done: "done" };
const EMBEDDINGS = { ready: "ready", working: "being read", waiting: "waiting to be read" };

/** @param {import("./bench.js").Bench} bench */
export function queue(bench) {
  const inner = el("div", { class: "rows" });
  const root = el("nav", { class: "queue", "aria-label": "Images" }, inner);
  /** @type {Map<number, {element: HTMLElement, image: any, current: boolean}>} */
  const shown = new Map();
  let centred = null;

  const draw = () => {
    const { images } = bench.library;
    inner.style.height = `${images.length * ROW}px`;
    const first = Math.max(0, Math.floor(root.scrollTop / ROW) - SPARE);
    const last = Math.min(images.length, Math.ceil((root.scrollTop + root.clientHeight) / ROW) + SPARE);
    const wanted = new Set();
    for (let i = first; i < last; i++) {
      const image = images[i];
      const current = image.id === bench.imageId;
      wanted.add(image.id);
      const known = shown.get(image.id);
      if (known && known.image === image && known.current === current) continue;
      const element = row(bench, image, i, current);
      if (known) replace(known.element, element);
      else inner.append(element);
      shown.set(image.id, { element, image, current });
    }
    for (const [id, { element }] of shown) {
      if (wanted.has(id)) continue;
      element.remove();
      shown.delete(id);
    }
    if (last >= images.length - 20) bench.library.more().catch(() => {});
  };

  root.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(draw).observe(root);
  bench.emitter.on(["queue", "image"], () => {
    const at = bench.library.place.get(bench.imageId);
    if (at !== undefined && centred !== bench.imageId) {
      centred = bench.imageId;
      inner.style.height = `${bench.library.images.length * ROW}px`;
      const top = at * ROW;
      if (top < root.scrollTop || top + ROW > root.scrollTop + root.clientHeight) {
        root.scrollTop = top - (root.clientHeight - ROW) / 2;
      }
    }
    draw();
  });
  return root;
}

/** Put a row in another's place; whoever stood on it with the keyboard still does. */
function replace(old, element) {
  const focused = old.getRootNode().activeElement === old;
  old.replaceWith(element);
  if (focused) element.focus({ preventScroll: true });
}

function row(bench, image, index, current) {
  const photo = el("img", {
    src: bench.api.url(`/images/${image.id}/thumbnail?v=${image.pixels_version}`),
    loading: "lazy",
    decoding: "async",
    draggable: false,
    alt: "",
  });
  const waiting = image.proposals && `${image.proposals} to check`;
  const counts = [image.masks && `${image.masks}`, waiting, image.skips && `${image.skips} hard`].filter(Boolean).join(" · ");
  const state = image.has_work && image.state !== "done" ? "in_work" : image.state;
  const said = `${image.name}: ${STATES[state] ?? state}, ${counted(image.masks, "mask")}, ${EMBEDDINGS[image.embedding] ?? ""}`;
  return button(
    {
      class: `row${current ? " current" : ""}`,
      style: `top: ${index * ROW}px`,
      title: said,
      "aria-label": said,
      "aria-current": current ? "true" : undefined,
      "data-id": image.id,
      "data-state": state,
      "data-embedding": image.embedding,
      onclick: () => bench.library.choose(image.id),
    },
    photo,
    el("span", { class: "caption" }, el("i", { class: "dot" }), el("span", { class: "name" }, image.name), counts),
  );
}
