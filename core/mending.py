"""Pictures that are damaged or gone, made again from the original."""

import hashlib
import logging

from core.errors import InvalidImage
from core.pictures import Picture, picture_of, read_upright
from core.privacy.blurring import blurred
from core.workshop import Library
from storage import images, regions
from storage.errors import StorageError
from storage.rows import ImageRow

log = logging.getLogger(__name__)


def working(library: Library, image: ImageRow) -> bytes:
    """Return an image's working image, made again if need be: it must be the same, as masks lie on its pixels.

    Raises
    ------
    StorageError
        If it is damaged or missing, and what can be made of the original is another one.
    """
    try:
        return library.files.get("working", image.working_sha256)
    except StorageError as error:
        picture = _picture(library, image, error)
        if hashlib.sha256(picture.working).hexdigest() != image.working_sha256:
            raise
        library.files.put("working", picture.working)
        log.warning("the working image of image %d was damaged and is made again", image.id)
        return picture.working


def thumbnail(library: Library, image: ImageRow) -> bytes:
    """Return an image's thumbnail, made again if need be, by another version of the app perhaps a little different.

    Raises
    ------
    StorageError
        If it is damaged or missing, and so is the original.
    """
    try:
        return library.files.get("thumbs", image.thumb_sha256)
    except StorageError as error:
        thumb = _picture(library, image, error).thumb
    try:
        sha256 = library.files.put("thumbs", thumb)
        if sha256 != image.thumb_sha256:
            with library.engines.writing() as session:
                images.set_thumb(image.id, sha256, session=session)
        log.warning("the thumbnail of image %d was damaged and is made again", image.id)
    except StorageError as error:  # it can be shown without being kept
        log.warning("a thumbnail cannot be kept: %s", error)
    return thumb


def _picture(library: Library, image: ImageRow, error: StorageError) -> Picture:
    """Return what is to be seen of the original; where that is lost too, say what was missing first."""
    with library.engines.reading() as session:
        boxes = regions.of_working(image.working_sha256, session=session)
    try:
        photo = read_upright(library.files.get("originals", image.sha256))
        return picture_of(photo, blurred(photo.pixels, boxes))
    except (StorageError, InvalidImage):
        raise error from None
