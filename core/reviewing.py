"""What a reviewer does: take the next mask of a queue, give a verdict on it."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from core import proposals
from core.errors import Conflict, InvalidInput
from core.painted import Stroke, strokes_of
from core.roles import holders, may, require
from core.scope import stay_in
from core.workshop import Library
from storage import audits, events, flags, images, masks, people, reviews, skips
from storage.rows import AuditRow, ImageRow, MaskRow, NewReview, ReviewRow, SkipRow

Outcome = Literal["approve", "fix", "send_back", "reject"]
OUTCOMES: Final = get_args(Outcome)
Queue = Literal["flagged", "unreviewed"]
CODES: Final = {
    "other_object": "holds part of another object",
    "missing_part": "misses a part",
    "two_things": "joins unrelated things",
    "arbitrary": "arbitrary part",
    "holes": "wrong holes",
    "specks": "loose pixels",
    "edge": "poor edge",
    "occluders": "occluders",
    "off_prompt": "point outside",
    "wrong_box": "wrong for the box",
}
"""Errors as annotators of SAM's masks named them (Kirillov et al., arXiv 2304.02643, appendix G)."""
RUBRIC: Final = {
    1: "no object, or no mask of it",
    3: "the object can be told, the mask is extremely poor",
    5: "the outline is mostly right, with major errors",
    8: "small, rare errors",
    10: "perfect to the pixel",
}
"""What ratings mean, as in appendix E of the same paper."""
BY_REVIEW: Final = "approved"
"""How a reviewer's approval answers an imported mask's flag: taking it back opens just that."""
LONGEST_COMMENT: Final = 2000
MOST_MARKS: Final = 200
MOST_CORNERS: Final = 2000
WAITING: Final = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer says of a mask.

    Attributes
    ----------
    rating : int, optional
        1 to 10, see `RUBRIC`.
    codes : tuple of str
        Keys of `CODES`.
    markup : tuple
        Lines drawn on the picture, each a list of [x, y] in working-image pixels.
    audit_id : int, optional
        The audit it is given for.
    """

    mask_id: int
    outcome: Outcome
    rating: int | None = None
    codes: tuple[str, ...] = ()
    comment: str = ""
    markup: tuple[list[list[float]], ...] = ()
    audit_id: int | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """A mask to be reviewed, with what lies around it.

    Attributes
    ----------
    neighbours : list of MaskRow
        The image's other live masks.
    author : str
    reviews : list of ReviewRow
        Earlier verdicts; none are told in an audit, which is blind.
    strokes : list of Stroke
        What was painted, in its order.
    """

    mask: MaskRow
    image: ImageRow
    neighbours: list[MaskRow]
    author: str
    reviews: list[ReviewRow] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many masks and objects wait, 500 at most of each."""

    flagged: int
    unreviewed: int
    sent_back: int
    hard: int


def task(library: Library, mask_id: int, *, blind: bool = False) -> Task:
    """Return a mask with what a reviewer wants to see of it.

    Raises
    ------
    MissingRow
        If there is no such mask.
    """
    with library.engines.reading() as session:
        mask = masks.get(mask_id, session=session)
        image = images.get(mask.image_id, session=session)
        others = [one for one in masks.of_image(mask.image_id, session=session) if one.id != mask_id]
        author = people.get(mask.person_id, session=session).name
        strokes = strokes_of(masks.edits_of(mask_id, session=session)) if mask.edited else []
        said = [] if blind else reviews.of_masks([mask_id], session=session).get(mask_id, [])
    return Task(mask, image, others, author, said, strokes)


def next_mask(library: Library, queue: Queue) -> int | None:
    """Return the next mask of a queue for this person, None if nothing waits."""
    with library.engines.reading() as session:
        ask = reviews.flagged if queue == "flagged" else reviews.unreviewed
        found = ask(library.project_id, but_of=_not_own(library, session), session=session, limit=1)
    return found[0] if found else None


def next_of_audit(library: Library, audit: AuditRow) -> int | None:
    """Return the next mask of an audit for this person, None if nothing waits for them."""
    with library.engines.reading() as session:
        own = _not_own(library, session) is not None
        return audits.next_mask(audit, library.person_id, but_own=own, session=session)


def waiting(library: Library) -> Waiting:
    """Return how much waits."""
    project = library.project_id
    with library.engines.reading() as session:
        own = _not_own(library, session)
        return Waiting(
            flagged=len(reviews.flagged(project, but_of=own, session=session, limit=WAITING)),
            unreviewed=len(reviews.unreviewed(project, but_of=own, session=session, limit=WAITING)),
            sent_back=reviews.count_sent_back(project, session=session, limit=WAITING),
            hard=skips.count_waiting(project, session=session, limit=WAITING),
        )


