"""The chart of how each cost grows with the masks: `python -m benchmarks.stage1_scale --json` in, an SVG file out."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 900, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 40, 50
LINES: Final = {
    "metrics_page_ms": ("Metrics page", "#e0900f", 200),
    "review_queue_ms": ("review queue", "#8a5cf0", 300),
    "image_list_ms": ("list of images", "#2f7de1", 300),
    "save_mask_ms": ("save a mask", "#1c9a61", 10),
    "next_image_ms": ("next image", "#d43f5e", 10),
}
"""What is drawn: its name, its colour, and what it may take in milliseconds."""
_FONT: Final = 'font-family="system-ui, sans-serif" font-size="13"'


def main() -> None:
    """Draw the growth that a benchmark printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the SVG file to write")
    arguments = parser.parse_args()
    arguments.out.write_text(chart(json.load(sys.stdin)["growth"]), encoding="utf-8")


def chart(growth: list[dict[str, Any]]) -> str:
    """Return an SVG chart, both axes logarithmic: milliseconds over masks, dots where they were measured.

    Parameters
    ----------
    growth : list of dict
        Of each size its "masks" and the keys of `LINES`.
    """
    masks = [row["masks"] for row in growth]
    low_x, high_x = math.log10(masks[0]), math.log10(masks[-1])
    low_y, high_y = -1.0, 3.0

    def x_of(value: float) -> float:
        return LEFT + (math.log10(value) - low_x) / max(high_x - low_x, 1e-9) * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        share = (math.log10(max(value, 10**low_y)) - low_y) / (high_y - low_y)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {_FONT} fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">Milliseconds (median) over masks in the library</text>',
    ]
    for power in range(int(low_y), int(high_y) + 1):
        y = y_of(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for count in masks:
        parts.append(f'<text x="{x_of(count):.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{count:,}</text>')
    ends = sorted(LINES, key=lambda key: growth[-1][key])
    label_y = math.inf
    for key in ends:
        name, colour, target = LINES[key]
        places = [(x_of(row["masks"]), y_of(row[key])) for row in growth]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        # Names keep clear of each other, from below upwards.
        label_y = min(places[-1][1] + 4, label_y - 18)
        said = escape(f"{name}: {growth[-1][key]:.3g} ms of {target}")
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{label_y:.1f}" fill="{colour}">{said}</text>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    main()
