"""What is installed, what is used, and what is wrong, in plain words."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from core.errors import FORESEEN, ModelUnavailable
from core.segmentation.catalogue import CHECKPOINTS, GRABCUT, STARTER, check_checkpoint
from core.settings import Settings
from core.workshop import Library, chosen_spec, open_library

PACKAGES: Final = ("streamlit", "torch", "segment-anything", "opencv-python-headless", "sqlmodel", "numpy")
LOW_DISK_BYTES: Final = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is as it should be, and what there is to say."""

    what: str
    ok: bool
    says: str


def examine(settings: Settings) -> list[Finding]:
    """Return what there is to say of this installation and its data folder."""
    found = [*_installed(), *_folder(settings)]
    try:
        library = open_library(settings, samples=False)
    except FORESEEN as error:
        return [*found, Finding("library", False, str(error)), _device(), _browser()]
    try:
        found += [_database(library), Finding("files", True, f"in {library.files.address}"), _model(library)]
    finally:
        library.close()
    return [*found, _device(), _browser()]


def well(findings: list[Finding]) -> bool:
    """Return whether nothing is wrong."""
    return all(finding.ok for finding in findings)


def _installed() -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    for name in PACKAGES:
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, "is not installed; run make run, which installs what is missing")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    here = next(parent for parent in [folder, *folder.parents] if parent.exists())
    writable = here.is_dir() and os.access(here, os.W_OK)
    yield Finding("data folder", writable, str(folder) if writable else f"{here} must be a writable folder, but is not")
    free = shutil.disk_usage(here).free
    enough = free >= LOW_DISK_BYTES
    says = f"{free / 1e9:.1f} GB free"
    yield Finding("disk", enough, says if enough else f"{says}; photos and embeddings will not fit for long")


def _database(library: Library) -> Finding:
    with library.engines.reading() as session:
        dialect = session.get_bind().dialect.name
    return Finding("database", True, f"{dialect}, answers, schema up to date")


def _model(library: Library) -> Finding:
    spec = chosen_spec(library)
    if spec.name == GRABCUT:
        return Finding(
            "model", True, "grabcut: colour alone; the starter and SAM's checkpoints are better (masksmith models)"
        )
    if spec.name == STARTER:
        return Finding(
            "model", True, "starter: small, ships with the app; SAM's checkpoints are better (masksmith models)"
        )
    if spec.name not in CHECKPOINTS:
        return Finding("model", False, f"{spec.name} is chosen, but is no model this version knows")
    says = f"{spec.name} from {spec.path}"
    if spec.path is None or not Path(spec.path).is_file():
        return Finding("model", False, f"{says}, which does not exist; run masksmith models download")
    try:
        check_checkpoint(spec.name, Path(spec.path))
    except ModelUnavailable as error:
        return Finding("model", False, f"{says}: {error}")
    return Finding("model", True, says)


def _device() -> Finding:
    from core.segmentation.devices import describe

    return Finding("device", True, describe())


def _browser() -> Finding:
    found: Callable[[str], str | None] = shutil.which
    path = found("chromium") or found("chromium-browser") or found("google-chrome")
    return Finding("browser for tests", True, path or "none: browser tests will be skipped")
