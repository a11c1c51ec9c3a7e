"""Queries about images."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import Session, col

from storage import tallies
from storage.errors import MissingRow
from storage.live import accepted_mask, live_mask, proposed_mask
from storage.models import UNRANKED, Image, Mask, Round, Seat, Skip, Survey, Work
from storage.rows import FilesRow, ImageRow, NewImage, Progress
from storage.tables import table_of
from storage.types import now

_MANY: Final = 500
"""Ids in one query; databases allow only so many."""
_IMAGE: Final = table_of(Image)
_SET_STATE: Final = update(_IMAGE).where(_IMAGE.c.id == bindparam("image_id")).values(state=bindparam("new_state"))
_SET_STATE_FROM: Final = _SET_STATE.where(_IMAGE.c.state == bindparam("only_from"))
_COLUMNS: tuple[InstrumentedAttribute[Any], ...] = tuple(
    getattr(Image, name)
    for name in (
        "id",
        "project_id",
        "name",
        "sha256",
        "working_sha256",
        "thumb_sha256",
        "width",
        "height",
        "original_width",
        "original_height",
        "original_format",
        "original_bytes",
        "state",
        "created_at",
        "version",
        "priority",
    )
)


def _proposals() -> Any:
    return select(func.count()).select_from(Mask).where(live_mask(), proposed_mask())


@cache
def _rows() -> Select[Any]:
    """Select live images with their counts, each count one look into an index."""
    skips = (
        select(func.count())
        .select_from(Skip)
        .where(col(Skip.image_id) == col(Image.id), col(Skip.taken_back_at).is_(None))
        .scalar_subquery()
    )
    work = select(func.count()).select_from(Work).where(col(Work.image_id) == col(Image.id)).scalar_subquery()
    proposals = _proposals().where(col(Mask.image_id) == col(Image.id)).correlate(Image).scalar_subquery()
    return select(*_COLUMNS, col(Image.live_masks), proposals, skips, work).where(col(Image.deleted_at).is_(None))


@cache
def _row_by_id() -> Select[Any]:
    return _rows().where(col(Image.id) == bindparam("image_id"))


def _row(values: Any) -> ImageRow:
    fields = list(values)
    fields[-1] = fields[-1] > 0  # how much work there is becomes whether there is any
    return ImageRow(*fields)


def page(
    project_id: int,
    *,
    session: Session,
    limit: int,
    after: int | None = None,
    state: str | None = None,
    search: str | None = None,
    offset: int = 0,
) -> list[ImageRow]:
    """Return up to `limit` images in queue order, those after image `after` if given.

    `search` keeps the images whose name contains it, whatever the case of ASCII letters.
    """
    query = _filtered(_rows(), project_id, state, search)
    if after is not None:
        query = query.where(col(Image.id) > after)
    found = session.execute(query.order_by(col(Image.id)).limit(limit).offset(offset))
    return [_row(values) for values in found]


def queue(
    project_id: int, *, session: Session, limit: int, after: int | None = None, state: str | None = None
) -> list[ImageRow]:
    """Return up to `limit` images by priority, then by place, then as imported; those after image `after` if given."""
    query = _filtered(_rows(), project_id, state, None)
    keys = (col(Image.priority), col(Image.place), col(Image.id))
    if after is not None:
        last = session.execute(select(*keys).where(col(Image.id) == after)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*keys) > tuple_(*(literal(value) for value in last)))
    return [_row(values) for values in session.execute(query.order_by(*keys).limit(limit))]


def most_left(
    project_id: int,
    *,
    session: Session,
    limit: int,
    offset: int = 0,
    state: str | None = None,
    search: str | None = None,
) -> list[ImageRow]:
    """Return a page of the surveyed images, those with most left first."""
    query = _filtered(_rows(), project_id, state, search).join(Survey, col(Survey.image_id) == col(Image.id))
    query = query.where(col(Survey.project_id) == project_id)
    query = query.order_by(col(Survey.left_over).desc(), col(Survey.image_id).desc()).limit(limit).offset(offset)
    return [_row(values) for values in session.execute(query)]


def count_surveyed(project_id: int, *, session: Session, state: str | None = None, search: str | None = None) -> int:
    """Return how many images the same filters of `most_left` keep."""
    query = select(func.count()).select_from(Image).join(Survey, col(Survey.image_id) == col(Image.id))
    query = _filtered(query, project_id, state, search)
    return int(session.execute(query.where(col(Image.deleted_at).is_(None))).scalar_one())


def count(project_id: int, *, session: Session, state: str | None = None, search: str | None = None) -> int:
    """Return how many images the same filters of `page` keep."""
    query = _filtered(select(func.count()).select_from(Image), project_id, state, search)
    return int(session.execute(query.where(col(Image.deleted_at).is_(None))).scalar_one())


def _filtered(query: Select[Any], project_id: int, state: str | None, search: str | None) -> Select[Any]:
    query = query.where(col(Image.project_id) == project_id)
    if state is not None:
        query = query.where(col(Image.state) == state)
    if search:
        query = query.where(func.lower(col(Image.name)).contains(search.lower(), autoescape=True))
    return query


def get(image_id: int, *, session: Session) -> ImageRow:
    """Return an image.

    Raises
    ------
    MissingRow
        If there is none, or it was deleted.
    """
    found = session.execute(_row_by_id(), {"image_id": image_id}).one_or_none()
    if found is None:
        raise MissingRow(f"image {image_id} must be in the library, but it is not, or was deleted")
    return _row(found)


def project_of(image_id: int, *, session: Session) -> int | None:
    """Return the project of an image, deleted or not, or None if there is no such image."""
    return session.execute(select(col(Image.project_id)).where(col(Image.id) == image_id)).scalar_one_or_none()


def ids(project_id: int, *, session: Session, after: int, limit: int) -> list[int]:
    """Return the ids of up to `limit` live images after image `after`, lowest first."""
    here = (col(Image.project_id) == project_id, col(Image.deleted_at).is_(None), col(Image.id) > after)
    query = select(col(Image.id)).where(*here).order_by(col(Image.id)).limit(limit)
    return [value for value in session.scalars(query) if value is not None]


def some(image_ids: list[int], *, session: Session) -> list[ImageRow]:
    """Return those of the given images that are in the library, in the order given."""
    rows = session.execute(_rows().where(col(Image.id).in_(image_ids)))
    found = {row.id: row for row in map(_row, rows)}
    return [found[image_id] for image_id in image_ids if image_id in found]


def drawable(project_id: int, *, with_masks: bool, session: Session) -> list[int]:
    """Return the ids of a project's live images, or only of those that are done and have masks."""
    query = select(col(Image.id)).where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None))
    if with_masks:
        query = query.where(
            col(Image.state) == "done",
            exists().where(col(Mask.image_id) == col(Image.id), accepted_mask()),
        )
    return [int(found) for found in session.scalars(query.order_by(col(Image.id))) if found is not None]


