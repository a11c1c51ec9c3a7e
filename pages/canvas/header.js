// One slim line: the image, the project's progress, the model, what is unsaved, and the stopwatch's ring.

import { actionButton } from "./controls.js";
import { goTo } from "./places.js";
import { button, counted, el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 9;
const ROUND = 2 * Math.PI * RADIUS;

/** @param {import("./bench.js").Bench} bench */
export function header(bench) {
  const name = el("span", { class: "name" });
  const facts = el("span", { class: "facts" });
  const bar = el("i", {});
  const progress = el("span", { class: "progress" }, el("span", { class: "bar" }, bar), el("span", { class: "count" }));
  const model = el("span", { class: "model" });
  bench.emitter.on(["image", "queue", "masks"], () => {
    const image = bench.library.current;
    name.textContent = image?.name ?? "";
    name.title = image?.name ?? "";
    facts.textContent = image ? `${image.width} × ${image.height}` : "";
  });
  bench.emitter.on(["project"], () => {
    const { progress: p, model: m } = bench.project ?? {};
    progress.lastChild.textContent = p ? `${p.done.toLocaleString("en")} of ${counted(p.images, "image")} · ${counted(p.masks, "mask")}` : "";
    progress.title = p ? `${counted(p.skips, "skipped object")} in the hard queue` : "";
    bar.style.width = p?.images ? `${(100 * p.done) / p.images}%` : "0";
    model.textContent = m ? m.title : "";
    model.title = m?.trouble ?? (m ? `Segmenter: ${m.name}` : "");
    model.classList.toggle("trouble", Boolean(m?.trouble));
  });
  return el(
    "header",
    { class: "header" },
    actionButton(bench, "previous", { text: "‹", kind: "step", title: "Previous image" }),
    actionButton(bench, "next", { text: "›", kind: "step", title: "Next image" }),
    el("span", { class: "image" }, name, facts),
    ...[el("span", { class: "space" }), guidelinesButton(bench), roundButton(bench), progress, model, savedBadge(bench), ring(bench)],
  );
}

/** Opens the guidelines, where the project has some. */
function guidelinesButton(bench) {
  const made = button({ class: "badge", hidden: true, onclick: () => bench.openGuidelines() }, "Guidelines");
  bench.emitter.on(["project", "keys"], () => {
    made.hidden = !bench.project?.settings.guidelines;
    made.title = bench.keys.tip("guidelines");
  });
  return made;
}

/** Leads to the first round that waits for this person, and out of the one they are in. */
function roundButton(bench) {
  const made = button({ class: "badge round", hidden: true, onclick: () => goTo(bench.seat === null ? made.dataset.round : null) });
  bench.emitter.on(["project"], () => {
    const next = bench.project?.rounds?.[0];
    made.hidden = !bench.project || (bench.seat === null && !next);
    if (made.hidden) return;
    made.dataset.round = next?.id ?? "";
    made.textContent = bench.seat === null ? `Round: ${next.name} · ${next.left} left` : `Leave ${bench.project.round}`;
    made.title =
      bench.seat === null
        ? "Everybody in this round annotates the same images without seeing the others' masks"
        : "You see your own masks only; nothing made here counts in the library. What you did is kept";
  });
  return made;
}


/** Says whether everything done is saved; opens the list of what the server refused. */
function savedBadge(bench) {
  const badge = button({ class: "badge", onclick: () => bench.openRefused() });
  bench.emitter.on(["status"], () => {
    const { outbox, online } = bench;
    const waiting = outbox.unsaved.length;
    const refused = outbox.refused.length;
    badge.dataset.state = refused ? "refused" : !online ? "offline" : waiting ? "saving" : "saved";
    badge.disabled = !refused;
    badge.textContent = refused
      ? `${refused} not saved`
      : !online
        ? `Offline · ${waiting} unsaved`
        : waiting
          ? `Saving ${waiting}…`
          : "Saved";
    badge.title = refused
      ? "The server refused these for good; click to see why"
      : !online
        ? "The server cannot be reached. Go on working: everything is kept here and sent when it is back."
        : waiting
          ? `${waiting} not yet confirmed by the server`
          : "Everything is saved";
    if (!outbox.durable) badge.title += " This browser has no room to keep unsaved work over a reload.";
  });
  return badge;
}

function ring(bench) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const [track, arc] = ["track", "arc"].map((kind) => {
    const circle = document.createElementNS(SVG, "circle");
    for (const [key, value] of Object.entries({ cx: 12, cy: 12, r: RADIUS, class: kind })) circle.setAttribute(key, String(value));
    svg.append(circle);
    return circle;
  });
  arc.setAttribute("stroke-dasharray", String(ROUND));
  track.setAttribute("fill", "none");
  const text = el("span", { class: "seconds" });
  const root = el("div", { class: "ring-timer", role: "timer", "aria-live": "off" }, svg, text);
  bench.emitter.on(["timer", "project"], () => {
    const { used, limit, warn, skips, resting } = bench.clockwork?.state ?? { used: 0, limit: 30_000, warn: 20_000 };
    arc.setAttribute("stroke-dashoffset", String(ROUND * (1 - Math.min(1, used / limit))));
    text.textContent = String(Math.floor(used / 1000));
    root.dataset.state = used >= limit ? "over" : used >= warn ? "late" : used > 0 ? "running" : "still";
    root.classList.toggle("resting", Boolean(resting));
    const end = skips ? "then it goes to the hard queue" : "then it only warns";
    root.title = `Active seconds on this object: ${Math.round(limit / 1000)} s, ${end}. Waiting for the server does not count.`;
    bench.stage.root.classList.toggle("late", used >= warn);
  });
  return root;
}
