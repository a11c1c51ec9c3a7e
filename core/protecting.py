"""Faces and number plates in the library: searching images for them, boxes that people draw and remove, originals.

Whatever changes a box makes the working image anew from the original, in one transaction with the box. Masks stay as
they are: the working image keeps its size. Embeddings are kept under the working image's hash, so none of an older one
answers; old files are deleted.
"""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core import working_files
from core.crew.alone import Alone
from core.crew.protocol import Crew
from core.errors import FORESEEN, Conflict, InvalidInput
from core.importing import said_of
from core.library import image as image_of
from core.paging import by_page
from core.pictures import Picture, picture_of, read_upright
from core.privacy import choice
from core.privacy.blurring import blurred
from core.privacy.cascades import SAME
from core.privacy.regions import KINDS, Box, Detector, Region, RgbImage, iou
from core.roles import require
from core.scope import image_in, stay_in
from core.workshop import Library
from storage import events, images, regions
from storage.errors import StorageError
from storage.rows import BoxRow, FilesRow, ImageRow, NewBox

LEAST_SIDE: Final = 4.0
"""Pixels of the smallest box that can be drawn."""
_PAGE: Final = 50
_TRIES: Final = 5
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


@dataclass(frozen=True, slots=True)
class _Before:
    """An image as it was when it was read: its files, its boxes, removed ones too, and its original's bytes."""

    files: FilesRow
    known: list[BoxRow]
    original: bytes


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
    if limit is not None and limit < 1:
        raise InvalidInput(f"the number of images must be at least 1, got {limit}")
    searching: Detector = detector or choice.by_name()
    project = library.project_id
    working_files.discard(library.engines, library.files)
    said, found = SearchReport(), Counter[str]()
    with library.engines.reading() as session:
        waiting = regions.count_to_search(project, searching.name, session=session)
    total = waiting if limit is None else min(limit, waiting)
    began: dict[int, _Before] = {}

    def load(image_id: int) -> _Before:
        began[image_id] = before = _before(library, image_id)
        return before

    wanted = _to_search(library, searching.name, total)
    for image_id, outcome in (crew or Alone()).each(searched, wanted, load, searching):
        try:
            new, made = outcome.result()
            known = began[image_id].known
            if not _replace(library, image_id, known, made, _noting(library, image_id, searching.name, new)):
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


def _to_search(library: Library, detector: str, total: int) -> Iterator[int]:
    """Return the ids of `total` images that a detector has not searched, by page."""

    def ask(after: int, limit: int) -> list[int]:
        with library.engines.reading() as session:
            return regions.to_search(library.project_id, detector, session=session, after=after, limit=limit)

    return by_page(ask, total, size=_PAGE)


def search_image(library: Library, image_id: int, detector: Detector) -> list[Region]:
    """Search the original of an image, blur what was not known yet, and return that."""
    for _ in range(_TRIES):
        before = _before(library, image_id)
        new, made = searched(detector, before)
        if _replace(library, image_id, before.known, made, _noting(library, image_id, detector.name, new)):
            return new
    raise _too_busy(image_id)


def searched(detector: Detector, before: _Before) -> tuple[list[Region], Picture]:
    """Return what a detector finds on a photo that was not known, and the photo as it is to be shown."""
    found: list[Region] = []

    def look(known: list[BoxRow], photo: RgbImage) -> list[Box]:
        found[:] = [one for one in choice.found_by(detector, photo) if not _is_known(one, known)]
        return [*_blurred_now(known), *(one.box for one in found)]

    return found, _made_anew(before, look)


def _noting(library: Library, image_id: int, detector: str, new: list[Region]) -> Callable[[Any], None]:
    """Return what notes that a detector searched an image and found something new."""

    def change(session: Any) -> None:
        boxes = [NewBox(one.kind, one.box, one.score) for one in new]
        regions.add(image_id, boxes, source="found", session=session)
        regions.searched(image_id, library.project_id, detector, to_check=bool(new), session=session)

    return change


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

    _change(library, image_id, lambda known, _photo: [*_blurred_now(known), cut], change)
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

    _change(
        library,
        box.image_id,
        lambda known, _photo: _blurred_now([one for one in known if one.id != box_id]),
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


def _change(
    library: Library,
    image_id: int,
    look: Callable[[list[BoxRow], RgbImage], Sequence[Box]],
    change: Callable[[Any], None],
) -> None:
    """Make an image's working image anew, with what `look` says is to be blurred, and commit it with `change`.

    The pixels are made outside the transaction. If somebody changed a box meanwhile, it begins again.
    """
    for _ in range(_TRIES):
        before = _before(library, image_id)
        if _replace(library, image_id, before.known, _made_anew(before, look), change):
            return
    raise _too_busy(image_id)


def _before(library: Library, image_id: int) -> _Before:
    with library.engines.reading() as session:
        files = images.files_of(image_id, session=session)
        known = regions.of_image(image_id, session=session, removed=True)
    return _Before(files, known, library.files.get("originals", files.sha256))


def _made_anew(before: _Before, look: Callable[[list[BoxRow], RgbImage], Sequence[Box]]) -> Picture:
    photo = read_upright(before.original)
    _same_size(before.files, photo.pixels)
    return picture_of(photo, blurred(photo.pixels, look(before.known, photo.pixels)))


def _replace(
    library: Library, image_id: int, known: list[BoxRow], made: Picture, change: Callable[[Any], None]
) -> bool:
    """Put another working image in place and commit it with `change`; return whether the boxes were still as known."""
    working, thumb = library.files.put("working", made.working), library.files.put("thumbs", made.thumb)
    with library.engines.writing() as session:
        current = regions.of_image(image_id, session=session, removed=True) == known
        if current:
            change(session)
            if working_files.replace(image_id, working_sha256=working, thumb_sha256=thumb, session=session):
                _drop_exports(library, images.copies(image_id, session=session))
        else:
            working_files.note(working, thumb, session=session)
    working_files.discard(library.engines, library.files)
    return current


def _too_busy(image_id: int) -> Conflict:
    return Conflict(f"the boxes of image {image_id} must stay as they are for a moment, but somebody changes them")


def _same_size(files: FilesRow, pixels: RgbImage) -> None:
    if pixels.shape[:2] != (files.height, files.width):
        raise StorageError(
            f"the original must have the size of its working image, {files.width} x {files.height}, "
            f"got {pixels.shape[1]} x {pixels.shape[0]}"
        )


def _drop_exports(library: Library, image_ids: list[int]) -> None:
    """Remove exports made in the browser that show an image as it was; they are kept for a day at most anyway."""
    if not library.settings.exports.is_dir():
        return
    names = {f"{image_id:08d}.jpg" for image_id in image_ids}
    for folder in library.settings.exports.iterdir():
        if any(path.name in names for path in folder.rglob("*.jpg")):
            shutil.rmtree(folder, ignore_errors=True)


def _blurred_now(known: list[BoxRow]) -> list[Box]:
    return [one.box for one in known if one.removed_at is None]


def _is_known(found: Region, known: list[BoxRow]) -> bool:
    """Return whether there is such a box already, or was until somebody removed it."""
    return any(one.kind == found.kind and iou(one.box, found.box) >= SAME for one in known)


def _note(library: Library, kind: str, image_id: int, detail: dict[str, Any], session: Any) -> None:
    events.add(kind, person_id=library.person_id, image_id=image_id, detail=detail, session=session)
