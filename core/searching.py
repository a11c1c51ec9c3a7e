"""Searching the library's images for faces and number plates, and blurring what is found."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from core import working_files
from core.crew.alone import Alone
from core.crew.protocol import Crew
from core.errors import FORESEEN
from core.importing import said_of
from core.paging import by_page, check_limit
from core.pictures import Picture
from core.privacy import choice
from core.privacy.cascades import SAME
from core.privacy.regions import Box, Detector, Region, RgbImage, iou
from core.remaking import Before, Look, before_of, blurred_now, made_anew, remade, replaced
from core.roles import require
from core.workshop import Library
from storage import regions
from storage.rows import BoxRow, NewBox

_PAGE: Final = 50
Report = Callable[[int, int], None]
"""Called with (images searched, of how many)."""


@dataclass(slots=True)
class SearchReport:
    """What a search of the library came to: images searched, boxes found on them that are new, those that failed."""

    searched: int = 0
    found: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[int, str]] = field(default_factory=list)
    waiting: int = 0

    def sentence(self) -> str:
        """Return the result in words."""
        images = "1 image" if self.searched == 1 else f"{self.searched} images"
        said = (
            f"{images} searched, {said_of(self.found) or 'nothing new'} blurred; {self.waiting} still to be searched."
        )
        return said if not self.failed else f"{said} {len(self.failed)} could not be searched."


def search_library(
    library: Library,
    *,
    limit: int | None = None,
    report: Report | None = None,
    detector: Detector | None = None,
    crew: Crew | None = None,
) -> SearchReport:
    """Search the project's images that this detector has not searched yet, and blur what it finds.

    One image is one transaction: a run that is cut off leaves each image as it was or as it is to be, and the next
    goes on with the rest. Boxes that people removed stay removed. A deleted image that is imported again is searched
    then. Who searches is the crew, this process if none is given.

    Raises
    ------
    InvalidInput
        If the limit is not at least 1.
    Forbidden
        If the person may not.
    """
    require(library, "privacy")
    check_limit(limit)
    searching: Detector = detector or choice.by_name()
    project = library.project_id
    working_files.discard(library.engines, library.files)
    said, found = SearchReport(), Counter[str]()
    with library.engines.reading() as session:
        waiting = regions.count_to_search(project, searching.name, session=session)
    total = waiting if limit is None else min(limit, waiting)
    began: dict[int, Before] = {}

    def load(image_id: int) -> Before:
        began[image_id] = before = before_of(library, image_id)
        return before

    wanted = _to_search(library, searching.name, total)
    for image_id, outcome in (crew or Alone()).each(searched, wanted, load, searching):
        try:
            new, made = outcome.result()
            known = began[image_id].known
            if not replaced(library, image_id, known, made, _noting(library, image_id, searching.name, new)):
                new = search_image(library, image_id, searching)  # somebody changed a box meanwhile
            found.update(region.kind for region in new)
            said.searched += 1
        except FORESEEN as error:  # an original that is damaged must not keep the others from being searched
            said.failed.append((image_id, str(error)))
        finally:
            began.pop(image_id, None)
        if report is not None:
            report(said.searched + len(said.failed), total)
    said.found, said.waiting = dict(found), max(0, waiting - said.searched)
    return said


def search_image(library: Library, image_id: int, detector: Detector) -> list[Region]:
    """Search the original of an image, blur what was not known yet, and return that."""
    new: list[Region] = []
    remade(library, image_id, _looking(detector, new), _noting(library, image_id, detector.name, new))
    return new


def searched(detector: Detector, before: Before) -> tuple[list[Region], Picture]:
    """Return what a detector finds on a photo that was not known, and the photo as it is to be shown."""
    new: list[Region] = []
    return new, made_anew(before, _looking(detector, new))


def _looking(detector: Detector, new: list[Region]) -> Look:
    """Return what says which boxes are to be blurred once a detector has looked; `new` is then what it found."""

    def look(known: list[BoxRow], photo: RgbImage) -> list[Box]:
        new[:] = [one for one in choice.found_by(detector, photo) if not _is_known(one, known)]
        return [*blurred_now(known), *(one.box for one in new)]

    return look


def _to_search(library: Library, detector: str, total: int) -> Iterator[int]:
    """Return the ids of `total` images that a detector has not searched, by page."""

    def ask(after: int, limit: int) -> list[int]:
        with library.engines.reading() as session:
            return regions.to_search(library.project_id, detector, session=session, after=after, limit=limit)

    return by_page(ask, total, size=_PAGE)


def _noting(library: Library, image_id: int, detector: str, new: list[Region]) -> Callable[[Any], None]:
    """Return what notes that a detector searched an image and found something new."""

    def change(session: Any) -> None:
        boxes = [NewBox(one.kind, one.box, one.score) for one in new]
        regions.add(image_id, boxes, source="found", session=session)
        regions.searched(image_id, library.project_id, detector, to_check=bool(new), session=session)

    return change


def _is_known(found: Region, known: list[BoxRow]) -> bool:
    """Return whether there is such a box already, or was until somebody removed it."""
    return any(one.kind == found.kind and iou(one.box, found.box) >= SAME for one in known)
