"""Looking at the library: pages of images, one image with all that belongs to it, opening one to work on."""

import time
from dataclasses import dataclass
from typing import Literal

from core.roles import require
from core.scope import image_in
from core.workshop import Library, Workshop
from storage import events, images, masks, skips, surveys, work
from storage.rows import ImageRow, MaskRow, SkipRow, SurveyRow, WorkRow

Readiness = Literal["ready", "working", "waiting"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An image and whether prompts on it would be answered at once."""

    image: ImageRow
    embedding: Readiness


@dataclass(frozen=True, slots=True)
class Page:
    """Some images in queue order, and after which id the next page begins (None at the end)."""

    images: list[Entry]
    next: int | None


@dataclass(frozen=True, slots=True)
class View:
    """One image, its live masks, the person's object in work, and its objects in the hard queue."""

    entry: Entry
    masks: list[MaskRow]
    work: WorkRow | None
    skips: list[SkipRow]


def page(shop: Workshop, *, limit: int, after: int | None, state: str | None) -> Page:
    """Return up to `limit` images after image `after` by priority and in the project's order, with what lists show."""
    with shop.engines.reading() as session:
        rows = images.queue(shop.project_id, session=session, limit=limit + 1, after=after, state=state)
    shown = rows[:limit]
    return Page([_entry(shop, row) for row in shown], shown[-1].id if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class Found:
    """Images that a search keeps: how many, the ones of the page asked for, and the surveys of these by image."""

    total: int
    images: list[ImageRow]
    surveys: dict[int, SurveyRow]


def find(
    library: Library, *, search: str | None, state: str | None, limit: int, offset: int, most_left: bool = False
) -> Found:
    """Return the images whose name contains `search` and that are in `state`; None asks for nothing.

    With `most_left` only those that have a survey, the ones with most left first.
    """
    project = library.project_id
    with library.engines.reading() as session:
        if most_left:
            total = images.count_surveyed(project, session=session, state=state, search=search)
            rows = images.most_left(project, session=session, limit=limit, offset=offset, state=state, search=search)
        else:
            total = images.count(project, session=session, state=state, search=search)
            rows = images.page(project, session=session, limit=limit, offset=offset, state=state, search=search)
        found = surveys.some([row.id for row in rows], session=session)
    return Found(total, rows, found)


def view(shop: Workshop, image_id: int) -> View:
    """Return an image with all that belongs to it.

    Raises
    ------
    MissingRow
        If it is not in the library.
    """
    with shop.engines.reading() as session:
        row = image_in(shop, image_id, session=session)
        return View(
            _entry(shop, row),
            masks.of_image(image_id, session=session),
            work.get(image_id, shop.person_id, session=session),
            skips.open_of_image(image_id, session=session),
        )


def image(library: Library, image_id: int) -> ImageRow:
    """Return an image.

    Raises
    ------
    MissingRow
        If it is not in the library.
    """
    with library.engines.reading() as session:
        return image_in(library, image_id, session=session)


def open_image(shop: Workshop, image_id: int, *, prefetch: list[int], client: str = "") -> float:
    """Make an image ready for prompts, the given ones in the background; return the milliseconds it took.

    The image is encoded here and now, whatever the background does.

    Raises
    ------
    Superseded
        If the client opened another image while this one waited to be encoded.
    """
    begun = time.perf_counter()
    with shop.engines.reading() as session:
        row = image_in(shop, image_id, session=session)
        later = [
            found.working_sha256
            for found in images.some(prefetch, session=session)
            if found.project_id == shop.project_id
        ]
    if shop.background is not None:
        # The image itself leaves the queue: it is being encoded right here.
        shop.background.set_queue([sha256 for sha256 in later if sha256 != row.working_sha256], client=client)
    shop.desk.embed(row.working_sha256, client=client)
    return (time.perf_counter() - begun) * 1e3


def delete(library: Library, image_ids: list[int]) -> int:
    """Take images out of the library and return how many; importing one again brings it and its masks back.

    Images of another project are left alone.

    Raises
    ------
    Forbidden
        If the person may not.
    """
    require(library, "delete_images")
    with library.engines.writing() as session:
        ours = [row.id for row in images.some(image_ids, session=session) if row.project_id == library.project_id]
        gone = images.soft_delete(ours, session=session)
        if gone:
            events.add("delete_images", person_id=library.person_id, detail={"images": gone}, session=session)
    return gone


def media_type(data: bytes) -> str:
    """Return the media type of a stored picture by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if data.startswith(b"\x89PNG") else "application/octet-stream"


def _entry(shop: Workshop, row: ImageRow) -> Entry:
    sha256 = row.working_sha256
    if not shop.desk.segmenter.keeps_embeddings or shop.desk.is_ready(sha256):
        return Entry(row, "ready")
    working = shop.background is not None and shop.background.working_on() == sha256
    return Entry(row, "working" if working else "waiting")
