"""Which models there are for a library, and choosing the one that answers."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.segmentation.catalogue import (
    CHECKPOINTS,
    GRABCUT,
    NAMES,
    STARTER,
    STARTER_TITLE,
    STARTER_WEIGHTS,
    SegmenterSpec,
    check_checkpoint,
    load_segmenter,
)
from core.segmentation.grabcut import GrabCutSegmenter
from core.workshop import Library, choose_model, chosen_spec


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be chosen: whether its file is here, whether it is the one chosen, and its file's size."""

    name: str
    title: str
    here: bool
    used: bool
    size_bytes: int = 0


def models(library: Library) -> list[Model]:
    """Return every model of the catalogue, in its order."""
    chosen = chosen_spec(library)
    found = [
        Model(STARTER, STARTER_TITLE, True, chosen.name == STARTER, STARTER_WEIGHTS.stat().st_size),
        Model(GRABCUT, GrabCutSegmenter.title, True, chosen.name == GRABCUT),
    ]
    for entry in CHECKPOINTS.values():
        used = chosen.name == entry.name
        here = (library.settings.models / entry.file).exists() or (used and Path(chosen.path or "").exists())
        found.append(Model(entry.name, entry.title, here, used, entry.size_bytes))
    return found


def use(library: Library, name: str, path: Path | None = None) -> None:
    """Let a model answer from the server's next start on; `path` is its checkpoint if it was not downloaded here.

    Raises
    ------
    InvalidInput
        If there is no such model, or its checkpoint does not exist.
    ModelUnavailable
        If the checkpoint is damaged, or another model's.
    """
    if name not in NAMES:
        raise InvalidInput(f"a model must be one of {', '.join(NAMES)}, got {name!r}")
    if name in CHECKPOINTS:
        file = path or library.settings.models / CHECKPOINTS[name].file
        if not file.is_file():
            raise InvalidInput(f"the checkpoint must exist, but there is no {file}; download it or give its path")
        check_checkpoint(name, file)
    elif name == STARTER and path:
        load_segmenter(SegmenterSpec(STARTER, str(path), "cpu"))
    choose_model(library, name, str(path.resolve()) if path else None)
