"""Where in a photo to look for an object: all of it, or a square around what was boxed, clicked or found."""

from typing import Final

import numpy as np

from core.segmentation.protocol import Candidate, Mask, Point, Prompt
from core.segmentation.windows import Window, expanded, whole

ROOM: Final = 1.7
"""Side of a square, in longer sides of the object."""
LEAST_WINDOW: Final = 48
MOST_SHARE: Final = 0.75
"""Of the photo's longer side: a square as large as this shows little more than the whole photo."""

Box = tuple[float, float, float, float]


def known_window(prompt: Prompt, refine: Candidate | None, size_hw: tuple[int, int]) -> Window | None:
    """Return where to look, as far as it is known before an answer."""
    if prompt.box is not None:
        return _square(prompt.box, prompt, size_hw) or whole(size_hw)
    if refine is None or refine.window is None or refine.window == whole(size_hw):
        return None
    seen = refine.window
    if not all(holds(seen, point) for point in prompt.points if point.label == 1):
        return None
    region = _box_of(refine.coarse, size_hw)
    return None if region is None or _reaches_edge(region, seen, size_hw) else seen


def window_around(found: Mask, prompt: Prompt, size_hw: tuple[int, int]) -> Window | None:
    """Return a window around a coarse mask and what was clicked as object, or None if all of the photo is better.

    Where only background was clicked it is: a window might leave out every click.
    """
    region = _box_of(found, size_hw)
    if region is None or not any(point.label == 1 for point in prompt.points):
        return None
    return _square(region, prompt, size_hw)


def _square(region: Box, prompt: Prompt, size_hw: tuple[int, int]) -> Window | None:
    """Return a square around a region and what was clicked as object, or None if it would be nearly the photo."""
    inside = [(point.x, point.y) for point in prompt.points if point.label == 1]
    xs, ys = [region[0], region[2], *(x for x, _ in inside)], [region[1], region[3], *(y for _, y in inside)]
    side = max(LEAST_WINDOW, ROOM * max(max(xs) - min(xs), max(ys) - min(ys)))
    if side > MOST_SHARE * max(size_hw):
        return None
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return expanded((x - side / 2, y - side / 2, x + side / 2, y + side / 2), 1.0, size_hw, 2)


def holds(window: Window, point: Point) -> bool:
    """Return whether a point of the photo lies in a window."""
    return window.x0 <= point.x < window.x1 and window.y0 <= point.y < window.y1


def _reaches_edge(region: Box, window: Window, size_hw: tuple[int, int]) -> bool:
    """Return whether a mask comes within a dot of a side of its window that is not the photo's own."""
    near = 0.03 * max(window.x1 - window.x0, window.y1 - window.y0)
    return (
        (window.x0 > 0 and region[0] < window.x0 + near)
        or (window.y0 > 0 and region[1] < window.y0 + near)
        or (window.x1 < size_hw[1] and region[2] > window.x1 - near)
        or (window.y1 < size_hw[0] and region[3] > window.y1 - near)
    )


def _box_of(coarse: Mask, size_hw: tuple[int, int]) -> Box | None:
    """Return the box of a coarse mask in photo pixels, or None if it is empty."""
    rows, columns = np.flatnonzero(coarse.any(axis=1)), np.flatnonzero(coarse.any(axis=0))
    if not rows.size:
        return None
    across, down = size_hw[1] / coarse.shape[1], size_hw[0] / coarse.shape[0]
    return (columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down)


def within(prompt: Prompt, window: Window) -> Prompt:
    """Return a prompt in a window's pixels; points outside it say nothing there."""
    points = tuple(
        Point(point.x - window.x0, point.y - window.y0, point.label)
        for point in prompt.points
        if window.x0 <= point.x <= window.x1 and window.y0 <= point.y <= window.y1
    )
    if prompt.box is None:
        return Prompt(points)
    x0, y0, x1, y1 = prompt.box
    return Prompt(points, (x0 - window.x0, y0 - window.y0, x1 - window.x0, y1 - window.y0))