def hard_queue(library: Library, *, limit: int) -> list[tuple[SkipRow, ImageRow]]:
    """Return the skipped objects that wait, oldest first, each with its image."""
    with library.engines.reading() as session:
        found = skips.waiting(library.project_id, session=session, limit=limit)
        shown = {row.id: row for row in images.some([skip.image_id for skip in found], session=session)}
    return [(skip, shown[skip.image_id]) for skip in found]


def sent_back(library: Library, *, limit: int) -> list[tuple[ReviewRow, Task]]:
    """Return the masks that were sent back to their authors and are not mended yet, oldest first.

    Who may not change other people's masks is told of their own only.
    """
    author = None if may(library, "change_others") else library.person_id
    with library.engines.reading() as session:
        found = reviews.sent_back(library.project_id, author=author, session=session, limit=limit)
    return [(one, task(library, one.mask_id)) for one in found]


def give(library: Library, key: str, verdict: Verdict) -> int:
    """Keep a verdict under an idempotency key and return its id; the same key again changes nothing.

    Approving an imported mask that nobody has accepted accepts it.

    Raises
    ------
    InvalidInput
        If it is none that can be given, or of a mask of one's own while there are others who could review it.
    MissingRow
        If the mask or audit does not exist.
    Forbidden
        If the person may not review.
    """
    require(library, "review")
    _check(verdict)
    with library.engines.writing() as session:
        mask = masks.get(verdict.mask_id, session=session)
        stay_in(library, mask.image_id, session=session)
        if mask.person_id == _not_own(library, session):
            raise InvalidInput(f"a mask must be reviewed by somebody else than its author, but {mask.id} is your own")
        if verdict.audit_id is not None:
            audits.get(verdict.audit_id, session=session)
        review_id, created = reviews.add(
            NewReview(
                key=key,
                mask_id=verdict.mask_id,
                person_id=library.person_id,
                audit_id=verdict.audit_id,
                verdict=verdict.outcome,
                rating=verdict.rating,
                codes=verdict.codes,
                comment=verdict.comment.strip() or None,
                markup=verdict.markup,
                took_ms=verdict.took_ms,
            ),
            session=session,
        )
        if created:
            if verdict.outcome == reviews.SENT_BACK:
                masks.set_returned(mask.id, True, session=session)
            if verdict.outcome == "approve":
                proposals.accept(library, mask.id, session=session, resolution=BY_REVIEW)
            events.add(
                "review",
                person_id=library.person_id,
                image_id=mask.image_id,
                mask_id=mask.id,
                detail={"verdict": verdict.outcome},
                session=session,
            )
    return review_id


def take_back(library: Library, review_id: int) -> None:
    """Take a verdict of one's own back.

    Raises
    ------
    MissingRow
        If there is no such verdict.
    Conflict
        If it is another person's, or the mask was corrected since.
    Forbidden
        If the person may not review.
    """
    require(library, "review")
    with library.engines.writing() as session:
        review = reviews.get(review_id, session=session)
        if review.person_id != library.person_id:
            raise Conflict("a verdict must be taken back by who gave it, but this is another person's")
        if review.corrected_id is not None:
            raise Conflict("a verdict must be taken back before the mask is corrected, but it was corrected already")
        reviews.remove(review_id, session=session)
        mask = masks.get(review.mask_id, session=session)
        said = reviews.of_masks([mask.id], session=session).get(mask.id, [])
        masks.set_returned(mask.id, any(one.verdict == reviews.SENT_BACK for one in said), session=session)
        for flag in mask.flags:
            if flag.name == proposals.ORIGIN and flag.resolution == BY_REVIEW:
                flags.resolve(flag.id, None, session=session)
        events.add(
            "take_back_review",
            person_id=library.person_id,
            image_id=mask.image_id,
            mask_id=mask.id,
            detail={"verdict": review.verdict},
            session=session,
        )


def _not_own(library: Library, session: Any) -> int | None:
    """Return whose masks this person may not review: their own, unless nobody else is there who may."""
    others = people.others(library.person_id, roles=holders("review"), session=session)
    return library.person_id if others else None


def _check(verdict: Verdict) -> None:
    if verdict.outcome not in OUTCOMES:
        raise InvalidInput(f"a verdict must be one of {', '.join(OUTCOMES)}, got {verdict.outcome!r}")
    if verdict.rating is not None and not 1 <= verdict.rating <= 10:
        raise InvalidInput(f"a rating must be from 1 to 10, got {verdict.rating}")
    unknown = sorted(set(verdict.codes) - set(CODES))
    if unknown:
        raise InvalidInput(f"an error's code must be one of {', '.join(CODES)}, got {unknown[0]!r}")
    if len(verdict.comment) > LONGEST_COMMENT:
        raise InvalidInput(f"a comment must have at most {LONGEST_COMMENT} characters, got {len(verdict.comment)}")
    if len(verdict.markup) > MOST_MARKS or any(len(line) > MOST_CORNERS for line in verdict.markup):
        raise InvalidInput(f"mark-up must have at most {MOST_MARKS} lines of {MOST_CORNERS} corners, got more")
