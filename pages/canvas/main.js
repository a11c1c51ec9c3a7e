// The workbench put together: one bench, its panels, and the hands on it.

import { Aiming } from "./aiming.js";
import { Bench } from "./bench.js";
import { Clockwork } from "./clockwork.js";
import { commandsOf } from "./commands.js";
import { Crosshair } from "./crosshair.js";
import { openGuidelines, openHelp, openRefused } from "./dialogs.js";
import { el } from "./dom.js";
import { header } from "./header.js";
import { heldBar } from "./held.js";
import { Keyboard } from "./keyboard.js";
import { maskList } from "./masklist.js";
import { objectPanel } from "./objectpanel.js";
import { Pointer } from "./pointer.js";
import { queue } from "./queue.js";
import { closeConnectionDialogs } from "./quiet.js";
import { settings } from "./settings.js";
import { curtain, notice, statusBar } from "./status.js";
import { toolbar } from "./toolbar.js";

/**
 * Build the workbench in `root` and open the first image.
 * @param {HTMLElement} root
 * @param {{api: string, image_id: number | null, mask_id: number | null, skip: string | null, round_id: number | null}} data
 * @param {{byHand: (asked: {image_id: number, width: number, height: number}) => void}} hooks  width, height: of the window
 */
export function mount(root, data, hooks) {
  const bench = new Bench(data, hooks);
  const held = new Set();
  bench.root = root;
  bench.dialog = null;
  bench.openHelp = () => openHelp(bench);
  bench.openGuidelines = () => openGuidelines(bench);
  bench.openRefused = () => openRefused(bench);
  bench.aiming = new Aiming(bench);
  bench.crosshair = new Crosshair(bench);
  bench.pointer = new Pointer(bench, held);
  bench.commands = commandsOf(bench);
  bench.clockwork = new Clockwork(bench);
  const keyboard = new Keyboard(bench, bench.commands, held);
  root.replaceChildren(...layout(bench));
  const unfit = fitWindow(root);
  const unwatch = closeConnectionDialogs(bench.stage.root);
  const leave = () => {
    bench.drafts.flush({ keepalive: true });
    bench.lease.leave({ keepalive: true });
  };
  // A page that the browser kept for the way back is on its image again.
  const back = (event) => event.persisted && bench.imageId !== null && bench.lease.open(bench.imageId);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", back);
  root.addEventListener("mousedown", keepFocus);
  bench.probe.install();
  bench.setTool("point");
  bench.start(data.image_id);
  let wanted = data.image_id;
  return {
    update(next, nextHooks) {
      bench.hooks = nextHooks;
      if (next.image_id !== null && next.image_id !== wanted && next.image_id !== bench.imageId) bench.library.visit(next.image_id);
      wanted = next.image_id;
    },
    unmount() {
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", back);
      root.removeEventListener("mousedown", keepFocus);
      for (const part of [keyboard, bench.pointer, bench.clockwork]) part.close();
      bench.stop();
      bench.probe.uninstall();
      unfit();
      unwatch();
      root.replaceChildren();
    },
  };
}

function layout(bench) {
  const frame = el("div", { class: "stage-frame" }, bench.stage.root, curtain(bench), heldBar(bench), notice(bench));
  const middle = el("main", { class: "middle" }, frame, statusBar(bench));
  const side = el("aside", { class: "side", "aria-label": "Object and masks" }, objectPanel(bench), settings(bench), maskList(bench));
  return [header(bench), el("div", { class: "body" }, queue(bench), toolbar(bench), middle, side)];
}

/** A press beside the controls must not take the keyboard from the stage. @param {MouseEvent} event */
function keepFocus(event) {
  if (!event.target.closest("input, select, label, dialog, .message")) event.preventDefault();
}

/** Fill the window below the page's top navigation, which lies over the page. @returns {() => void} stops that */
function fitWindow(root) {
  const bar = document.querySelector('[data-testid="stHeader"]');
  const set = () => {
    const own = root.getBoundingClientRect().top - (parseFloat(root.style.marginTop) || 0);
    const top = Math.max(own, bar?.getBoundingClientRect().bottom ?? 0, 0);
    root.style.marginTop = `${Math.round(top - own)}px`;
    root.style.setProperty("--ms-top", `${Math.round(top)}px`);
  };
  set();
  const watch = new ResizeObserver(set);
  watch.observe(document.body);
  if (bar) watch.observe(bar);
  addEventListener("resize", set);
  return () => {
    watch.disconnect();
    removeEventListener("resize", set);
  };
}
