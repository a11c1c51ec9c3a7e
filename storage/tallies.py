"""Counters kept as masks are saved, so that figures of millions of masks need not read them.

One row for each project, day, person and model version holds sums of whole numbers over its live masks: how many there
are, times, prompts, and histograms. Every query that makes a mask live or ends its life counts it in the same
transaction; `recount` makes the same rows from the masks alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from storage.live import accepted_mask
from storage.models import Image, Mask, PromptRow, Tally

Ints = NDArray[np.int64]
BLOCK: Final = 20_000
NO_VERSION: Final = 0
CENTRES: Final = 12
"""Columns and rows of the map of centres."""
SECONDS: Final = 61
"""Bins of active time: a second each, the last for a minute and more."""
BANDS: Final = (0.01, 0.1)
"""Shares of the image at which a mask begins to be middling, and large."""

FIELDS: Final[dict[str, int]] = {
    "masks": 1,
    "by_hand": 1,
    "edited": 1,
    "unchanged": 1,
    "prompted": 1,
    "prompts": 1,
    "waiting_ms": 1,
    "thinking_ms": 1,
    "prompting_ms": 1,
    "painting_ms": 1,
    "by_hand_ms": 1,
    "by_hand_cs2": 1,
    "assisted_cs2": 1,
    "by_hand_seconds": SECONDS,
    "assisted_seconds": SECONDS,
    "shares": len(BANDS) + 1,
    "sizes": 40,
    "predicted": 20,
    "concavity": 20,
    "centres": CENTRES * CENTRES,
}
"""What a row's sums hold, in this order, and how many numbers each.

unchanged: assisted, one prompt, the first candidate, not painted on; prompted: assisted; sizes: sqrt(area / image area)
in 40 bins; predicted: predicted IoU in 20; concavity: 1 - area / area of the convex hull in 20; centres: of boxes, by
row; the four times: of assisted masks; by_hand_ms: all of the others' active time; cs2: squares of active time in
hundredths of a second, for its spread.
"""
_OFFSETS: Final = dict(zip(FIELDS, np.cumsum([0, *FIELDS.values()][:-1]).tolist(), strict=True))
LENGTH: Final = sum(FIELDS.values())


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
        offset = _OFFSETS[name]
        return self.sums[:, offset : offset + FIELDS[name]]


@contextmanager
def changing(mask_ids: Sequence[int | None], *, session: Session) -> Iterator[list[int]]:
    """Count masks whose life begins or ends within. Those that are made within are appended to what is yielded."""
    touched = [mask_id for mask_id in mask_ids if mask_id is not None]
    before = counting(touched, session=session)
    yield touched
    after = counting(touched, session=session)
    count(sorted(after - before), 1, session=session)
    count(sorted(before - after), -1, session=session)


def counting(mask_ids: Sequence[int], *, session: Session) -> set[int]:
    """Return those of some masks that count."""
    query = select(col(Mask.id)).where(col(Mask.id).in_(mask_ids), accepted_mask())
    return {int(found) for found in session.scalars(query) if found is not None} if mask_ids else set()


def count(mask_ids: Sequence[int], sign: int, *, session: Session) -> None:
    """Count masks that have just become live (sign 1), or whose life has just ended (-1), in their rows and images."""
    if not mask_ids:
        return
    rows = session.execute(_counted().where(col(Mask.id).in_(mask_ids))).all()
    for image_id, found in _by_image(rows).items():
        query = update(Image).where(col(Image.id) == image_id)
        session.execute(query.values(live_masks=col(Image.live_masks) + sign * found))
    _add([row for row in rows if row.deleted_at is None], sign, session)


def count_image(image_id: int, sign: int, *, session: Session) -> None:
    """Count all live masks of an image that has just come into the library, or left it."""
    rows = session.execute(_counted().where(col(Mask.image_id) == image_id, accepted_mask())).all()
    _add(rows, sign, session)


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
            query = update(Image).where(col(Image.id) == image_id)
            session.execute(query.values(live_masks=col(Image.live_masks) + found))
        for key, sums in _summed([row for row in rows if row.deleted_at is None]).items():
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


def _counted() -> Select[Any]:
    """Select what is counted of masks; the image's deletion decides whether they count in rows."""
    prompts = select(func.count()).select_from(PromptRow).where(col(PromptRow.mask_id) == col(Mask.id))
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
        col(Image.project_id),
        col(Image.width),
        col(Image.height),
        col(Image.deleted_at),
        prompts.scalar_subquery().label("prompts"),
    )
    return select(*columns).join(Image, col(Image.id) == col(Mask.image_id))


