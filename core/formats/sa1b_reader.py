"""Reading SA-1B: one JSON file an image."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from core.formats import fields
from core.formats.records import FoundImage, FoundMask, Troubles
from core.formats.segmentations import as_rle


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield the image of a file, or of every JSON file of a folder and below."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        troubles.add(f"a folder of SA-1B files must have JSON files, got none in {path.name}")
    for file in files:
        with troubles.noted():
            yield read_file(file, troubles)


def read_file(file: Path, troubles: Troubles) -> FoundImage:
    """Return the image of a file; annotations that cannot be read are noted.

    Raises
    ------
    InvalidInput
        If it is no such file.
    """
    name = fields.shown(file.name)
    read = fields.keyed(fields.document(file), name)
    what = f"the image of {name}"
    image = fields.keyed(fields.has(read, "image", name), what)
    found = []
    annotations = fields.has(read, "annotations", name)
    for place, annotation in enumerate(annotations if isinstance(annotations, list) else [annotations]):
        with troubles.noted():
            which = f"annotation {place + 1} of {name}"
            fields.keyed(annotation, which)
            if "id" in annotation:
                which = f"annotation {fields.shown(annotation['id'])} of {name}"
            segmentation = fields.has(annotation, "segmentation", which)
            score, stability = (fields.score_of(annotation, key) for key in ("predicted_iou", "stability_score"))
            if annotation.get("origin") == "by_hand":
                score = stability = None  # our own files have 0 there, as readers want numbers
            label = fields.label_of(annotation.get("label"))
            found.append(FoundMask(which, partial(as_rle, segmentation), label, score, stability))
    return FoundImage(fields.text(image, "file_name", what), fields.size_of(image, what), tuple(found))
