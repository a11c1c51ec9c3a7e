"""Pictures that are damaged or gone, made again from the original.

What is made is what the image shows now, blurred as it is now: whoever asks may have read the image before somebody
drew a box, which deletes the pictures of before, and those must not come back.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from core.errors import InvalidImage
from core.pictures import Picture, picture_of, read_upright
from core.privacy.blurring import blurred
from core.privacy.regions import Box
from core.workshop import Library
from storage import images, regions
from storage.errors import StorageError
from storage.rows import FilesRow, ImageRow

log = logging.getLogger(__name__)


def working(library: Library, image: ImageRow) -> bytes:
    """Return an image's working image, made again if need be: it must be the same, as masks lie on its pixels.

    Raises
    ------
    StorageError
        If it is damaged or missing, and what can be made of the original is another one.
    """
    with suppress(StorageError):
        return library.files.get("working", image.working_sha256)
    files, boxes = _now(library, image.id)
    try:
        return library.files.get("working", files.working_sha256)
    except StorageError as error:
        made = _picture(library, files, boxes, error).working
        if hashlib.sha256(made).hexdigest() != files.working_sha256:
            raise
    _keep(library, "working", made, image.id, lambda session: images.files_of(image.id, session=session) == files)
    return made


def thumbnail(library: Library, image: ImageRow) -> bytes:
    """Return an image's thumbnail, made again if need be, by another version of the app perhaps a little different.

    Raises
    ------
    StorageError
        If it is damaged or missing, and so is the original.
    """
    with suppress(StorageError):
        return library.files.get("thumbs", image.thumb_sha256)
    files, boxes = _now(library, image.id)
    try:
        return library.files.get("thumbs", files.thumb_sha256)
    except StorageError as error:
        made = _picture(library, files, boxes, error).thumb
    sha256, of_working = hashlib.sha256(made).hexdigest(), files.working_sha256
    _keep(
        library,
        "thumbs",
        made,
        image.id,
        lambda session: images.set_thumb(image.id, sha256, of_working=of_working, session=session),
    )
    return made


def _now(library: Library, image_id: int) -> tuple[FilesRow, list[Box]]:
    """Return an image's files and what is blurred on it, both of one moment."""
    with library.engines.reading() as session:
        files = images.files_of(image_id, session=session)
        return files, regions.of_working(files.working_sha256, session=session)


def _picture(library: Library, files: FilesRow, boxes: list[Box], error: StorageError) -> Picture:
    """Return what is to be seen of the original; where that is lost too, say what was missing first."""
    try:
        photo = read_upright(library.files.get("originals", files.sha256))
        return picture_of(photo, blurred(photo.pixels, boxes))
    except (StorageError, InvalidImage):
        raise error from None


def _keep(library: Library, kind: str, made: bytes, image_id: int, still_shown: Callable[[Any], bool]) -> None:
    """Put a file in its place, unless the image shows another one by now. What cannot be kept can be seen at least."""
    try:
        with library.engines.writing() as session:
            if still_shown(session):
                library.files.put(kind, made)
        log.warning("a damaged file of image %d, of %s, is made again", image_id, kind)
    except StorageError as error:
        log.warning("what is made again cannot be kept: %s", error)
