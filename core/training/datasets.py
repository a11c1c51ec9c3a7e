"""Opening a data set of any kind that can be told by looking at it."""

import json
from pathlib import Path
from typing import Any, Final

from core.errors import InvalidInput
from core.training.annotations import read_coco, read_sa1b
from core.training.drawings import read_labels, read_manifest
from core.training.examples import Dataset

MANIFEST: Final = "manifest.csv"
_KINDS: Final = "manifest.csv, a COCO file, SA-1B files, or the folders images and labels"


def open_dataset(path: Path) -> Dataset:
    """Return the data set of a folder, or of a COCO file. Masks and photos are read later, one by one.

    A folder is, in this order: one with `manifest.csv`; one with COCO or SA-1B files (`*.json`); one with photos in
    `images` and maps of labels of the same names in `labels`.

    Raises
    ------
    InvalidInput
        If it is none of these, its index cannot be read or contradicts itself, or a file it names is missing.
    """
    if path.is_file():
        document = _document(path)
        if _kind(document) != "coco":
            raise InvalidInput(
                f"a data set's file must be COCO instances (images, annotations), but {path.name} is not"
            )
        return read_coco(path, document)
    if not path.is_dir():
        raise InvalidInput(f"a data set must be a folder with {_KINDS}, but there is no {path}")
    if (path / MANIFEST).is_file():
        return read_manifest(path / MANIFEST)
    dataset = _from_json(path)
    if dataset is not None:
        return dataset
    if (path / "images").is_dir() and (path / "labels").is_dir():
        return read_labels(path)
    raise InvalidInput(f"a data set must be a folder with {_KINDS}, but {path} has none of them")


def _from_json(folder: Path) -> Dataset | None:
    coco: list[tuple[Path, Any]] = []
    sa1b: list[Path] = []
    for path in sorted(folder.glob("*.json")):
        document = _document(path)
        kind = _kind(document)
        if kind == "coco":
            coco.append((path, document))
        elif kind == "sa1b":
            sa1b.append(path)
    if not coco and not sa1b:
        return None
    if coco and sa1b:
        raise InvalidInput(f"a data set must be COCO or SA-1B, but {folder} has {coco[0][0].name} and {sa1b[0].name}")
    if len(coco) > 1:
        raise InvalidInput(f"a data set must have one COCO file, got {len(coco)} in {folder}; give the file's path")
    return read_coco(*coco[0]) if coco else read_sa1b(folder, sa1b)


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"a data set's JSON must be readable, but {path.name} is not ({str(error)[:80]})") from error


def _kind(document: Any) -> str | None:
    if not isinstance(document, dict) or not isinstance(document.get("annotations"), list):
        return None
    if isinstance(document.get("images"), list):
        return "coco"
    return "sa1b" if isinstance(document.get("image"), dict) else None
