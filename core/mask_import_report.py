"""What an import of masks came to, in numbers and in sentences."""

from dataclasses import dataclass, field

from core.formats.records import MOST_SENTENCES
from core.importing import ImportReport


@dataclass(slots=True)
class MaskImportReport:
    """What became of the masks of a file or folder.

    Attributes
    ----------
    masks, known, unread : int
        Taken in as proposals; there already, from an import before; and records that could not be read.
    images, unmatched : int
        Images that masks were taken in for, and images of the file that the library does not have.
    resized, vanished : int
        Masks drawn at their photo's full size and made smaller; and those of which nothing was left then.
    resized_iou : float
        How far the smaller ones agree with what was drawn, as the mean IoU at full size; 1 if none was resized.
    turned : int
        Masks drawn on a photo as it lies in its file, turned upright as its EXIF says.
    others : dict of str to int
        What is no mask, by kind: boxes, lines.
    """

    format: str
    masks: int = 0
    known: int = 0
    unread: int = 0
    images: int = 0
    unmatched: int = 0
    resized: int = 0
    vanished: int = 0
    turned: int = 0
    resized_iou: float = 1.0
    others: dict[str, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    photos: ImportReport = field(default_factory=ImportReport)
    stopped: str | None = None
    """Why the library could take no more; importing again goes on with the rest."""

    def refuse(self, sentence: str) -> None:
        """Note why something was not taken in."""
        if len(self.reasons) < MOST_SENTENCES:
            self.reasons.append(sentence)

    def sentence(self) -> str:
        """Return the report in a few sentences."""
        text = (
            f"{_counted(self.masks, 'mask')} on {_counted(self.images, 'image')} taken in, to be kept, fixed or deleted"
        )
        parts = [
            f"{self.known} there already" if self.known else "",
            f"{self.unread} not readable" if self.unread else "",
            f"{_counted(self.unmatched, 'image')} not in the library" if self.unmatched else "",
        ]
        text = ", ".join([text, *(part for part in parts if part)]) + "."
        if self.photos.files:
            text += f" Photos: {self.photos.sentence()}"
        if self.resized:
            text += (
                f" {_counted(self.resized, 'mask')} made smaller with the photo: "
                f"{self.resized_iou:.1%} IoU with what was drawn, on average."
            )
        if self.vanished:
            text += f" {_counted(self.vanished, 'mask')} too small for that left out."
        if self.turned:
            text += f" {_counted(self.turned, 'mask')} turned upright with the photo."
        if self.others:
            kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.others.items()))
            text += f" Left alone, as no masks: {kinds}."
        if self.stopped:
            text += f" Stopped: {self.stopped}. Import again to go on with the rest."
        return text


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
