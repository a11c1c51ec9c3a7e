"""Whose masks somebody may change, and whether they still stand."""

from typing import Any

from core.errors import Conflict, Forbidden
from core.proposals import is_proposal
from core.roles import may
from core.workshop import Library
from storage import masks, people, proposals
from storage.rows import MaskRow


def may_change(library: Library, mask: MaskRow) -> bool:
    """Return whether the person at work may change a mask: their own, a proposal, or anybody's as a reviewer."""
    return mask.person_id == library.person_id or is_proposal(mask) or may(library, "change_others")


def check_stands(mask_id: int, session: Any) -> None:
    """Refuse to go on once a mask was corrected or deleted, alone or with its correction; raise Conflict."""
    check_free(mask_id, session)
    if masks.find(mask_id, session=session).superseded_at is not None:
        raise _deleted(mask_id)


def check_free(mask_id: int, session: Any) -> None:
    """Refuse to go on where no correction can stand for a mask: another does, or it was deleted; raise Conflict."""
    mask = masks.find(mask_id, session=session)
    other = masks.replaced_by(mask_id, session=session)
    if other is not None:
        name = people.get(other, session=session).name
        raise Conflict(f"a mask must be changed as it was shown, but {name} has corrected mask {mask_id} meanwhile")
    if mask.deleted_at is not None:
        raise _deleted(mask_id)


def _deleted(mask_id: int) -> Conflict:
    return Conflict(f"a mask must be changed as it was shown, but mask {mask_id} was deleted meanwhile")


def check_own(library: Library, ref: int | str, session: Any) -> None:
    """Refuse to go on where somebody may not change a mask, by id or key.

    Raises
    ------
    Forbidden
        If it is somebody else's, and no proposal.
    """
    if not may(library, "change_others"):
        mask = masks.find(ref, session=session)
        # An imported mask that nobody has accepted yet is whoever's answers it.
        if proposals.open_flag(mask.id or 0, session=session) is None:
            check_author(library, mask.id or 0, mask.person_id)


def check_author(library: Library, mask_id: int, author: int) -> None:
    """Refuse to go on where a mask's author is another, unless the person may change those; raise Forbidden."""
    if author != library.person_id and not may(library, "change_others"):
        raise Forbidden(f"a mask must be changed by who made it or by a reviewer, but {mask_id} is somebody else's")
