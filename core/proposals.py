"""Proposals: imported masks that wait for a person to keep, fix or delete them. Till then they count for nothing."""

from collections.abc import Iterable
from typing import Any, Final

from core.workshop import Library
from storage import events, flags, images, proposals
from storage.live import IMPORTED
from storage.rows import MaskRow

ORIGIN: Final = IMPORTED


def is_proposal(mask: MaskRow) -> bool:
    """Return whether nobody has accepted an imported mask yet."""
    return mask.origin == ORIGIN and any(flag.name == IMPORTED and flag.resolution is None for flag in mask.flags)


def accepted_of(masks: Iterable[MaskRow]) -> list[MaskRow]:
    """Return those of live masks that count: all but proposals."""
    return [mask for mask in masks if not is_proposal(mask)]


def accept(library: Library, mask_id: int, *, session: Any, resolution: str) -> bool:
    """Accept a mask if it is a proposal, in the transaction of the answer; return whether it was.

    Who accepts it becomes its author: they answer for it, not whoever ran the import.
    """
    flag = proposals.open_flag(mask_id, session=session)
    if flag is None:
        return False
    flags.resolve(flag.id, resolution, session=session)
    accepted(library, mask_id, session=session)
    return True


def accepted(library: Library, mask_id: int, *, session: Any) -> None:
    """Note that a person accepted an imported mask: it is theirs, and its image is in work."""
    image_id = proposals.hand_over(mask_id, library.person_id, session=session)
    images.set_state(image_id, "in_work", session=session, only_from="new")
    events.add("accept_import", person_id=library.person_id, image_id=image_id, mask_id=mask_id, session=session)
