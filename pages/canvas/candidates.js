// The three candidates: each a thumbnail of its mask where the object is, with its predicted IoU.

import { button, el } from "./dom.js";
import { css, CURRENT } from "./palette.js";
import { decode } from "./rle.js";

const WIDTH = 80;
const HEIGHT = 60;
const LEVELS = { whole: "whole", part: "part", subpart: "subpart" };

/** @param {import("./bench.js").Bench} bench */
export function candidates(bench) {
  const slots = [0, 1, 2].map((index) => slot(bench, index));
  const root = el("div", { class: "candidates", role: "radiogroup", "aria-label": "Candidates" }, ...slots.map((s) => s.root));
  let last = null;
  let lit = false;
  bench.emitter.on(["candidates", "object", "keys", "status"], () => {
    const { answer } = bench.showing;
    const { chosen } = bench.working.object;
    const { photo } = bench.stage.main;
    root.classList.toggle("waiting", bench.isBusy && !bench.showing.isCurrent);
    // After a reload the candidates are here before the photo under them is.
    const seen = photo.complete && photo.naturalWidth > 0;
    const fresh = answer !== last || seen !== lit;
    last = answer;
    lit = seen;
    const frame = answer && fresh ? frameOf(bench, answer) : null;
    slots.forEach((one, index) => one.draw(answer?.candidates[index] ?? null, index === chosen, fresh, frame));
  });
  return root;
}

function slot(bench, index) {
  const canvas = el("canvas", { width: WIDTH * 2, height: HEIGHT * 2 });
  const score = el("span", { class: "score" });
  const level = el("span", { class: "level" });
  const key = el("kbd", {});
  const root = button(
    { class: "candidate", role: "radio", "data-index": index, onclick: () => bench.working.choose(index) },
    el("span", { class: "picture" }, canvas, key),
    el("span", { class: "words" }, score, level),
  );
  const draw = (candidate, chosen, fresh, frame) => {
    root.disabled = !candidate;
    root.setAttribute("aria-checked", String(Boolean(candidate && chosen)));
    key.textContent = bench.keys.shown(`choose${index + 1}`);
    const share = candidate?.predicted_iou;
    score.textContent = share === null || share === undefined ? "" : `${Math.round(share * 100)}%`;
    level.textContent = candidate ? (LEVELS[candidate.level] ?? "") : "";
    const about = candidate ? `predicted IoU ${score.textContent || "unknown"}, ${level.textContent}` : "none yet";
    root.title = bench.keys.tip(`choose${index + 1}`, `Candidate ${index + 1}: ${about}`);
    root.setAttribute("aria-label", root.title);
    if (!candidate) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    else if (fresh) picture(canvas, bench, candidate, frame);
  };
  return { root, draw };
}

/** The part of the image all thumbnails show: around all candidates, in the thumbnail's shape. */
function frameOf(bench, { candidates: list }) {
  const { width, height } = bench.stage;
  const boxes = list.map((one) => one.bbox).filter((box) => box?.length === 4 && box[2] > 0);
  if (!boxes.length) return { x: 0, y: 0, width, height };
  const x0 = Math.min(...boxes.map((box) => box[0]));
  const y0 = Math.min(...boxes.map((box) => box[1]));
  const x1 = Math.max(...boxes.map((box) => box[0] + box[2]));
  const y1 = Math.max(...boxes.map((box) => box[1] + box[3]));
  const scale = Math.max((1.15 * (x1 - x0)) / WIDTH, (1.15 * (y1 - y0)) / HEIGHT, 0.25);
  return {
    x: (x0 + x1 - WIDTH * scale) / 2,
    y: (y0 + y1 - HEIGHT * scale) / 2,
    width: WIDTH * scale,
    height: HEIGHT * scale,
  };
}

function picture(canvas, bench, candidate, frame) {
  const context = canvas.getContext("2d");
  const { photo } = bench.stage.main;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const sx = canvas.width / frame.width;
  const sy = canvas.height / frame.height;
  // Only the part that is shown is drawn: scaling a whole photo three times a click would be felt.
  const x = Math.max(0, frame.x);
  const y = Math.max(0, frame.y);
  const width = Math.min(bench.stage.width, frame.x + frame.width) - x;
  const height = Math.min(bench.stage.height, frame.y + frame.height) - y;
  const place = [(x - frame.x) * sx, (y - frame.y) * sy, width * sx, height * sy];
  context.imageSmoothingQuality = "low";
  if (photo.complete && photo.naturalWidth) context.drawImage(photo, x, y, width, height, ...place);
  context.fillStyle = "rgb(0 0 0 / 0.4)";
  context.fillRect(...place);
  const mask = tinted(candidate);
  const mx = mask.width / bench.stage.width;
  const my = mask.height / bench.stage.height;
  context.drawImage(mask, x * mx, y * my, width * mx, height * my, ...place);
}

/** The candidate's small mask as a picture of the current colour. */
function tinted(candidate) {
  const rle = candidate.coarse ?? candidate.rle;
  const [height, width] = rle.size;
  const canvas = el("canvas", { width, height });
  const context = canvas.getContext("2d");
  const pixels = decode(rle);
  const image = context.createImageData(width, height);
  for (let i = 0; i < pixels.length; i++) image.data[4 * i + 3] = pixels[i] * 190;
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = css(CURRENT);
  context.fillRect(0, 0, width, height);
  return canvas;
}
