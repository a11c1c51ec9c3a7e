"""Memory while many photos are imported: it must not grow with their number."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from core.importing import import_paths
from core.settings import Settings
from core.workshop import open_library

EARLY = 100
SIZE_HW = (240, 320)
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only (it prints nothing else)")
    parser.add_argument("--files", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        write(photos, arguments.files)
        sys.stdout.write(json.dumps(measure(Path(folder) / "data", photos)) + "\n")


def write(folder: Path, count: int) -> None:
    """Write small photos of noise, each another."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels = rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:06}.jpg", quality=80)


def measure(data: Path, photos: Path) -> dict[str, float]:
    """Import a folder and return the process's memory after the first hundred files and at the end."""
    library = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)
    process, seen = psutil.Process(), {}

    def look(done: int, total: int, _name: str) -> None:
        if done in (min(EARLY, total), total):
            seen[done] = process.memory_info().rss / MEBIBYTE

    begun = time.perf_counter()
    report = import_paths(
        [photos], engines=library.engines, files=library.files, project_id=library.project_id, blur=False, progress=look
    )
    elapsed = time.perf_counter() - begun
    library.close()
    return {
        "files": report.imported,
        "early_mib": round(seen[min(seen)]),
        "end_mib": round(seen[max(seen)]),
        "files_per_s": round(report.imported / elapsed, 1),
    }


if __name__ == "__main__":
    main()
