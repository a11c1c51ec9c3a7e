"""A process that encodes images one after another, out of the way of those that people wait for.

Reads one JSON object a line on standard input, {"image": sha256}, and answers each with
{"image": sha256, "error": sentence or null} once the embedding is in the file store. Ends when its input does.
"""

import json
import os
import sys
from io import BytesIO

import numpy as np
from PIL import Image

from core.segmentation.cache import KIND, cache_key
from core.segmentation.catalogue import SegmenterSpec, load_segmenter
from storage.files import open_files

NICENESS = 15


def main() -> None:
    """Serve until the input ends; arguments are the file store's address and the segmenter's spec as JSON."""
    os.nice(NICENESS)
    files, spec = open_files(sys.argv[1]), SegmenterSpec(**json.loads(sys.argv[2]))
    segmenter = load_segmenter(spec)
    import torch

    torch.set_num_threads(1)
    for line in sys.stdin:
        job = json.loads(line)
        error = None
        try:
            with Image.open(BytesIO(files.get("working", job["image"]))) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            key = cache_key(job["image"], segmenter.encoder_key)
            files.put_named(KIND, key, segmenter.encode(pixels).to_bytes())
        except Exception as problem:  # one bad image must not end the process
            error = f"{type(problem).__name__}: {problem}"
        sys.stdout.write(json.dumps({"image": job["image"], "error": error}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
