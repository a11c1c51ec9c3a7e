"""Counters kept as masks are saved, so that figures of millions of masks need not read them.

One row for each project, day, person and model version holds sums of whole numbers over its live masks: how many there
are, times, prompts, and histograms. Every query that makes a mask live or ends its life counts it in the same
transaction; `recount` makes the same rows from the masks alone.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from storage.live import accepted_mask
from storage.models import FlagRow, Image, Mask, PromptRow, Tally
from storage.tables import table_of
from storage.tally_sums import FIELDS, LENGTH, OFFSETS, Ints, summed

BLOCK: Final = 20_000
_IMAGE: Final = table_of(Image)
_TALLY: Final = table_of(Tally)
_MORE_ON_IMAGE: Final = (
    update(_IMAGE)
    .where(_IMAGE.c.id == bindparam("of_image"))
    .values(live_masks=_IMAGE.c.live_masks + bindparam("more"))
)
_KEY: Final = ("project_id", "day", "person_id", "model_version_id")
_THIS_ROW: Final = [_TALLY.c[name] == bindparam(f"of_{name}") for name in _KEY]
_SUMS: Final = select(_TALLY.c.sums).where(*_THIS_ROW).with_for_update()
_SET_SUMS: Final = update(_TALLY).where(*_THIS_ROW).values(sums=bindparam("new_sums"), masks=bindparam("new_masks"))


@dataclass(frozen=True, slots=True)
class Tallies:
    """Counters of some rows: what each row is of, and its sums, shape (rows, LENGTH)."""

    days: list[date]
    people: Ints
    versions: Ints
    sums: Ints

    def chosen(self, rows: NDArray[np.bool_]) -> "Tallies":
        """Return some of the rows."""
        days = [day for day, there in zip(self.days, rows, strict=True) if there]
        return Tallies(days, self.people[rows], self.versions[rows], self.sums[rows])

    def sum(self, name: str) -> int:
        """Return one of `FIELDS`, summed up over rows and bins."""
        return int(self.of(name).sum())

    def of(self, name: str) -> Ints:
        """Return one of `FIELDS`, shape (rows, its size)."""
        offset = OFFSETS[name]
        return self.sums[:, offset : offset + FIELDS[name]]


@contextmanager
def changing(mask_ids: Sequence[int | None], *, session: Session) -> Iterator[list[int]]:
    """Count again what is counted of some masks and changes within: whether they live, whose they are, their flags.

    Masks that are made within are appended to what is yielded.
    """
    touched = [mask_id for mask_id in mask_ids if mask_id is not None]
    before = _counting(touched, session)
    yield touched
    _change(before, _counting(touched, session), session)


def count(mask_ids: Sequence[int], *, session: Session) -> None:
    """Count masks that have just been made, whether or not they are live."""
    _change([], session.execute(_counted_by_id(), {"ids": mask_ids}).all() if mask_ids else [], session)


def _counting(mask_ids: Sequence[int], session: Session) -> Sequence[Any]:
    """Return what is counted of those of some masks that count."""
    return session.execute(_counting_by_id(), {"ids": mask_ids}).all() if mask_ids else []


def count_image(image_id: int, sign: int, *, session: Session) -> None:
    """Count all live masks of an image that has just come into the library, or left it."""
    rows = session.execute(_counted().where(col(Mask.image_id) == image_id, accepted_mask())).all()
    for key, sums in summed(rows).items():
        _add(key, sign * sums, session)


def read(
    project_id: int,
    *,
    session: Session,
    since: date | None = None,
    until: date | None = None,
    people: Sequence[int] = (),
    versions: Sequence[int] = (),
) -> Tallies:
    """Return the counters of a project, of some days (both included), people and versions; nothing given means all.

    Cost: a row for each day a person worked with a version, however many masks there are.
    """
    query = select(col(Tally.day), col(Tally.person_id), col(Tally.model_version_id), col(Tally.sums))
    query = query.where(col(Tally.project_id) == project_id)
    if since is not None:
        query = query.where(col(Tally.day) >= since)
    if until is not None:
        query = query.where(col(Tally.day) <= until)
    if people:
        query = query.where(col(Tally.person_id).in_(people))
    if versions:
        query = query.where(col(Tally.model_version_id).in_(versions))
    rows = session.execute(query.order_by(col(Tally.day))).all()
    return Tallies(
        [row[0] for row in rows],
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.int64),
        np.array([_unpacked(row[3]) for row in rows], np.int64).reshape(len(rows), LENGTH),
    )


def masks_of(project_id: int, *, session: Session) -> int:
    """Return how many live masks a project has."""
    query = select(func.coalesce(func.sum(col(Tally.masks)), 0)).where(col(Tally.project_id) == project_id)
    return int(session.execute(query).scalar_one())


def total(*, session: Session) -> int:
    """Return how many accepted masks stand in all projects."""
    return int(session.scalar(select(func.sum(col(Tally.masks)))) or 0)


def per_image(project_id: int, *, session: Session) -> dict[int, int]:
    """Return how many of a project's images have how many live masks."""
    query = (
        select(col(Image.live_masks), func.count())
        .where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None))
        .group_by(col(Image.live_masks))
    )
    return {int(row[0]): int(row[1]) for row in session.execute(query)}


