"""Rounds: the same images given to several people, blind, and how far what they made of them agrees.

Each person has a seat: a project of their own with copies of the images, so that nobody sees another's masks, and
nothing made there counts in the library. Nobody's seat holds the agreed masks, as they were when the round began.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import numpy as np

from core.errors import InvalidInput
from core.projects import settings
from core.proposals import accepted_of
from core.roles import require
from core.workshop import Library
from storage import events, images, masks, people, rounds, saving
from storage.errors import MissingRow
from storage.rows import MaskRow, NewMask, RoundRow, SeatRow

Kind = Literal["agreement", "calibration"]
L = TypeVar("L", bound=Library)
MOST_IMAGES: Final = 500
MOST_PEOPLE: Final = 20
PASSING: Final = {"f1": 0.8, "iou": 0.85}
"""What a calibration asks for unless told otherwise: F1 at IoU 0.5, and mean IoU of matched masks."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What round is wanted.

    Attributes
    ----------
    people : tuple of int
        Who sits in it.
    images : int
        How many images are drawn at random: for a calibration, and where `agreed`, of those with masks that are done.
    kind : {"agreement", "calibration"}
        A calibration compares each person with the agreed masks and can be passed.
    agreed : bool
        Whether the library's masks take part in an agreement too; in a calibration they always do.
    passing : dict of str to float
        Least "f1" and "iou" of a calibration.
    """

    name: str
    people: tuple[int, ...]
    images: int = 10
    kind: Kind = "agreement"
    agreed: bool = False
    passing: dict[str, float] | None = None


def begin(library: Library, asked: Asked, *, seed: int | None = None) -> int:
    """Draw images, give everybody a seat, and return the round's id.

    Raises
    ------
    InvalidInput
        If it cannot be meant, or there are no such images.
    """
    require(library, "review")
    passing = _checked(asked)
    agreed = asked.agreed or asked.kind == "calibration"
    chosen = settings(library).to_json()
    with library.engines.writing() as session:
        known = people.names(session=session)
        strangers = [person for person in asked.people if person not in known]
        if strangers:
            raise InvalidInput(f"a round must be of people there are, but person {strangers[0]} is not")
        drawable = images.drawable(library.project_id, with_masks=agreed, session=session)
        if not drawable:
            what = "images that are done and have masks" if agreed else "images"
            raise InvalidInput(f"a round must have {what}, but there are none")
        rng = np.random.default_rng(seed)
        drawn = sorted(int(one) for one in rng.choice(drawable, min(asked.images, len(drawable)), replace=False))
        round_id = rounds.add(
            library.project_id,
            person_id=library.person_id,
            name=asked.name.strip(),
            kind=asked.kind,
            passing=passing,
            session=session,
        )
        if agreed:
            there = rounds.add_seat(round_id, None, drawn, settings=chosen, session=session)
            copy_masks(drawn, there, session)
        for person in dict.fromkeys(asked.people):
            rounds.add_seat(round_id, person, drawn, settings=chosen, session=session)
        events.add("round", person_id=library.person_id, detail={"round_id": round_id}, session=session)
    return round_id


def _checked(asked: Asked) -> dict[str, float]:
    """Return what a calibration asks for, once all that was asked can be meant."""
    if not 1 <= len(asked.name.strip()) <= 200:
        raise InvalidInput(f"a round's name must have 1 to 200 characters, got {len(asked.name.strip())}")
    if asked.kind not in ("agreement", "calibration"):
        raise InvalidInput(f"a round must be an agreement or a calibration, got {asked.kind!r}")
    if not 1 <= asked.images <= MOST_IMAGES:
        raise InvalidInput(f"a round must have from 1 to {MOST_IMAGES} images, got {asked.images}")
    least = 1 if asked.agreed or asked.kind == "calibration" else 2
    if not least <= len(set(asked.people)) <= MOST_PEOPLE:
        raise InvalidInput(f"a round must have from {least} to {MOST_PEOPLE} people, got {len(set(asked.people))}")
    passing = {**PASSING, **(asked.passing or {})} if asked.kind == "calibration" else {}
    if not all(name in PASSING and 0 <= value <= 1 for name, value in passing.items()):
        raise InvalidInput(f"what a calibration asks for must be an f1 and an iou from 0 to 1, got {passing}")
    return passing


def copy_masks(image_ids: Sequence[int], seat_project_id: int, session: Any) -> None:
    """Put the accepted masks of images on their copies in a seat: these do not change any more."""
    copies = rounds.images_of(seat_project_id, session=session)
    for original in images.some(list(image_ids), session=session):
        for mask in accepted_of(masks.of_image(original.id, session=session)):
            saving.insert(_copy_of(mask, copies[original.sha256]), session=session)


def _copy_of(mask: MaskRow, image_id: int) -> NewMask:
    return NewMask(
        key=str(uuid.uuid4()),
        image_id=image_id,
        person_id=mask.person_id,
        object_key=mask.object_key,
        origin=mask.origin,
        height=mask.height,
        width=mask.width,
        counts=mask.counts,
        area=mask.area,
        bbox=mask.bbox,
        label=mask.label,
    )


def take_seat(library: Library, round_id: int) -> SeatRow:
    """Give the person a seat in a calibration with the same images as everybody, and return it.

    Raises
    ------
    InvalidInput
        If the round has no agreed masks: then only those it was begun with sit in it.
    """
    chosen = settings(library).to_json()
    with library.engines.writing() as session:
        known = rounds.seat(round_id, library.person_id, session=session)
        if known is not None:
            return known
        agreed = next((one for one in rounds.seats(round_id, session=session) if one.person_id is None), None)
        if agreed is None:
            raise InvalidInput(f"a round must have agreed masks to be joined, but round {round_id} has none")
        drawn = list(rounds.images_of(agreed.project_id, session=session).values())
        rounds.add_seat(round_id, library.person_id, drawn, settings=chosen, session=session)
        found = rounds.seat(round_id, library.person_id, session=session)
    if found is None:
        raise AssertionError("a seat that was just added is there")
    return found


def every(library: Library) -> list[RoundRow]:
    """Return the rounds of the project, newest first."""
    with library.engines.reading() as session:
        return rounds.every(library.project_id, session=session)


def seats(library: Library, round_id: int) -> list[SeatRow]:
    """Return the seats of a round, the agreed masks first if they take part."""
    with library.engines.reading() as session:
        return rounds.seats(round_id, session=session)


def close(library: Library, round_id: int) -> None:
    """End a round: it is no longer offered to anybody; its results stay."""
    require(library, "review")
    with library.engines.writing() as session:
        if rounds.get(round_id, session=session).project_id != library.project_id:
            raise MissingRow(f"round {round_id} must be of this project, but is of another")
        rounds.close(round_id, session=session)
        events.add("close_round", person_id=library.person_id, detail={"round_id": round_id}, session=session)


def enter(library: L, round_id: int) -> L:
    """Return the library as the person sees it from their seat in a round.

    Raises
    ------
    MissingRow
        If they have no seat there.
    """
    with library.engines.reading() as session:
        seat = rounds.seat(round_id, library.person_id, session=session)
    if seat is None:
        raise MissingRow(f"round {round_id} must have a seat for you, but has none")
    return library.at(seat.project_id)