def insert(new: NewImage, *, session: Session) -> tuple[int, bool]:
    """Put an image into the library and return (id, whether it is new there).

    The same photo twice is one image. One that was deleted comes back, as new.
    """
    same = select(Image).where(col(Image.project_id) == new.project_id, col(Image.sha256) == new.sha256)
    known = session.scalars(same).one_or_none()
    if known is not None:
        was_deleted = known.deleted_at is not None
        known.deleted_at = None
        session.flush()
        if was_deleted:
            tallies.count_image(_id(known), 1, session=session)
        return _id(known), was_deleted
    image = Image(**{name: getattr(new, name) for name in NewImage.__dataclass_fields__})
    session.add(image)
    session.flush()
    return _id(image), True


def known_sha256(project_id: int, sha256: str, *, session: Session) -> bool:
    """Return whether this original is in the library and not deleted."""
    query = select(col(Image.id)).where(
        col(Image.project_id) == project_id, col(Image.sha256) == sha256, col(Image.deleted_at).is_(None)
    )
    return session.execute(query).first() is not None


def by_sha256(project_id: int, sha256: str, *, session: Session) -> ImageRow:
    """Return the live image whose original has this hash.

    Raises
    ------
    MissingRow
        If there is none.
    """
    where = (col(Image.project_id) == project_id, col(Image.sha256) == sha256, col(Image.deleted_at).is_(None))
    found = session.scalars(select(col(Image.id)).where(*where)).one_or_none()
    if found is None:
        raise MissingRow(f"an image of hash {sha256[:12]}… must be in the library, but is not")
    return get(found, session=session)


def copies(image_id: int, *, session: Session) -> list[int]:
    """Return the ids of an image and of its copies in seats of its project's rounds, deleted ones too."""
    mine = select(col(Image.project_id), col(Image.sha256)).where(col(Image.id) == image_id).subquery()
    seats = select(col(Seat.project_id)).join(Round, col(Round.id) == col(Seat.round_id))
    seats = seats.where(col(Round.project_id) == mine.c.project_id)
    here = or_(col(Image.project_id) == mine.c.project_id, col(Image.project_id).in_(seats))
    query = select(col(Image.id)).join(mine, col(Image.sha256) == mine.c.sha256).where(here)
    return sorted(int(found) for found in session.scalars(query) if found is not None)


def set_files(image_ids: list[int], *, working_sha256: str, thumb_sha256: str, session: Session) -> None:
    """Give images another working image and thumbnail of the same size."""
    query = update(Image).where(col(Image.id).in_(image_ids))
    session.execute(query.values(working_sha256=working_sha256, thumb_sha256=thumb_sha256))


