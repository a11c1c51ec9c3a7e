"""What an export is asked for, and what it says of itself."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

Format = Literal["coco", "sa1b", "yolo", "label-map", "voc", "labelme", "label-studio", "cvat"]
FORMATS: Final = get_args(Format)
WITH_POLYGONS: Final = ("coco", "labelme", "cvat")
EXACT: Final = ("coco", "sa1b", "yolo", "labelme", "label-studio", "cvat")
"""Formats that hold every pixel of every mask, unless polygons are asked for: a difference is an error."""
LOSES: Final[dict[str, str]] = {
    "coco": "Clicks and scores are not written.",
    "sa1b": "Labels are not written.",
    "yolo": "Scores are not written. Holes and islands hang together by bridges without width.",
    "label-map": "Of masks that overlap only the smaller keeps the pixels they share.",
    "voc": "Of masks that overlap only the smaller keeps the pixels they share; scores, and masks past 254, are lost.",
    "labelme": "Scores are not written.",
    "label-studio": "Nothing but clicks is lost.",
    "cvat": "Scores are not written.",
}
"""What a format cannot hold, to be said before anybody chooses it; what a library loses by it, the report counts."""
WITHOUT_SCORES: Final = ("coco", "yolo", "voc", "labelme", "cvat")


@dataclass(slots=True)
class ExportReport:
    """What was written, and what reading it back showed.

    `compared` masks were read back and compared pixel for pixel with the library; `differing` of them were not equal,
    by `pixels_lost` pixels in all, and `absent` of those not there at all. Only polygons and maps of labels may
    differ. `labels_lost` and `scores_lost` masks had a label or scores that the format has no place for.
    """

    format: str
    folder: Path
    trial: bool = False
    images: int = 0
    masks: int = 0
    without_scores: int = 0
    compared: int = 0
    differing: int = 0
    absent: int = 0
    pixels_lost: int = 0
    labels_lost: int = 0
    scores_lost: int = 0
    bytes: int = 0
    proposals: int = 0
    missing_files: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Return the report in one or two sentences."""
        where = "were written on trial" if self.trial else f"written to {self.folder}"
        text = f"{self.masks} masks on {self.images} images {where}. "
        if self.differing:
            text += (
                f"{self.differing} of {self.compared} masks differ when read back, by {self.pixels_lost} pixels in all."
            )
            if self.absent:
                text += f" {self.absent} of them are not there at all."
        else:
            which = f"All {self.masks} masks"
            if self.compared < self.masks:
                which = f"{self.compared} of the masks, all those of images drawn at random,"
            text += f"{which} were read back and are equal pixel for pixel."
        if self.without_scores and self.format == "sa1b":
            text += f" {self.without_scores} masks made by hand or imported have no scores; theirs are written as 0."
        if self.proposals:
            text += f" {self.proposals} imported masks that nobody has accepted yet are left out."
        if self.labels_lost:
            text += f" The labels of {self.labels_lost} masks have no place in this format."
        if self.scores_lost:
            text += f" The scores of {self.scores_lost} masks have no place in this format."
        if self.missing_files:
            text += f" {len(self.missing_files)} image files could not be read and are left out."
        return text
