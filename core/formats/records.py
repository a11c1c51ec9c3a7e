"""What writers are given and readers find: one image with its masks, whatever the library looks like."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Protocol

from core.errors import InvalidInput
from core.masks import Rle

MOST_SENTENCES: Final = 1000
MOST_KINDS: Final = 50


@dataclass(frozen=True, slots=True)
class MaskRecord:
    """A mask to be written. Scores are None where no model predicted any: masks made by hand."""

    id: int
    rle: Rle
    area: int
    bbox: tuple[int, int, int, int]
    label: str | None
    predicted_iou: float | None
    stability_score: float | None
    points: tuple[tuple[float, float], ...]
    origin: str
    edited: bool


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image to be written, under the file name it has in the export."""

    id: int
    file_name: str
    width: int
    height: int
    masks: tuple[MaskRecord, ...]


class Writer(Protocol):
    """Writes a format's files into a folder, an image at a time; leaving its `with` block ends them."""

    @property
    def images(self) -> str:
        """The folder, below its own, that photos belong in."""

    def add(self, image: ImageRecord) -> None:
        """Write an image with its masks."""

    def __enter__(self) -> Any:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Write what can be known at the end only."""


@dataclass(frozen=True, slots=True)
class FoundMask:
    """A mask that another tool's file holds.

    Attributes
    ----------
    where : str
        The record and its file, as sentences name it.
    draw : callable
        Returns its runs, given the height and width of the image it was drawn on; raises InvalidInput if they cannot
        be meant. Nothing is unpacked before, so whoever asks can look at the size first.
    label : str, optional
    score, stability : float, optional
        What a model said of it, 0 to 1.
    number : int, optional
        The value of its pixels in a map of labels.
    """

    where: str
    draw: Callable[[int, int], Rle]
    label: str | None = None
    score: float | None = None
    stability: float | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image that another tool's file speaks of, with its masks in the file's order.

    Attributes
    ----------
    file_name : str
        As the file names it, with folders where it does; without a suffix where the format has none.
    size_hw : tuple of int, optional
        Height and width it was drawn at; None where the format does not say.
    other_names : tuple of str
        What else it may be called in a library: tools put marks of their own before a name.
    """

    file_name: str
    size_hw: tuple[int, int] | None
    masks: tuple[FoundMask, ...]
    other_names: tuple[str, ...] = ()


@dataclass(slots=True)
class Troubles:
    """What could not be read: how much, the first thousand as sentences; and what is no mask, by kind."""

    count: int = 0
    sentences: list[str] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)

    def add(self, sentence: str) -> None:
        """Note a record or file that could not be read."""
        self.count += 1
        if len(self.sentences) < MOST_SENTENCES:
            self.sentences.append(sentence)

    def pass_over(self, kind: str, count: int = 1) -> None:
        """Note something that is no mask: a box, a line."""
        if count and (kind in self.others or len(self.others) < MOST_KINDS):
            self.others[kind] = self.others.get(kind, 0) + count

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Let what goes wrong inside be noted, and go on after it."""
        try:
            yield
        except InvalidInput as error:
            self.add(str(error))
