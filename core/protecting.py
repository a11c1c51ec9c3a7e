"""Boxes around faces and number plates: those of an image, drawn and removed by people; and photos as they came."""

import math
from dataclasses import dataclass
from typing import Any, Final

from core.errors import InvalidInput
from core.library import image as image_of
from core.privacy import choice
from core.privacy.regions import KINDS, Box
from core.remaking import blurred_now, remade
from core.roles import require
from core.scope import image_in, stay_in
from core.workshop import Library
from storage import events, images, regions
from storage.rows import BoxRow, ImageRow, NewBox

LEAST_SIDE: Final = 4.0
"""Pixels of the smallest box that can be drawn."""


def draw(library: Library, image_id: int, kind: str, box: Box) -> int:
    """Blur a box (x0, y0, x1, y1) of an image, in working-image pixels, and return the box's number.

    Raises
    ------
    InvalidInput
        If the kind is unknown or the box too small.
    MissingRow
        If the image is not in the library.
    Forbidden
        If the person may not.
    """
    require(library, "privacy")
    image = image_of(library, image_id)
    if kind not in KINDS:
        raise InvalidInput(f"a box must be around a {' or a '.join(KINDS)}, got {kind[:40]!r}")
    if not all(math.isfinite(value) for value in box):
        raise InvalidInput("the corners of a box must be finite numbers")
    x0, y0, x1, y1 = box
    cut = (max(0.0, x0), max(0.0, y0), min(float(image.width), x1), min(float(image.height), y1))
    wide, high = cut[2] - cut[0], cut[3] - cut[1]
    if not (wide >= LEAST_SIDE and high >= LEAST_SIDE):
        raise InvalidInput(f"a box must have {LEAST_SIDE:.0f} pixels of the photo a side, got {wide:.0f} x {high:.0f}")
    made: list[int] = []

    def change(session: Any) -> None:
        made[:] = regions.add(
            image_id, [NewBox(kind, cut)], source="drawn", session=session, person_id=library.person_id
        )
        if regions.search_of(image_id, session=session) is None:
            regions.searched(image_id, image.project_id, regions.NEVER, to_check=False, session=session)
        _note(library, "draw_box", image_id, {"kind": kind, "box": cut}, session)

    remade(library, image_id, lambda known, _photo: [*blurred_now(known), cut], change)
    return made[0]


def remove(library: Library, box_id: int) -> None:
    """Blur a box no more: the working image is made anew, sharp there. One that was removed already stays so.

    Raises
    ------
    MissingRow
        If there is no such box in the project.
    Forbidden
        If the person may not.
    """
    require(library, "privacy")
    with library.engines.reading() as session:
        box = regions.get(box_id, session=session)
        stay_in(library, box.image_id, session=session)
    if box.removed_at is not None:
        return

    def change(session: Any) -> None:
        regions.remove(box_id, person_id=library.person_id, session=session)
        _note(library, "remove_box", box.image_id, {"kind": box.kind, "box": box.box}, session)

    remade(
        library,
        box.image_id,
        lambda known, _photo: blurred_now([one for one in known if one.id != box_id]),
        change,
    )


def set_seen(library: Library, image_id: int) -> None:
    """Note that the boxes of an image have been looked at.

    Raises
    ------
    MissingRow
        If the image is not in the library.
    Forbidden
        If the person may not.
    """
    require(library, "privacy")
    with library.engines.writing() as session:
        image_in(library, image_id, session=session)
        regions.set_seen(image_id, library.person_id, session=session)
        _note(library, "see_boxes", image_id, {}, session)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a project is: images that wait to be searched, to be looked at, and that were looked at."""

    to_search: int
    to_check: int
    checked: int


def standing(library: Library) -> Standing:
    """Return how far the project is; what waits to be searched is by the detector of now.

    Raises
    ------
    ModelUnavailable
        If that cannot be loaded.
    """
    searching, project = choice.detector().name, library.project_id
    with library.engines.reading() as session:
        return Standing(
            regions.count_to_search(project, searching, session=session),
            regions.count(project, seen=False, session=session),
            regions.count(project, seen=True, session=session),
        )


def with_boxes(library: Library, *, seen: bool, offset: int, limit: int) -> list[ImageRow]:
    """Return a page of the images with boxes, in order of import: those looked at, or those that wait for it."""
    with library.engines.reading() as session:
        found = regions.page(library.project_id, seen=seen, session=session, offset=offset, limit=limit)
        return images.some(found, session=session)


def boxes_of(library: Library, image_id: int) -> list[BoxRow]:
    """Return what is blurred on an image of the project, oldest first."""
    with library.engines.reading() as session:
        stay_in(library, image_id, session=session)
        return regions.of_image(image_id, session=session)


@dataclass(frozen=True, slots=True)
class Original:
    """A photo as it came, and its name."""

    name: str
    data: bytes


def original(library: Library, image_id: int) -> Original:
    """Return a photo as it came, EXIF and all; that it was asked for is noted.

    Raises
    ------
    MissingRow
        If it is not in the library.
    Forbidden
        If the person is not an owner.
    """
    require(library, "originals")
    image = image_of(library, image_id)
    data = library.files.get("originals", image.sha256)
    with library.engines.writing() as session:
        _note(library, "original", image_id, {}, session)
    return Original(image.name, data)


def _note(library: Library, kind: str, image_id: int, detail: dict[str, Any], session: Any) -> None:
    events.add(kind, person_id=library.person_id, image_id=image_id, detail=detail, session=session)
