"""What an annotator painted on a mask, as reviewers are shown it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from storage.rows import NewEdit


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke of brush or eraser: its diameter, and the places it passed, in working-image pixels."""

    erases: bool
    size: float
    path: tuple[tuple[float, float], ...]


def strokes_of(edits: Sequence[NewEdit]) -> list[Stroke]:
    """Return the strokes among a mask's edits; what a client sent that is none is passed over.

    Examples
    --------
    >>> strokes_of([NewEdit("eraser", {"size": 3, "path": [1, 2, 5, 2]}), NewEdit("clean", {}), NewEdit("brush", {})])
    [Stroke(erases=True, size=3.0, path=((1.0, 2.0), (5.0, 2.0)))]
    """
    found = []
    for edit in edits:
        path, size = edit.detail.get("path"), edit.detail.get("size")
        if edit.kind not in ("brush", "eraser") or not isinstance(path, list) or not _is_number(size):
            continue
        if len(path) >= 2 and all(map(_is_number, path)):
            places = tuple(zip(map(float, path[::2]), map(float, path[1::2]), strict=False))
            found.append(Stroke(edit.kind == "eraser", float(size), places))
    return found


def _is_number(value: object) -> TypeGuard[float]:
    # What is farther away than any photo is wide cannot be drawn.
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e5
