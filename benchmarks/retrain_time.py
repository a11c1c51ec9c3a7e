"""How long a retraining takes for so many masks, and what its stages take; nothing else is at work."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.retrain_loop import fill
from benchmarks.targets import OBJECTS, target_photo
from core import annotating, job_process, jobs, masks
from core.retraining import Progress
from core.segmentation.catalogue import load_segmenter
from core.settings import Settings
from core.training.recipe import Recipe
from core.workshop import Library, chosen_spec, open_library, version_of


def main() -> None:
    """Retrain and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--masks", type=int, default=1000, help="to accept, four on a photo")
    report = run(parser.parse_args().masks)
    sys.stdout.write(json.dumps(report) + "\n")


def run(count: int) -> dict[str, Any]:
    """Return the seconds of a retraining on so many masks, by stage."""
    photos = [target_photo(seed) for seed in range(-(-count // OBJECTS))]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill(data, photos)
        library = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)
        for image_id, photo in enumerate(photos, start=1):
            for number, mask in enumerate(photo.masks):
                accept(library, image_id, number, masks.encode(mask))
        spec = chosen_spec(library)
        version_of(library, load_segmenter(spec), spec)
        spent: dict[str, float] = {}
        told = [time.perf_counter()]

        def note(progress: Progress) -> None:
            now = time.perf_counter()
            spent[progress.stage] = spent.get(progress.stage, 0.0) + now - told[0]
            told[0] = now

        begun = time.perf_counter()
        job = job_process.work(library, jobs.begin(library, Recipe(), start=False), note)
        total = time.perf_counter() - begun
        library.close()
    if job.state != "done":
        raise RuntimeError(f"the retraining ended {job.state}: {job.message}")
    stages = {stage: round(seconds, 1) for stage, seconds in spent.items()}
    return {"masks": count, "total_s": round(total, 1), "stages_s": stages, "said": job.message}


def accept(library: Library, image_id: int, number: int, rle: masks.Rle) -> None:
    """Accept a mask after one click in its middle."""
    x, y, width, height = masks.bbox(rle)
    prompt = {"kind": "point", "x": x + width / 2, "y": y + height / 2, "label": 1, "at_ms": 1500}
    accepted = annotating.Accepted(rle, object_key=f"{image_id}-{number}", prompts=[prompt])
    annotating.accept(library, image_id, f"{image_id}-{number}", accepted)


if __name__ == "__main__":
    main()
