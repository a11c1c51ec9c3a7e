"""How many faces and number plates the detector finds, and how much of what it finds is one.

Reads a folder with `faces` (photos and dlib's XML of boxes) and `plates` (photos, each with a Pascal VOC XML). How the
cascades look was chosen on `--half tuned` (training.xml, every other plate from the first on), not on `--half held`.
`--without` names a folder of pictures that hold neither, of which every fourth was used to choose: all found there is
wrong, and only the others are counted.
"""

import argparse
import json
import statistics
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np

from core.pictures import SUFFIXES, read_upright
from core.privacy.blurring import reach
from core.privacy.choice import detector, found_by
from core.privacy.regions import KINDS, Box, Detector, Kind, iou
from core.statistics import wilson

MATCH: Final = 0.3
"""Least IoU of a box with a known one to count as found: a loose box still blurs what it is around."""
COVERED: Final = 0.9
"""Part of a known box that must lie within what is blurred, margins included, to count as hidden."""
Half = Literal["all", "tuned", "held"]


@dataclass(frozen=True, slots=True)
class Known:
    """A photo and what is on it."""

    path: Path
    kind: Kind
    boxes: list[Box]


@dataclass(slots=True)
class Tally:
    """What came of one kind."""

    photos: int = 0
    known: int = 0
    found: int = 0
    hidden: int = 0
    boxes: int = 0
    ms: list[float] = field(default_factory=list)

    def said(self) -> dict[str, Any]:
        """Return the figures with Wilson's 95 % intervals."""
        return {
            "photos": self.photos,
            "known": self.known,
            "boxes": self.boxes,
            "found": self.found,
            "hidden": self.hidden,
            "recall": _share(self.found, self.known),
            "hidden_share": _share(self.hidden, self.known),
            "precision": _share(self.found, self.boxes),
            "ms_per_photo": round(statistics.median(self.ms), 1) if self.ms else None,
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only (it prints nothing else)")
    parser.add_argument("--images", type=Path, required=True, help="folder with faces/ and plates/")
    parser.add_argument("--half", choices=("all", "tuned", "held"), default="held")
    parser.add_argument("--without", type=Path, help="folder of pictures without faces and plates")
    arguments = parser.parse_args()
    searching = detector()
    tallies: dict[Kind, Tally] = {"face": Tally(), "plate": Tally()}
    for known in [
        *faces(arguments.images / "faces", arguments.half),
        *plates(arguments.images / "plates", arguments.half),
    ]:
        pixels = read_upright(known.path).pixels
        begun = time.perf_counter()
        found = found_by(searching, pixels)
        elapsed = (time.perf_counter() - begun) * 1e3
        tally = tallies[known.kind]
        tally.ms.append(elapsed)
        boxes = [one.box for one in found if one.kind == known.kind]
        tally.photos += 1
        tally.known += len(known.boxes)
        tally.boxes += len(boxes)
        tally.found += matches(known.boxes, boxes)
        tally.hidden += hidden(known.boxes, boxes, pixels.shape[:2])
    report = {
        "detector": searching.name,
        "half": arguments.half,
        "match_iou": MATCH,
        "hidden_from": COVERED,
        **{f"{kind}s": tally.said() for kind, tally in tallies.items()},
    }
    if arguments.without:
        report["without"] = false_alarms(searching, arguments.without)
    sys.stdout.write(json.dumps(report) + "\n")


def faces(folder: Path, half: Half) -> Iterator[Known]:
    """Yield the photos that dlib's lists name and that are there."""
    for name in {"all": ("training", "testing"), "tuned": ("training",), "held": ("testing",)}[half]:
        for image in ElementTree.parse(folder / f"{name}.xml").getroot().iter("image"):
            path = folder / image.attrib["file"]
            if path.exists():
                yield Known(path, "face", [_dlib_box(box) for box in image.iter("box")])


def _dlib_box(box: ElementTree.Element) -> Box:
    left, top, width, height = (float(box.attrib[name]) for name in ("left", "top", "width", "height"))
    return left, top, left + width, top + height


def plates(folder: Path, half: Half) -> Iterator[Known]:
    """Yield the photos that have a file of boxes beside them."""
    for number, path in enumerate(sorted(folder.glob("*.xml"))):
        if half == "all" or (half == "tuned") == (number % 2 == 0):
            boxes = [_voc_box(box) for box in ElementTree.parse(path).getroot().iter("bndbox")]
            yield Known(path.with_suffix(".jpg"), "plate", boxes)


def _voc_box(box: ElementTree.Element) -> Box:
    x0, y0, x1, y1 = (float(box.findtext(name, "nan")) for name in ("xmin", "ymin", "xmax", "ymax"))
    return x0, y0, x1, y1


def matches(known: list[Box], boxes: list[Box]) -> int:
    """Return how many known boxes have a box of their own at an IoU of at least `MATCH`, best pairs first."""
    pairs = sorted(
        ((iou(one, other), i, j) for i, one in enumerate(known) for j, other in enumerate(boxes)), reverse=True
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    for overlap, i, j in pairs:
        if overlap >= MATCH and i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return len(taken[0])


def hidden(known: list[Box], boxes: list[Box], shape_hw: tuple[int, ...]) -> int:
    """Return of how many known boxes at least `COVERED` is blurred, by whichever boxes."""
    blur = np.zeros(shape_hw[:2], np.uint8)
    for x0, y0, x1, y1 in (tuple(round(value) for value in reach(box)) for box in boxes):
        cv2.rectangle(blur, (x0, y0), (x1 - 1, y1 - 1), 1, -1)
    parts = [blur[round(y0) : round(y1), round(x0) : round(x1)] for x0, y0, x1, y1 in known]
    return sum(part.size > 0 and float(part.mean()) >= COVERED for part in parts)


def false_alarms(searching: Detector, folder: Path) -> dict[str, Any]:
    """Return how many pictures without faces and plates there are, on how many something was found, and how much."""
    counts = [
        Counter(one.kind for one in found_by(searching, read_upright(path).pixels))
        for number, path in enumerate(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))
        if number % 4
    ]
    hit = sum(bool(count) for count in counts)
    kinds = {f"{kind}s": sum(count[kind] for count in counts) for kind in KINDS}
    return {"photos": len(counts), "with_boxes": hit, **kinds, "share_with_boxes": _share(hit, len(counts))}


def _share(count: int, total: int) -> dict[str, float] | None:
    if not total:
        return None
    found = wilson(count / total, total)
    return {"mean": round(found.mean, 3), "low": round(found.low, 3), "high": round(found.high, 3)}


if __name__ == "__main__":
    main()
