"""Queries about accepted masks."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select, update
from sqlmodel import Session, col

from storage import flags, tallies
from storage.errors import MissingRow
from storage.live import accepted_mask, live_mask
from storage.models import EditRow, Image, Mask, MaskRle, PromptRow, Review
from storage.narrowing import MaskRanges, Narrow, narrowed, within
from storage.rows import FlagRow, LearnableRow, MaskRow, NewEdit, NewPrompt, RunsRow, Times, Touched
from storage.types import now

STREAM_PAGE = 500
_AT_ONCE: Final = 1000
REFUSED = ("reject", "fix", "send_back")
"""Verdicts after which a mask teaches nothing."""


def find(ref: int | str, *, session: Session) -> Mask:
    """Return the row of a mask, deleted or not, by id or key.

    Raises
    ------
    MissingRow
        If there is none.
    """
    where = col(Mask.id) == ref if isinstance(ref, int) else col(Mask.key) == ref
    mask = session.scalars(select(Mask).where(where)).one_or_none()
    if mask is None:
        raise MissingRow(f"mask {str(ref)[:80]!r} must exist, but it does not")
    return mask


def delete(ref: int | str, *, session: Session, revive: bool = False) -> Touched:
    """Delete a mask (again: nothing), and with it what it superseded.

    With `revive` what it superseded lives again, unless a later correction stands for both. Where that was deleted
    too, the nearest version before it that was not lives.
    """
    mask = find(ref, session=session)
    changed = mask.deleted_at is None
    if changed:
        before = _undeleted(mask.supersedes_id, session)
        with tallies.changing([_id(mask), before], session=session):
            mask.deleted_at = now()
            session.flush()
            stood = mask.superseded_at is None
            if revive and stood and before is not None and _superseder(before, session) is None:
                set_superseded(before, False, session)
    return Touched(_id(mask), mask.image_id, changed)


def restore(ref: int | str, *, session: Session) -> Touched:
    """Bring a deleted mask back (again: nothing); it supersedes again what it did."""
    mask = find(ref, session=session)
    changed = mask.deleted_at is not None
    if changed:
        with tallies.changing([_id(mask), mask.supersedes_id], session=session):
            mask.deleted_at = None
            mask.superseded_at = mask.superseded_at if _superseder(_id(mask), session) is not None else None
            session.flush()
            if mask.supersedes_id is not None:
                set_superseded(mask.supersedes_id, True, session)
    return Touched(_id(mask), mask.image_id, changed)


def lineage(mask_id: int, *, session: Session) -> list[int]:
    """Return a mask and those it corrects, directly and through others, newest first."""
    found: list[int] = []
    following: int | None = mask_id
    while following is not None:
        found.append(following)
        following = session.execute(select(col(Mask.supersedes_id)).where(col(Mask.id) == following)).scalar_one()
    return found


def heir(mask_id: int, *, session: Session) -> int:
    """Return what stands in a mask's place now: its newest correction that was not deleted, else the mask itself."""
    while (following := _superseder(mask_id, session)) is not None:
        mask_id = following
    return mask_id


def _undeleted(mask_id: int | None, session: Session) -> int | None:
    """Return a mask, or the nearest that it corrects, that was not deleted."""
    while mask_id is not None:
        query = select(col(Mask.supersedes_id), col(Mask.deleted_at)).where(col(Mask.id) == mask_id)
        before, deleted_at = session.execute(query).one()
        if deleted_at is None:
            return mask_id
        mask_id = before
    return None


def _superseder(mask_id: int, session: Session) -> int | None:
    query = select(col(Mask.id)).where(col(Mask.supersedes_id) == mask_id, col(Mask.deleted_at).is_(None))
    return session.scalars(query.order_by(col(Mask.id).desc()).limit(1)).first()


def set_superseded(mask_id: int, superseded: bool, session: Session) -> None:
    """Note that a correction stands for a mask, or none does any more."""
    query = update(Mask).where(col(Mask.id) == mask_id)
    session.execute(query.values(superseded_at=now() if superseded else None))


def set_label(ref: int | str, label: str | None, *, session: Session) -> Touched:
    """Set or clear a mask's label."""
    mask = find(ref, session=session)
    changed = mask.label != label
    mask.label = label
    session.flush()
    return Touched(_id(mask), mask.image_id, changed)


def set_returned(mask_id: int, returned: bool, *, session: Session) -> None:
    """Note that a reviewer's verdict sends a mask back to its author, or none does any more."""
    session.execute(update(Mask).where(col(Mask.id) == mask_id).values(returned_at=now() if returned else None))


def replaced_by(mask_id: int, *, session: Session) -> int | None:
    """Return who made the correction that stands for a mask, None if none does."""
    later = _superseder(mask_id, session)
    return None if later is None else session.execute(select(col(Mask.person_id)).where(col(Mask.id) == later)).scalar()


def of_image(image_id: int, *, session: Session) -> list[MaskRow]:
    """Return the live masks of an image with pixels, prompts and flags, oldest first."""
    query = _with_rle().where(col(Mask.image_id) == image_id, live_mask()).order_by(col(Mask.id))
    return _complete([(mask, rle) for mask, rle in session.execute(query)], session)


def get(ref: int | str, *, session: Session) -> MaskRow:
    """Return one mask, deleted or not, with pixels, prompts and flags.

    Raises
    ------
    MissingRow
        If there is none.
    """
    mask_id = _id(find(ref, session=session))
    found = session.execute(_with_rle().where(col(Mask.id) == mask_id)).one()
    return _complete([(found[0], found[1])], session)[0]


def newest_id(*, session: Session) -> int:
    """Return the id of the mask saved last, which is how many ever were; 0 before the first."""
    return session.scalar(select(func.max(col(Mask.id)))) or 0


