"""What writers are given: one image with its masks, whatever the library looks like."""

from dataclasses import dataclass

from core.masks import Rle


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
