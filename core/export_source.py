"""The library as one export sees it, and the report that is filled on the way."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from core.export_report import WITHOUT_SCORES, ExportReport
from core.formats.records import ImageRecord, MaskRecord
from core.library import media_type
from core.workshop import Library
from storage import exports, tallies
from storage import images as image_queries
from storage.engine import Session
from storage.errors import StorageError
from storage.rows import ExportImageRow, ExportMaskRow

Progress = Callable[[int, int], None]
SAMPLE: Final = 20_000
"""Masks that are read back unless all are asked for."""


class Source:
    """Images with their masks, in order of id, as writers want them; and again those that are read back."""

    def __init__(
        self,
        library: Library,
        session: Session,
        report: ExportReport,
        with_images: bool,
        sample: int | None,
        progress: Progress | None,
    ) -> None:
        self.report = report
        self._library = library
        self._session = session
        self._with_images = with_images
        self._progress = progress
        self._total = image_queries.count(library.project_id, session=session)
        masks = tallies.masks_of(library.project_id, session=session)
        self._chance = 1.0 if sample is None else min(1.0, sample / max(1, masks))
        self._drawn: list[tuple[int, int]] = []

    def images(self) -> Iterator[ImageRecord]:
        """Yield every image without its masks."""
        found = exports.images(self._library.project_id, session=self._session)
        return (_image_record(row, ()) for row in found)

    def counted(self, folder: Path) -> Iterator[ImageRecord]:
        """Yield every image with its masks, counting them and copying their working images into `folder`."""
        report = self.report
        draw = random.random
        for row, found in exports.stream(self._library.project_id, session=self._session):
            record = self._record(row, found)
            if self._chance >= 1 or draw() < self._chance:
                self._drawn.append((row.id, report.masks))
            report.images += 1
            report.masks += len(found)
            report.without_scores += sum(mask.predicted_iou is None for mask in found)
            if self._with_images:
                self._copy(row, folder / record.file_name)
            if report.format in WITHOUT_SCORES:
                report.scores_lost += sum(mask.predicted_iou is not None for mask in found)
            if report.format == "sa1b":
                report.labels_lost += sum(mask.label is not None for mask in found)
            yield record
            if self._progress:
                self._progress(report.images, self._total)
        report.proposals = exports.count_proposals(self._library.project_id, session=self._session)

    def drawn(self) -> Iterator[tuple[ImageRecord, int]]:
        """Yield each image that is read back, and how many masks were written before its own."""
        before = dict(self._drawn)
        if self._chance >= 1:
            found = exports.stream(self._library.project_id, session=self._session)
        else:
            found = exports.some(list(before), session=self._session)
        return ((self._record(row, masks), before[row.id]) for row, masks in found)

    def _record(self, row: ExportImageRow, found: list[ExportMaskRow]) -> ImageRecord:
        clicks = {}
        if self.report.format == "sa1b":  # the only one that has a place for them
            clicks = exports.clicks(row.id, session=self._session)
        return _image_record(row, tuple(_mask_record(mask, tuple(clicks.get(mask.id, ()))) for mask in found))

    def _copy(self, row: ExportImageRow, target: Path) -> None:
        try:
            data = self._library.files.get("working", row.working_sha256)
        except StorageError:
            self.report.missing_files.append(row.name)
            return
        if media_type(data) != "image/jpeg":
            raise StorageError(f"the working image of image {row.id} must be JPEG, but is not")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _image_record(row: ExportImageRow, found: tuple[MaskRecord, ...]) -> ImageRecord:
    return ImageRecord(row.id, f"{row.id:08d}.jpg", row.width, row.height, found)


def _mask_record(mask: ExportMaskRow, points: tuple[tuple[float, float], ...]) -> MaskRecord:
    return MaskRecord(
        id=mask.id,
        rle={"size": [mask.height, mask.width], "counts": mask.counts},
        area=mask.area,
        bbox=(mask.bbox_x, mask.bbox_y, mask.bbox_width, mask.bbox_height),
        label=mask.label,
        predicted_iou=mask.predicted_iou,
        stability_score=mask.stability_score,
        points=points,
        origin=mask.origin,
        edited=mask.edited,
    )