def rles_of_image(image_id: int, *, session: Session) -> list[RunsRow]:
    """Return the runs of an image's live masks: what checks compare with."""
    rows = session.execute(_runs(), {"image_id": image_id})
    return [RunsRow(row[0], row[1], row[2], row[3], (row[4], row[5], row[6], row[7])) for row in rows]


@cache
def _runs() -> Select[Any]:
    runs: tuple[Any, ...] = (MaskRle.mask_id, MaskRle.height, MaskRle.width, MaskRle.counts)
    box: tuple[Any, ...] = (Mask.bbox_x, Mask.bbox_y, Mask.bbox_width, Mask.bbox_height)
    query = select(*map(col, (*runs, *box))).join(Mask, col(Mask.id) == col(MaskRle.mask_id))
    return query.where(col(Mask.image_id) == bindparam("image_id"), live_mask())


def learnable(project_id: int, *, session: Session) -> Iterator[LearnableRow]:
    """Yield every accepted mask that no reviewer refused, oldest first, without its pixels."""
    refused = select(col(Review.id)).where(col(Review.mask_id) == col(Mask.id), col(Review.verdict).in_(REFUSED))
    query = (
        select(col(Mask.id), col(Mask.image_id), col(Image.working_sha256))
        .join(Image, col(Image.id) == col(Mask.image_id))
        .where(
            col(Image.project_id) == project_id,
            col(Image.deleted_at).is_(None),
            accepted_mask(),
            ~refused.exists(),
        )
        .order_by(col(Mask.id))
    )
    found = session.execute(query.execution_options(yield_per=_AT_ONCE))
    return (LearnableRow(row[0], row[1], row[2]) for row in found)


def behind(project_id: int, *, by: Narrow, ranges: MaskRanges, session: Session, limit: int) -> list[int]:
    """Return the newest live masks behind a bar of a chart.

    They are looked for from the newest on: a bar of few old masks costs a walk over all.
    """
    query = (
        select(col(Mask.id))
        .join(Image, col(Image.id) == col(Mask.image_id))
        .where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None), accepted_mask())
        .order_by(col(Mask.id).desc())
        .limit(limit)
    )
    query = within(narrowed(query, by, at=col(Mask.created_at)), ranges)
    return [int(found) for found in session.scalars(query) if found is not None]


def stream(project_id: int, *, session: Session, after_image: int = 0) -> Iterator[tuple[int, list[MaskRow]]]:
    """Yield (image id, its live masks) of every live image in image order, also of images without masks.

    Memory holds one image's masks and one page of ids, however many there are.
    """
    last = after_image
    while True:
        query = (
            select(col(Image.id))
            .where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None), col(Image.id) > last)
            .order_by(col(Image.id))
            .limit(STREAM_PAGE)
        )
        ids = [value for value in session.scalars(query) if value is not None]
        if not ids:
            return
        for image_id in ids:
            yield image_id, of_image(image_id, session=session)
            session.expunge_all()
        last = ids[-1]


def _with_rle() -> Any:
    return select(Mask, MaskRle).join(MaskRle, col(MaskRle.mask_id) == col(Mask.id))


def _complete(found: list[tuple[Mask, MaskRle]], session: Session) -> list[MaskRow]:
    ids = [_id(mask) for mask, _ in found]
    prompts = _prompts_of(ids, session)
    said = flags.of_masks(ids, session=session)
    return [_row(mask, rle, prompts.get(_id(mask), []), said.get(_id(mask), [])) for mask, rle in found]


def edits_of(mask_id: int, *, session: Session) -> list[NewEdit]:
    """Return the edits of a mask, in the order in which they were made."""
    query = select(EditRow).where(col(EditRow.mask_id) == mask_id).order_by(col(EditRow.ordinal))
    return [NewEdit(row.kind, row.detail, row.at_ms) for row in session.scalars(query)]


def _prompts_of(mask_ids: list[int], session: Session) -> dict[int, list[NewPrompt]]:
    query = select(PromptRow).where(col(PromptRow.mask_id).in_(mask_ids))
    prompts: dict[int, list[NewPrompt]] = {}
    for row in session.scalars(query.order_by(col(PromptRow.mask_id), col(PromptRow.ordinal))):
        prompt = NewPrompt(row.kind, row.x, row.y, row.x1, row.y1, row.label, row.at_ms)
        prompts.setdefault(row.mask_id, []).append(prompt)
    return prompts


def _row(mask: Mask, rle: MaskRle, prompts: Iterable[NewPrompt], said: Iterable[FlagRow]) -> MaskRow:
    return MaskRow(
        id=_id(mask),
        key=mask.key,
        image_id=mask.image_id,
        person_id=mask.person_id,
        model_version_id=mask.model_version_id,
        supersedes_id=mask.supersedes_id,
        object_key=mask.object_key,
        origin=mask.origin,
        label=mask.label,
        area=mask.area,
        bbox=(mask.bbox_x, mask.bbox_y, mask.bbox_width, mask.bbox_height),
        predicted_iou=mask.predicted_iou,
        stability_score=mask.stability_score,
        candidate_level=mask.candidate_level,
        candidate_rank=mask.candidate_rank,
        edited=mask.edited,
        kept_iou=mask.kept_iou,
        times=Times(mask.waiting_ms, mask.thinking_ms, mask.prompting_ms, mask.painting_ms),
        created_at=mask.created_at,
        height=rle.height,
        width=rle.width,
        counts=rle.counts,
        prompts=tuple(prompts),
        flags=tuple(said),
    )


def _id(mask: Mask) -> int:
    if mask.id is None:
        raise AssertionError("a stored row has an id")
    return mask.id
