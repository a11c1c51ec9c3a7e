"""Projects and their images."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project and its settings."""

    id: int
    name: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image with the numbers that lists show: accepted masks, proposals (imported masks nobody has accepted yet),
    open skips, work of the asking person.
    """

    id: int
    project_id: int
    name: str
    sha256: str
    working_sha256: str
    thumb_sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    original_bytes: int
    state: str
    created_at: datetime
    version: int
    priority: int
    masks: int
    proposals: int
    skips: int
    has_work: bool


class ExportImageRow(NamedTuple):
    """An image as exports need it. A tuple, as a library is millions of rows."""

    id: int
    name: str
    working_sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class LibraryNameRow:
    """An image as imports of masks look for it: its name, and the sizes that it may have been drawn at."""

    id: int
    name: str
    sha256: str
    width: int
    height: int
    original_width: int
    original_height: int


@dataclass(frozen=True, slots=True)
class FilesRow:
    """An image's files by their hashes, and the size of its working image."""

    project_id: int
    sha256: str
    working_sha256: str
    thumb_sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to be put into the library; its files are in the store already."""

    project_id: int
    name: str
    sha256: str
    working_sha256: str
    thumb_sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    original_bytes: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a project is: images, those done, live masks, open skips."""

    images: int
    done: int
    masks: int
    skips: int
    proposals: int = 0
