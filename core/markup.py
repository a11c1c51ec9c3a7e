"""What a reviewer draws on a picture: from a drawing on the screen to lines on the photo."""

from collections.abc import Mapping
from typing import Any


def lines_of_drawing(
    drawing: Mapping[str, Any] | None, *, scale: float, origin: tuple[float, float]
) -> list[list[list[float]]]:
    """Return the free-hand lines of a Fabric.js drawing as lists of [x, y] in the photo's pixels.

    Parameters
    ----------
    drawing : mapping or None
        What streamlit-drawable-canvas returns as `json_data`.
    scale : float
        Pixels of the screen to one of the photo.
    origin : tuple of float
        Which (x, y) of the photo the drawing's upper left corner shows.
    """
    lines = []
    for shape in (drawing or {}).get("objects", []):
        # A step is a letter and its points; the last is where the pen came to.
        ends = [step[-2:] for step in shape.get("path") or [] if len(step) >= 3]
        line = [[round(x / scale + origin[0], 2), round(y / scale + origin[1], 2)] for x, y in ends]
        if len(line) > 1:
            lines.append(line)
    return lines
