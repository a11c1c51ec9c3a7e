// The object in work: its candidates, what finishes it, and its label when the project wants labels.

import { candidates } from "./candidates.js";
import { actionButton } from "./controls.js";
import { counted, el } from "./dom.js";

/** @param {import("./bench.js").Bench} bench */
export function objectPanel(bench) {
  const accept = actionButton(bench, "accept", { text: "Accept", kind: "primary", showKey: true });
  const skip = actionButton(bench, "skip", { text: "Skip", showKey: true });
  const clear = actionButton(bench, "clear", { text: "Clear", showKey: true });
  const next = actionButton(bench, "next", { text: "Next", showKey: true });
  const heading = el("h2", {}, "Object");
  const { root: label, input, commit } = labelField(bench);
  bench.commitLabel = commit;
  bench.focusLabel = () => {
    if (label.hidden) bench.say("Labels are off in this project.");
    else input.focus();
  };
  bench.emitter.on(["object", "candidates", "status", "image"], () => {
    const { base, points, box, edits } = bench.working.object;
    accept.disabled = !bench.showing.hasMask || !bench.showing.isCurrent;
    skip.disabled = clear.disabled = !bench.isBusy;
    const parts = [points.length && counted(points.length, "point"), box && "box", edits.length && counted(edits.length, "edit")];
    const given = parts.filter(Boolean).join(" · ");
    heading.replaceChildren(base ? "Editing a mask" : "Object", el("span", { class: "aside" }, given));
  });
  return el(
    "section",
    { class: "object-panel", "aria-label": "Object" },
    heading,
    candidates(bench),
    label,
    el("div", { class: "finish" }, accept, skip, clear, next),
  );
}

function labelField(bench) {
  const names = el("datalist", { id: "ms-labels" });
  const input = el("input", {
    type: "text",
    maxLength: 200,
    placeholder: "Label",
    "aria-label": "Label of the object",
    autocomplete: "off",
  });
  input.setAttribute("list", "ms-labels");
  const subject = () => {
    const { object } = bench.working;
    if (bench.isBusy) return { object: object.key, label: object.label ?? null };
    const mask = bench.masks.selectedMask;
    return mask && { mask: mask.key, label: mask.label ?? null };
  };
  /** What is being labelled while the field has the focus: a press elsewhere can select another mask meanwhile. */
  let about = null;
  const commit = () => {
    const value = input.value.trim() || null;
    if (!about || value === about.label) return;
    about.label = value;
    if (about.mask) bench.finishing.labelMask(about.mask, value);
    else if (bench.isBusy && about.object === bench.working.object.key) bench.working.setLabel(value);
  };
  input.addEventListener("focus", () => {
    about = subject();
    // Panels draw a frame late: the field may still show what was selected before.
    if (input.value !== (about?.label ?? "")) input.value = about?.label ?? "";
  });
  input.addEventListener("change", commit);
  input.addEventListener("blur", () => {
    commit();
    about = null;
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") input.value = about?.label ?? "";
    bench.stage.root.focus({ preventScroll: true });
  });
  const root = el("div", { class: "label" }, input, names);
  bench.emitter.on(["object", "masks", "project", "keys"], () => {
    const { labels = false, label_names: known = [] } = bench.project?.settings ?? {};
    root.hidden = !labels;
    input.title = bench.keys.tip("label");
    if (names.childElementCount !== known.length) names.replaceChildren(...known.map((value) => el("option", { value })));
    const now = subject();
    const same = about?.mask === now?.mask && about?.object === now?.object;
    if (!input.matches(":focus") || !same) {
      commit();
      about = input.matches(":focus") ? now : null;
      input.value = now?.label ?? "";
    }
    input.disabled = !now;
  });
  return { root, input, commit };
}