def recount(*, session: Session) -> None:
    """Make all counters anew from the masks; memory holds a block of masks and the rows."""
    session.execute(delete(Tally))
    session.execute(update(Image).where(col(Image.live_masks) != 0).values(live_masks=0))
    table: dict[tuple[Any, ...], Ints] = {}
    for rows in _blocks(session):
        for image_id, found in _by_image(rows).items():
            session.execute(_MORE_ON_IMAGE, {"of_image": image_id, "more": found})
        for key, sums in summed([row for row in rows if row.deleted_at is None]).items():
            table[key] = table[key] + sums if key in table else sums
    if table:
        session.execute(insert(Tally), [_values(key, sums) for key, sums in table.items()])


def _blocks(session: Session) -> Iterator[Sequence[Any]]:
    """Yield all live masks, a block at a time."""
    last = 0
    while rows := session.execute(
        _counted().where(accepted_mask(), col(Mask.id) > last).order_by(col(Mask.id)).limit(BLOCK)
    ).all():
        yield rows
        last = rows[-1].id


@cache
def _counted() -> Select[Any]:
    """Select what is counted of masks; the image's deletion decides whether they count in rows."""
    prompts = select(func.count()).select_from(PromptRow).where(col(PromptRow.mask_id) == col(Mask.id))
    answer = col(FlagRow.name) + ":" + func.coalesce(col(FlagRow.resolution), "")
    said = select(func.aggregate_strings(answer, ",")).where(col(FlagRow.mask_id) == col(Mask.id))
    columns: tuple[Any, ...] = (
        col(Mask.id),
        col(Mask.image_id),
        col(Mask.person_id),
        col(Mask.model_version_id),
        col(Mask.created_at),
        col(Mask.origin),
        col(Mask.edited),
        col(Mask.candidate_rank),
        col(Mask.area),
        col(Mask.bbox_x),
        col(Mask.bbox_y),
        col(Mask.bbox_width),
        col(Mask.bbox_height),
        col(Mask.predicted_iou),
        col(Mask.concavity),
        col(Mask.waiting_ms),
        col(Mask.thinking_ms),
        col(Mask.prompting_ms),
        col(Mask.painting_ms),
        col(Mask.assigned),
        col(Image.project_id),
        col(Image.width),
        col(Image.height),
        col(Image.deleted_at),
        prompts.scalar_subquery().label("prompts"),
        said.scalar_subquery().label("said"),
    )
    return select(*columns).join(Image, col(Image.id) == col(Mask.image_id))


@cache
def _counted_by_id() -> Select[Any]:
    return _counted().where(col(Mask.id).in_(bindparam("ids", expanding=True)))


@cache
def _counting_by_id() -> Select[Any]:
    return _counted_by_id().where(accepted_mask())


def _by_image(rows: Sequence[Any]) -> dict[int, int]:
    ids, counts = np.unique([row.image_id for row in rows], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def _change(before: Sequence[Any], after: Sequence[Any], session: Session) -> None:
    """Take away what was counted of some masks and count what is now, in their images and rows."""
    images = Counter(row.image_id for row in after)
    images.subtract(row.image_id for row in before)
    for image_id, more in images.items():
        if more:
            session.execute(_MORE_ON_IMAGE, {"of_image": image_id, "more": more})
    rows = summed([row for row in after if row.deleted_at is None])
    for key, sums in summed([row for row in before if row.deleted_at is None]).items():
        rows[key] = rows.get(key, 0) - sums
    for key, sums in rows.items():
        if sums.any():
            _add(key, sums, session)


def _add(key: tuple[Any, ...], sums: Ints, session: Session) -> None:
    row = {f"of_{name}": value for name, value in zip(_KEY, key, strict=True)}
    before = session.execute(_SUMS, row).scalar_one_or_none()
    if before is None:
        # Where a database lets two write at once, one of them makes the row, and it is locked until its end.
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        empty = _values(key, np.zeros(LENGTH, np.int64))
        session.execute(dialect.insert(Tally).values(empty).on_conflict_do_nothing())
        before = session.execute(_SUMS, row).scalar_one()
    after = _unpacked(before) + sums
    session.execute(_SET_SUMS, {**row, "new_sums": after.tobytes(), "new_masks": int(after[0])})


def _values(key: tuple[Any, ...], sums: Ints) -> dict[str, Any]:
    return {**dict(zip(_KEY, key, strict=True)), "masks": int(sums[0]), "sums": sums.tobytes()}


def _unpacked(sums: bytes) -> Ints:
    return np.frombuffer(sums, np.int64)