def files_of(image_id: int, *, session: Session) -> FilesRow:
    """Return the files of an image, deleted or not.

    Raises
    ------
    MissingRow
        If there is no such image.
    """
    names = ("project_id", "sha256", "working_sha256", "thumb_sha256", "width", "height")
    query = select(*(getattr(Image, name) for name in names)).where(col(Image.id) == image_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise MissingRow(f"image {image_id} must be in the library, but it is not")
    return FilesRow(*found)


def set_state(image_id: int, state: str, *, session: Session, only_from: str | None = None) -> None:
    """Set how far an image is; with `only_from`, only if it is in that state."""
    if only_from is None:
        session.execute(_SET_STATE, {"image_id": image_id, "new_state": state})
    else:
        session.execute(_SET_STATE_FROM, {"image_id": image_id, "new_state": state, "only_from": only_from})


def set_thumb(image_id: int, sha256: str, *, of_working: str, session: Session) -> bool:
    """Name another thumbnail of an image; return False, and change nothing, if it shows another working image now."""
    shown = and_(col(Image.id) == image_id, col(Image.working_sha256) == of_working)
    result: Any = session.execute(update(Image).where(shown).values(thumb_sha256=sha256))
    return bool(result.rowcount == 1)


def say_state(image_id: int, state: str, *, person_id: int, seen: int | None, session: Session) -> bool:
    """Set how far an image is in a person's name; return False, and change nothing, if that would undo another's word.

    With `seen`, the version that the person knows, it does so if somebody else has said something since.
    """
    query = update(Image).where(col(Image.id) == image_id)
    if seen is not None:
        own = or_(col(Image.version) == seen, col(Image.state_by) == person_id, col(Image.state) == state)
        query = query.where(own)
    said = query.values(state=state, state_by=person_id, version=col(Image.version) + 1)
    result: Any = session.execute(said)
    return bool(result.rowcount == 1)


def state_by(image_id: int, *, session: Session) -> int | None:
    """Return who has said last how far an image is, None if nobody has."""
    return session.execute(select(col(Image.state_by)).where(col(Image.id) == image_id)).scalar_one_or_none()


def set_priority(image_ids: Sequence[int], priority: int, *, session: Session) -> int:
    """Let images come first (1), in their turn (2) or last (3); return how many were changed."""
    changed = 0
    for begin in range(0, len(image_ids), _MANY):
        query = update(Image).where(col(Image.id).in_(image_ids[begin : begin + _MANY]))
        result: Any = session.execute(query.where(col(Image.priority) != priority).values(priority=priority))
        changed += result.rowcount
    return changed


def set_places(project_id: int, image_ids: Sequence[int], *, session: Session) -> None:
    """Let these images be the project's first in this order, and all others follow as imported."""
    placed = select(col(Image.id), col(Image.place))
    placed = placed.where(col(Image.project_id) == project_id, col(Image.place) < UNRANKED)
    kept = {row[0]: row[1] for row in session.execute(placed)}
    wanted = dict.fromkeys(kept, UNRANKED) | {image_id: place for place, image_id in enumerate(image_ids)}
    rows = [{"id": one, "place": place} for one, place in wanted.items() if kept.get(one, UNRANKED) != place]
    for begin in range(0, len(rows), _MANY):
        session.execute(update(Image), rows[begin : begin + _MANY])


def soft_delete(image_ids: list[int], *, session: Session) -> int:
    """Take images out of the library and return how many; their masks stay and come back with them."""
    live = select(col(Image.id)).where(col(Image.id).in_(image_ids), col(Image.deleted_at).is_(None))
    found = [int(image_id) for image_id in session.scalars(live) if image_id is not None]
    for image_id in found:
        tallies.count_image(image_id, -1, session=session)
    session.execute(update(Image).where(col(Image.id).in_(found)).values(deleted_at=now()))
    return len(found)


def progress(project_id: int, *, session: Session) -> Progress:
    """Return how far the project is."""
    images = select(func.count()).select_from(Image)
    here = (col(Image.project_id) == project_id) & col(Image.deleted_at).is_(None)
    skips = select(func.count()).select_from(Skip).join(Image, col(Skip.image_id) == col(Image.id))
    proposals = _proposals().join(Image, col(Mask.image_id) == col(Image.id)).where(here)
    waiting = session.execute(proposals).scalar_one()
    return Progress(
        images=session.execute(images.where(here)).scalar_one(),
        done=session.execute(images.where(here, col(Image.state) == "done")).scalar_one(),
        masks=tallies.masks_of(project_id, session=session),
        skips=session.execute(skips.where(here, col(Skip.taken_back_at).is_(None))).scalar_one(),
        proposals=waiting,
    )


def _id(image: Image) -> int:
    if image.id is None:
        raise AssertionError("a flushed row has an id")
    return image.id
