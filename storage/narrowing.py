"""Which part of a project a figure is of: narrowed in one place, so that all figures mean the same by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, literal
from sqlmodel import col

from storage.live import active_ms
from storage.models import FlagRow, Image, Mask
from storage.tally_sums import NO_VERSION

Range = tuple[float, float]
"""From the first number on, below the second."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """From `since` on and before `until`, of some people and model versions; nothing given means all."""

    since: datetime | None = None
    until: datetime | None = None
    people: Sequence[int] = ()
    versions: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class MaskRanges:
    """Which masks stand behind a bar, by what a bar can be of; nothing given means all.

    Attributes
    ----------
    share : Range, optional
        Of the image that they cover.
    predicted, concavity : Range, optional
        Predicted IoU, concavity.
    seconds : Range, optional
        Active time of those made with a model's help.
    flag : str, optional
        Name of a flag they have.
    """

    share: Range | None = None
    predicted: Range | None = None
    concavity: Range | None = None
    seconds: Range | None = None
    flag: str | None = None


def narrowed(query: Any, by: Narrow, *, at: Any, person: Any = None) -> Any:
    """Return a query of what happened `at` a time to masks, or to what else a `person` made with no version."""
    if by.since is not None:
        query = query.where(at >= by.since)
    if by.until is not None:
        query = query.where(at < by.until)
    if by.people:
        query = query.where((col(Mask.person_id) if person is None else person).in_(by.people))
    if by.versions:
        version = func.coalesce(col(Mask.model_version_id), NO_VERSION) if person is None else literal(NO_VERSION)
        query = query.where(version.in_(by.versions))
    return query


def within(query: Any, ranges: MaskRanges) -> Any:
    """Return a query of masks and their images, narrowed to those behind a bar."""
    share = col(Mask.area) * 1.0 / (col(Image.width) * col(Image.height))
    spent = active_ms()
    for value, limits in (
        (share, ranges.share),
        (col(Mask.predicted_iou), ranges.predicted),
        (col(Mask.concavity), ranges.concavity),
    ):
        if limits is not None:
            query = query.where(value >= limits[0], value < limits[1])
    if ranges.seconds is not None:
        low, high = ranges.seconds
        query = query.where(col(Mask.origin) == "assisted", spent >= 1000 * low, spent < 1000 * high)
    if ranges.flag is not None:
        query = query.where(exists().where(col(FlagRow.mask_id) == col(Mask.id), col(FlagRow.name) == ranges.flag))
    return query
