// The accepted masks of the image with their flags, and the objects of it that wait in the hard queue.

import { button, counted, el, pixels, seconds } from "./dom.js";
import { goesAway } from "./finishing.js";
import { iconOf } from "./icons.js";
import { isProposal, openFlags } from "./maskbook.js";
import { colourOf, css } from "./palette.js";

/** @param {import("./bench.js").Bench} bench */
export function maskList(bench) {
  const heading = el("h2", {});
  const list = el("ul", { class: "masks", "aria-label": "Accepted masks" });
  const skips = el("ul", { class: "skips", "aria-label": "Hard queue" });
  const root = el("section", { class: "mask-panel" }, heading, list, skips);
  bench.emitter.on(["masks", "keys", "settings", "image"], () => {
    const { masks } = bench;
    const total = masks.list.reduce((sum, mask) => sum + (mask.active_ms ?? 0), 0);
    const waiting = masks.list.filter(isProposal).length;
    const accepted = masks.list.length - waiting;
    const aside = [accepted && `${accepted} · ${seconds(total)}`, waiting && `${waiting} to check`].filter(Boolean).join(" · ");
    heading.replaceChildren("Accepted", el("span", { class: "aside" }, aside));
    const rows = masks.list.map((mask, index) => maskRow(bench, mask, index)).reverse();
    const focused = focusIn(root);
    list.replaceChildren(...rows);
    if (!rows.length) list.append(el("li", { class: "none" }, bench.phase === "ready" ? hint(bench) : ""));
    skips.replaceChildren(...masks.skips.map((skip) => skipRow(bench, skip)));
    skips.hidden = !masks.skips.length;
    focusAgain(root, focused);
    list.querySelector(".selected")?.scrollIntoView({ block: "nearest" });
  });
  return root;
}

/** Where in the list the keyboard is: on which mask, and on which of its buttons. */
function focusIn(root) {
  const active = root.getRootNode().activeElement;
  const item = root.contains(active) ? active.closest("[data-key]") : null;
  return item && { key: item.dataset.key, at: [...item.querySelectorAll("button")].indexOf(active) };
}

/** Put the keyboard back there once the list is made anew: on the mask itself if it has no such button any more. */
function focusAgain(root, focused) {
  if (!focused) return;
  const item = [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused.key);
  const buttons = item?.querySelectorAll("button") ?? [];
  (buttons[focused.at] ?? buttons[0])?.focus({ preventScroll: true });
}

function hint(bench) {
  return `Click on an object; ${bench.keys.shown("accept")} accepts its mask.`;
}

const ORIGINS = { by_hand: "by hand", imported: "imported" };

function maskRow(bench, mask, index) {
  const selected = mask.key === bench.masks.selected;
  const swatch = el("i", { class: "swatch", style: `background: ${css(colourOf(bench.prefs.get("palette"), mask.colour))}` });
  const notes = [mask.locked && "somebody else's", ORIGINS[mask.origin], mask.edited && "edited", !mask.saved && "saving"].filter(Boolean);
  const score = mask.predicted_iou === null || mask.predicted_iou === undefined ? "" : `${Math.round(mask.predicted_iou * 100)}%`;
  const title = bench.masks.titleOf(mask, index);
  const main = button(
    {
      class: "mask-main",
      title: `${title}: ${mask.area} pixels, ${seconds(mask.active_ms ?? 0)}${score ? `, predicted IoU ${score}` : ""}. Click to select`,
      "aria-pressed": String(selected),
      onclick: () => bench.masks.select(mask.key),
    },
    swatch,
    el("span", { class: "title" }, title),
    el("span", { class: "notes" }, notes.join(", ")),
    el("span", { class: "number" }, pixels(mask.area)),
    el("span", { class: "number" }, seconds(mask.active_ms ?? 0)),
  );
  const act = (id, icon, run) =>
    button({ class: "mini", title: bench.keys.tip(id), "aria-label": bench.keys.tip(id), onclick: run }, iconOf(icon));
  const tools = el(
    "span",
    { class: "mask-tools", hidden: Boolean(mask.locked) },
    act("edit", "edit", () => bench.finishing.edit(mask.key)),
    act("removePoint", "trash", () => bench.finishing.remove(mask.key)),
  );
  return el("li", { class: `mask${selected ? " selected" : ""}`, "data-key": mask.key }, main, tools, flagBlock(bench, mask));
}

/** The open flags of a mask: all of it for the mask that the keys act on, one line for the others. */
function flagBlock(bench, mask) {
  const flags = openFlags(mask);
  if (!flags.length || mask.locked) return answered(mask);
  if (bench.masks.flagged?.key !== mask.key) {
    const title = flags.map((flag) => bench.masks.words(flag)).join(" ");
    const text = counted(flags.length, "flag");
    return button({ class: "flag-line", title, onclick: () => bench.masks.select(mask.key) }, text);
  }
  const answer = (id, text, run) =>
    button({ class: "flag-key", title: bench.keys.tip(id), onclick: run }, text, el("kbd", {}, bench.keys.shown(id)));
  const worst = ["error", "warning", "info"].find((grade) => flags.some((flag) => flag.severity === grade));
  return el(
    "div",
    { class: "flag", "data-severity": worst, role: "note" },
    ...flags.map((flag) => el("span", { class: "message" }, bench.masks.words(flag))),
    answer("fix", mendedBy(flags), () => bench.finishing.fix(mask.key)),
    answer("keep", "Keep", () => bench.finishing.keep(mask.key)),
    isProposal(mask) && !goesAway(flags) ? deleting(bench, mask) : null,
    ...flags.map((flag) => showOther(bench, flag)),
  );
}

function deleting(bench, mask) {
  const title = "Delete the imported mask";
  return button({ class: "flag-key", title, onclick: () => bench.finishing.remove(mask.key) }, "Delete");
}

function mendedBy(flags) {
  if (flags.some((flag) => flag.fix)) return "Fix";
  return goesAway(flags) ? "Delete" : "Edit";
}

function answered(mask) {
  const said = (mask.flags ?? []).map((flag) => `${flag.name}: ${flag.resolution}`).join(", ");
  return said ? el("div", { class: "flag answered" }, said) : null;
}

/** A flag that speaks of another mask can show it. */
function showOther(bench, flag) {
  const other = bench.masks.list.find((mask) => flag.detail?.mask_id && mask.mask_id === flag.detail.mask_id);
  if (!other) return null;
  const title = "Select the other mask";
  return button({ class: "flag-key", title, onclick: () => bench.masks.select(other.key) }, "Show other");
}

function skipRow(bench, skip) {
  const why = skip.reason === "timer" ? "over the limit" : "too hard";
  const count = (skip.state?.object?.points?.length ?? 0) + (skip.state?.object?.box ? 1 : 0);
  const title = bench.keys.tip("takeBack", "Take it back into work");
  return el(
    "li",
    { class: "skip", "data-key": skip.key },
    el("span", { class: "title" }, `Skipped: ${why}`),
    el("span", { class: "number" }, counted(count, "prompt")),
    button({ class: "mini", title, "aria-label": title, onclick: () => bench.finishing.takeBack(skip.key) }, iconOf("back")),
  );
}