def _by_image(rows: Sequence[Any]) -> dict[int, int]:
    ids, counts = np.unique([row.image_id for row in rows], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def _add(rows: Sequence[Any], sign: int, session: Session) -> None:
    for key, sums in _summed(rows).items():
        where = (
            (col(Tally.project_id) == key[0])
            & (col(Tally.day) == key[1])
            & (col(Tally.person_id) == key[2])
            & (col(Tally.model_version_id) == key[3])
        )
        # Where a database lets two write at once, one of them makes the row, and it is locked until its end.
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        empty = _values(key, np.zeros(LENGTH, np.int64))
        session.execute(dialect.insert(Tally).values(empty).on_conflict_do_nothing())
        before = session.execute(select(col(Tally.sums)).where(where).with_for_update()).scalar_one()
        after = _unpacked(before) + sign * sums
        session.execute(update(Tally).where(where).values(sums=after.tobytes(), masks=int(after[0])))


def _values(key: tuple[Any, ...], sums: Ints) -> dict[str, Any]:
    project_id, day, person_id, version_id = key
    return {
        "project_id": project_id,
        "day": day,
        "person_id": person_id,
        "model_version_id": version_id,
        "masks": int(sums[0]),
        "sums": sums.tobytes(),
    }


def _unpacked(sums: bytes) -> Ints:
    return np.frombuffer(sums, np.int64)


def _summed(rows: Sequence[Any]) -> dict[tuple[Any, ...], Ints]:
    """Return the sums over masks, by what their row is of."""
    keys = [(row.project_id, row.created_at.date(), row.person_id, row.model_version_id or NO_VERSION) for row in rows]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    table = np.zeros((len(places), LENGTH), np.int64)
    at = np.array([places[key] for key in keys], np.intp)
    if len(rows):
        _sum_up(table, at, rows)
    return {key: table[place] for key, place in places.items()}


def _sum_up(table: Ints, at: NDArray[np.intp], rows: Sequence[Any]) -> None:
    def column(name: str) -> Ints:
        return np.array([getattr(row, name) for row in rows], np.int64)

    def known(name: str) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        values = np.array([np.nan if getattr(row, name) is None else getattr(row, name) for row in rows], float)
        return ~np.isnan(values), values

    def put(name: str, amounts: Ints | int, bins: Ints | int = 0, where: NDArray[np.bool_] | None = None) -> None:
        chosen = slice(None) if where is None else where
        amounts, bins = np.broadcast_to(amounts, at.shape), np.broadcast_to(bins, at.shape)
        np.add.at(table, (at[chosen], _OFFSETS[name] + bins[chosen]), amounts[chosen])

    by_hand = np.array([row.origin == "by_hand" for row in rows])
    assisted = np.array([row.origin == "assisted" for row in rows])
    edited = np.array([bool(row.edited) for row in rows])
    first = np.array([row.candidate_rank == 0 for row in rows])
    times = [column(f"{kind}_ms") for kind in ("waiting", "thinking", "prompting", "painting")]
    active = np.sum(times, axis=0)
    seconds = np.minimum(active // 1000, SECONDS - 1)
    width, height = column("width"), column("height")
    share = column("area") / (width * height)
    put("masks", 1)
    put("by_hand", by_hand.astype(np.int64))
    put("edited", edited.astype(np.int64))
    put("unchanged", (assisted & ~edited & first & (column("prompts") == 1)).astype(np.int64))
    put("prompted", assisted.astype(np.int64))
    put("prompts", column("prompts"), where=assisted)
    for kind, spent in zip(("waiting", "thinking", "prompting", "painting"), times, strict=True):
        put(f"{kind}_ms", spent, where=assisted)
    put("by_hand_ms", active, where=by_hand)
    put("by_hand_cs2", (active // 10) ** 2, where=by_hand)
    put("assisted_cs2", (active // 10) ** 2, where=assisted)
    put("by_hand_seconds", 1, seconds, by_hand)
    put("assisted_seconds", 1, seconds, assisted)
    put("shares", 1, np.searchsorted(BANDS, share, side="right"))
    put("sizes", 1, _bins(np.sqrt(share), FIELDS["sizes"]))
    for field, name in (("predicted", "predicted_iou"), ("concavity", "concavity")):
        there, values = known(name)
        put(field, 1, _bins(np.where(there, values, 0), FIELDS[field]), there)
    across = _bins((column("bbox_x") + column("bbox_width") / 2) / width, CENTRES)
    down = _bins((column("bbox_y") + column("bbox_height") / 2) / height, CENTRES)
    put("centres", 1, down * CENTRES + across)


def _bins(values: NDArray[np.float64], count: int) -> Ints:
    """Return which of `count` equal bins of [0, 1] each value lies in; 1 lies in the last."""
    return np.clip((values * count).astype(np.int64), 0, count - 1)
