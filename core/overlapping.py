"""Images that two annotators do, each without the other's masks: the second from a seat in a round of its own.

Which images these are depends on the photo alone, so it is the same for everybody and stays so. When one is done in the
library, its masks are copied into nobody's seat of the round, as the agreed masks of a calibration are; the second
annotator gets a copy of the image in a seat of theirs. The round then tells how far both agree, as every round does.
"""

import hashlib
from dataclasses import dataclass

from core.project_settings import ProjectSettings
from core.rounds import copy_masks
from core.workshop import Library
from storage import overlaps, projects, rounds, settings_store
from storage.engine import Session

NAME = "Done twice"


@dataclass(frozen=True, slots=True)
class Second:
    """An image that was given to a second annotator: its copy in their seat, and the round."""

    image_id: int
    round_id: int


def is_meant_twice(sha256: str, share: float) -> bool:
    """Return whether a photo, by the hash of its original, is of the share that two annotators do.

    Examples
    --------
    >>> is_meant_twice("0" * 64, 0.0), is_meant_twice("0" * 64, 1.0)
    (False, True)
    """
    drawn = int.from_bytes(hashlib.sha256(f"twice {sha256}".encode()).digest()[:6], "big")
    return drawn < share * 2**48


def offer(library: Library, image_id: int, sha256: str, *, session: Session) -> None:
    """Note that an image is done, if a second annotator is to do it too; once it is noted it stays so."""
    share = ProjectSettings.from_json(projects.get(library.project_id, session=session).settings).overlap_share
    if is_meant_twice(sha256, share) and rounds.of_seat(library.project_id, session=session) is None:
        overlaps.offer(library.project_id, image_id, library.person_id, session=session)


def take_next(library: Library, *, session: Session) -> Second | None:
    """Give the person the first image that another has done and a second is to do; None if none waits for them."""
    image_id = overlaps.take(library.project_id, library.person_id, session=session)
    if image_id is None:
        return None
    round_id = _round(library, session)
    first = _seat(library, round_id, None, session)
    seat = _seat(library, round_id, library.person_id, session)
    for project_id in (first, seat):
        rounds.add_images(project_id, [image_id], session=session)
    copy_masks([image_id], first, session)
    copied = rounds.copy_of(seat, image_id, session=session)
    if copied is None:
        raise AssertionError("an image that was just copied into a seat is there")
    return Second(copied, round_id)


def _round(library: Library, session: Session) -> int:
    """Return the open round of the images that are done twice; a new one if there is none, or it was closed."""
    key = f"overlap-{library.project_id}"
    known = settings_store.get(key, session=session)
    found = rounds.find(known["round"], session=session) if known else None
    if found is not None and found.closed_at is None:
        return found.id
    round_id = rounds.add(
        library.project_id, person_id=library.person_id, name=NAME, kind="agreement", passing={}, session=session
    )
    settings_store.put(key, {"round": round_id}, session=session)
    return round_id


def _seat(library: Library, round_id: int, person_id: int | None, session: Session) -> int:
    """Return the project that is a person's, or nobody's, seat in the round."""
    for seat in rounds.seats(round_id, session=session):
        if seat.person_id == person_id:
            return seat.project_id
    kept = projects.get(library.project_id, session=session).settings
    return rounds.add_seat(round_id, person_id, [], settings=kept, session=session)
