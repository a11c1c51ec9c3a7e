"""Brush, eraser, islands and holes, outlines: pixel by pixel against NumPy and SciPy-like truths."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

PAINT = """async ([width, height, strokes]) => {
  const { paintStroke } = await import('/raster.js');
  const pixels = new Uint8Array(width * height);
  for (const stroke of strokes) paintStroke(pixels, width, height, stroke);
  return Array.from(pixels);
}"""

PIECEWISE = """async ([width, height, stroke]) => {
  const { paintStroke } = await import('/raster.js');
  const live = new Uint8Array(width * height);
  for (let i = 1; i <= stroke.path.length / 2; i++) {
    paintStroke(live, width, height, { ...stroke, path: stroke.path.slice(0, 2 * i) }, i - 1);
  }
  return Array.from(live);
}"""


def painted(page: Page, width: int, height: int, *strokes: dict[str, Any]) -> NDArray[np.bool_]:
    return np.array(page.evaluate(PAINT, [width, height, list(strokes)]), bool).reshape(height, width)


def capsule(width: int, height: int, size: int, path: list[float]) -> NDArray[np.bool_]:
    """Every pixel whose centre is within size / 2 of the path."""
    y, x = np.mgrid[:height, :width] + 0.5
    found = np.zeros((height, width), bool)
    corners = list(zip(path[::2], path[1::2], strict=True))
    for (ax, ay), (bx, by) in zip(corners, corners[1:] or corners, strict=False):
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / length2, 0, 1) if length2 else np.zeros_like(x)
        found |= np.hypot(x - ax - t * dx, y - ay - t * dy) <= size / 2 + 1e-9
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 24])
def test_a_stroke_sets_exactly_the_pixels_within_its_radius(pure_page: Page, size: int) -> None:
    rng = np.random.default_rng(size)
    path = [float(value) / 2 for value in rng.integers(-10, 150, 16)]
    stroke = {"kind": "brush", "size": size, "path": path, "at": 0}
    assert np.array_equal(painted(pure_page, 70, 60, stroke), capsule(70, 60, size, path))


@pytest.mark.parametrize("seed", range(5))
def test_painting_piece_by_piece_gives_what_replaying_gives(pure_page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = [float(value) + 0.5 for value in rng.integers(0, 60, 20)]
    stroke = {"kind": "brush", "size": int(rng.integers(1, 12)), "path": path, "at": 0}
    live = np.array(pure_page.evaluate(PIECEWISE, [64, 64, stroke]), bool).reshape(64, 64)
    assert np.array_equal(live, painted(pure_page, 64, 64, stroke))


def test_the_eraser_takes_what_the_brush_gave(pure_page: Page) -> None:
    brush = {"kind": "brush", "size": 9, "path": [20.5, 20.5, 40.5, 20.5], "at": 0}
    rubber = {"kind": "eraser", "size": 3, "path": [30.5, 20.5], "at": 1}
    found = painted(pure_page, 60, 40, brush, rubber)
    expected = capsule(60, 40, 9, brush["path"]) & ~capsule(60, 40, 3, rubber["path"])  # type: ignore[arg-type]
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("x", "y"), [(10.0, 5.0), (10.99, 5.99), (10.01, 5.98), (10.5, 5.5)])
def test_size_one_is_the_pixel_under_the_pointer(pure_page: Page, x: float, y: float) -> None:
    sx, sy = pure_page.evaluate("async ([x, y]) => (await import('/raster.js')).snap(1, x, y)", [x, y])
    found = painted(pure_page, 20, 10, {"kind": "brush", "size": 1, "path": [sx, sy], "at": 0})
    assert np.argwhere(found).tolist() == [[5, 10]]


CLEAN = """async ([width, height, list, what]) => {
  const { clean } = await import('/regions.js');
  const pixels = Uint8Array.from(list);
  const { islands, holes } = clean(pixels, width, height, { ...what, below: what.below ?? Infinity });
  return [Array.from(pixels), islands, holes];
}"""


def cleaned_by_opencv(mask: NDArray[np.bool_], below: float) -> NDArray[np.bool_]:
    """Islands at connectivity 8 without the first largest, then holes at connectivity 4 that touch no rim."""
    mask = mask.copy()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    for label in range(1, count):
        if areas[label - 1] < below and label != int(areas.argmax()) + 1:
            mask[labels == label] = False
    padded = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=4)
    inner = labels[1:-1, 1:-1]
    for label in range(1, count):
        if label != labels[0, 0] and stats[label, cv2.CC_STAT_AREA] < below:
            mask[inner == label] = True
    return mask


@pytest.mark.parametrize("below", [None, 4])
@pytest.mark.parametrize("seed", range(8))
def test_cleaning_agrees_with_opencv(pure_page: Page, seed: int, below: int | None) -> None:
    rng = np.random.default_rng(seed)
    mask = cv2.GaussianBlur(rng.random((37, 53)), (0, 0), 1.2) > 0.5
    what = {"below": below, "islands": True, "holes": True}
    found, islands, holes = pure_page.evaluate(CLEAN, [53, 37, mask.ravel().astype(int).tolist(), what])
    expected = cleaned_by_opencv(mask, below or np.inf)
    assert islands + holes > 0
    assert np.array_equal(np.array(found, bool).reshape(mask.shape), expected)


EDGES = """async ([width, height, list]) => {
  const { edgesOf } = await import('/outline.js');
  const { boundsOf } = await import('/raster.js');
  const pixels = Uint8Array.from(list);
  const bounds = boundsOf(pixels, width, height);
  const { across, down } = edgesOf(pixels, width, height, bounds);
  return [bounds, Array.from(across), Array.from(down)];
}"""


@pytest.mark.parametrize("seed", range(4))
def test_outlines_are_all_edges_between_mask_and_not_mask(pure_page: Page, seed: int) -> None:
    mask = np.random.default_rng(seed).random((11, 13)) < 0.4
    box, across, down = pure_page.evaluate(EDGES, [13, 11, mask.ravel().astype(int).tolist()])
    rows, columns = np.nonzero(mask)
    assert [box[side] for side in ("x0", "y0", "x1", "y1")] == [
        columns.min(),
        rows.min(),
        columns.max() + 1,
        rows.max() + 1,
    ]
    padded = np.pad(mask, 1)
    flat = {(y, x) for y, x0, x1 in zip(across[::3], across[1::3], across[2::3], strict=True) for x in range(x0, x1)}
    tall = {(y, x) for x, y0, y1 in zip(down[::3], down[1::3], down[2::3], strict=True) for y in range(y0, y1)}
    assert flat == {(y, x) for y, x in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]).tolist()}
    assert tall == {(y, x) for y, x in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]).tolist()}


def test_replaying_edits_after_undo_gives_the_same_pixels(pure_page: Page) -> None:
    same = pure_page.evaluate(
        """async () => {
          const { Composer } = await import('/composer.js');
          const candidate = new Uint8Array(50 * 40).fill(1, 300, 900);
          candidate[1999] = 1;
          const edits = [
            { kind: 'brush', size: 5, path: [5.5, 5.5, 30.5, 20.5], at: 0 },
            { kind: 'eraser', size: 4, path: [20, 12], at: 1 },
            { kind: 'clean', below: null, islands: true, holes: true, at: 2 },
            { kind: 'brush', size: 1, path: [45.5, 35.5], at: 3 },
          ];
          const stepwise = new Composer(50, 40);
          const shots = [[], ...edits.map((_, i) => edits.slice(0, i + 1))].map((list) => {
            stepwise.compose(candidate, list);
            return stepwise.pixels.join('');
          });
          const back = [3, 1, 4, 0, 2].every((count) => {
            stepwise.compose(candidate, edits.slice(0, count));
            return stepwise.pixels.join('') === shots[count];
          });
          return back && new Set(shots).size === shots.length;
        }"""
    )
    assert same


RUNS = """async ([height, width, flat, box]) => {
  const { runsOf } = await import('/raster.js');
  return runsOf(Uint8Array.from(flat), width, box);
}"""


@pytest.mark.parametrize("seed", range(12))
def test_runs_are_those_of_each_row_within_the_box(pure_page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 14, 2))
    mask = rng.random((height, width)) < rng.choice([0.0, 0.1, 0.5, 0.95])
    mask[: int(rng.integers(0, height + 1))] = False
    mask[int(rng.integers(0, height + 1)) :] = True
    x0, x1 = sorted(int(value) for value in rng.integers(0, width + 1, 2))
    y0, y1 = sorted(int(value) for value in rng.integers(0, height + 1, 2))
    expected = []
    for y in range(y0, y1 if x1 > x0 else y0):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask[y, x0:x1].astype(int), [0]])))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            expected += [y, x0 + int(begin), x0 + int(end)]
    box = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
    flat = [int(value) for value in mask.ravel()]
    assert pure_page.evaluate(RUNS, [height, width, flat, box]) == expected
