// What each action of the key table does; buttons call the same.

const SIZES = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 30, 36, 44, 54, 66, 80, 100, 125, 150, 180, 220, 260, 300];
const OVERLAYS = ["fill", "outline", "hidden"];
const OVERLAY_NAMES = { fill: "Masks are filled.", outline: "Masks as outlines only.", hidden: "Masks are hidden." };

/**
 * @param {import("./bench.js").Bench} bench
 * @returns {Record<string, (event?: KeyboardEvent) => void>}
 */
export function commandsOf(bench) {
  const { working, finishing, masks, stage, library, crosshair } = bench;
  const toggle = (tool) => bench.setTool(bench.tool === tool ? "point" : tool);
  return {
    accept: () => finishing.accept(),
    skip: () => finishing.skip("hard"),
    takeBack: () => finishing.takeBack(),
    clear: () => clear(bench),
    choose1: () => working.choose(0),
    choose2: () => working.choose(1),
    choose3: () => working.choose(2),
    chooseNext: () => working.chooseNext(1),
    choosePrevious: () => working.chooseNext(-1),
    undo: () => working.undo(),
    redo: () => working.redo(),
    label: () => bench.focusLabel(),
    pointTool: () => bench.setTool("point"),
    brush: () => toggle("brush"),
    eraser: () => toggle("eraser"),
    smaller: () => resize(bench, -1),
    larger: () => resize(bench, 1),
    clean: () => bench.painting.clean(),
    removePoint: () => removeHere(bench),
    byHand: () => bench.askByHand(),
    next: () => library.next(),
    previous: () => library.previous(),
    guidelines: () => bench.openGuidelines(),
    maskNext: () => masks.selectNext(1),
    maskPrevious: () => masks.selectNext(-1),
    edit: () => finishing.edit(),
    fix: () => finishing.fix(),
    keep: () => finishing.keep(),
    fit: () => stage.fit(),
    actual: () => stage.actual(),
    zoomIn: () => zoom(bench, 1.25),
    zoomOut: () => zoom(bench, 0.8),
    overlay: () => cycleOverlay(bench),
    sideBySide: () => bench.prefer({ beside: !bench.prefs.get("beside") }),
    settings: () => bench.prefer({ panelOpen: !bench.prefs.get("panelOpen") }),
    help: () => bench.openHelp(),
    left: () => crosshair.move(-1, 0, false),
    right: () => crosshair.move(1, 0, false),
    up: () => crosshair.move(0, -1, false),
    down: () => crosshair.move(0, 1, false),
    leftFast: () => crosshair.move(-1, 0, true),
    rightFast: () => crosshair.move(1, 0, true),
    upFast: () => crosshair.move(0, -1, true),
    downFast: () => crosshair.move(0, 1, true),
    placeForeground: () => crosshair.point(1),
    placeBackground: () => crosshair.point(0),
    placeCorner: () => crosshair.setCorner(),
    paintTo: () => crosshair.line(),
  };
}

/** Escape gives up what is half done first, then the selection, then the object. */
function clear(bench) {
  if (bench.crosshair.giveUp()) return;
  if (bench.pointer.gesture) bench.pointer.drop();
  else if (bench.isBusy) bench.working.clear();
  else if (bench.masks.selected) bench.masks.select(bench.masks.selected);
  else bench.crosshair.hide();
}

function removeHere(bench) {
  const { hoveredPoint } = bench;
  if (hoveredPoint >= 0) {
    // The points after it move up; none of them is under the pointer.
    bench.hoverPoint(-1);
    bench.working.removePoint(hoveredPoint);
  } else if (bench.masks.selected) bench.finishing.remove();
  else bench.say("Point at a prompt, or select an accepted mask, to remove it.");
}

function zoom(bench, factor) {
  const { at } = bench.crosshair;
  if (!at) return bench.stage.zoom(factor);
  const { scale, x, y } = bench.stage.view;
  return bench.stage.zoom(factor, at.x * scale + x, at.y * scale + y);
}

function resize(bench, step) {
  const size = bench.prefs.get("brushSize");
  const next = step > 0 ? SIZES.find((one) => one > size) : SIZES.findLast((one) => one < size);
  if (!next) return;
  bench.prefer({ brushSize: next });
  bench.say(`Brush size ${next} px.`);
  bench.aiming.showBrush(bench.crosshair.at ? { ...bench.crosshair.at, inside: true } : bench.pointer.place);
}

function cycleOverlay(bench) {
  const next = OVERLAYS[(OVERLAYS.indexOf(bench.prefs.get("overlay")) + 1) % OVERLAYS.length];
  bench.prefer({ overlay: next });
  bench.say(OVERLAY_NAMES[next]);
}
