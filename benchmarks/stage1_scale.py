"""Stage 1's own size on one machine: 120,000 images with 4.3 million masks, and how each cost grows until there."""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.crowd import grow, open_crowd
from benchmarks.timing import median_ms
from core import annotating, library, metrics, queueing, reviewing
from core import masks as pixels
from core.exporting import export
from core.metric_quality import quality
from core.metrics import Chosen
from core.workshop import Library
from storage import images, masks

PER_IMAGE = 36
STEPS = (10_000, 100_000, 1_000_000, 4_300_000)
ROUNDS = 15
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Measure at each size and print; the last size's figures stand for themselves, all are in `growth`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only (it prints nothing else)")
    parser.add_argument("--masks", type=int, default=STEPS[-1])
    parser.add_argument("--no-export", action="store_true", help="leave the export out")
    parser.add_argument("--keep", type=Path, help="a new folder to make the library in, which stays; else it goes")
    arguments = parser.parse_args()
    sizes = [step for step in STEPS if step < arguments.masks] + [arguments.masks]
    with tempfile.TemporaryDirectory() as folder:
        data = arguments.keep or Path(folder) / "data"
        opened = open_crowd(data, sizes[0], per_image=PER_IMAGE)
        growth = []
        for size in sizes:
            grow(opened, size, per_image=PER_IMAGE)
            growth.append({"masks": size, **measure(opened, data)})
        report = {**growth[-1], "growth": growth}
        if not arguments.no_export:
            report |= exported(opened, Path(folder) / "out", arguments.masks)
        opened.close()
    sys.stdout.write(json.dumps(report) + "\n")


def measure(opened: Library, data: Path) -> dict[str, float]:
    """Return the medians, in milliseconds, of what people wait for."""
    with opened.engines.reading() as session:
        several = [row.id for row in images.page(opened.project_id, session=session, limit=ROUNDS)]
        # Masks of all sizes, each saved on another image than its own, beside the masks that are there.
        drawn = [masks.rles_of_image(image_id, session=session)[place] for place, image_id in enumerate(several)]
    to_save = zip(itertools.cycle(reversed(several)), itertools.cycle(drawn), strict=False)

    def save() -> object:
        image_id, mask = next(to_save)
        key = f"saved-{time.time_ns()}"
        rle: pixels.Rle = {"size": [mask.height, mask.width], "counts": mask.counts}
        return annotating.accept(opened, image_id, key, annotating.Accepted(rle, object_key=key))

    at: list[int | None] = [None]

    def next_image() -> None:
        at[0] = queueing.next_image(opened, client="tab", leaving=at[0]).image_id

    return {
        "metrics_page_ms": median_ms(lambda: (metrics.figures(opened, Chosen()), quality(opened, Chosen())), ROUNDS),
        "next_image_ms": median_ms(next_image, ROUNDS),
        "save_mask_ms": median_ms(save, ROUNDS),
        "image_list_ms": median_ms(lambda: library.find(opened, search=None, state=None, limit=24, offset=48), ROUNDS),
        "review_queue_ms": median_ms(lambda: _review(opened), ROUNDS),
        "database_mib": round((data / "masksmith.db").stat().st_size / MEBIBYTE),
    }


def _review(opened: Library) -> object:
    found = reviewing.next_mask(opened, "unreviewed")
    return reviewing.waiting(opened), found and reviewing.task(opened, found)


def exported(opened: Library, out: Path, count: int) -> dict[str, float]:
    """Return masks a second of a whole COCO export without images, read back, and the most memory it took."""
    process, most = psutil.Process(), [0.0]

    def look(_done: int, _total: int) -> None:
        most[0] = max(most[0], process.memory_info().rss / MEBIBYTE)

    begun = time.perf_counter()
    export(opened, out, format="coco", with_images=False, progress=look)
    elapsed = time.perf_counter() - begun
    shutil.rmtree(out, ignore_errors=True)
    return {"export_masks_per_s": round(count / elapsed), "peak_mb": round(most[0])}


if __name__ == "__main__":
    main()
