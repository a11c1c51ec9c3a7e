"""Making the working image of a photo anew from its original, with other boxes blurred.

The new one and what changed the boxes are committed together. Masks stay as they are: the working image keeps its
size. Embeddings are kept under the working image's hash, so none of an older one answers; old files are deleted.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core import working_files
from core.errors import Conflict
from core.pictures import Picture, picture_of, read_upright
from core.privacy.blurring import blurred
from core.privacy.regions import Box, RgbImage
from core.workshop import Library
from storage import images, regions
from storage.errors import StorageError
from storage.rows import BoxRow, FilesRow

_TRIES: Final = 5
Look = Callable[[list[BoxRow], RgbImage], Sequence[Box]]
"""Says which boxes are to be blurred: called with the boxes that are known, removed ones too, and the photo."""


@dataclass(frozen=True, slots=True)
class Before:
    """An image as it was when it was read: its files, its boxes, removed ones too, and its original's bytes."""

    files: FilesRow
    known: list[BoxRow]
    original: bytes


def remade(
    library: Library,
    image_id: int,
    look: Look,
    change: Callable[[Any], None],
) -> None:
    """Make an image's working image anew, with what `look` says is to be blurred, and commit it with `change`.

    The pixels are made outside the transaction. If somebody changed a box meanwhile, it begins again.
    """
    for _ in range(_TRIES):
        before = before_of(library, image_id)
        if replaced(library, image_id, before.known, made_anew(before, look), change):
            return
    raise Conflict(f"the boxes of image {image_id} must stay as they are for a moment, but somebody changes them")


def before_of(library: Library, image_id: int) -> Before:
    """Return an image as it is now."""
    with library.engines.reading() as session:
        files = images.files_of(image_id, session=session)
        known = regions.of_image(image_id, session=session, removed=True)
    return Before(files, known, library.files.get("originals", files.sha256))


def made_anew(before: Before, look: Look) -> Picture:
    """Return a photo's working image and thumbnail, with what `look` says blurred.

    Raises
    ------
    StorageError
        If the original does not have the size of the working image.
    """
    photo = read_upright(before.original)
    _same_size(before.files, photo.pixels)
    return picture_of(photo, blurred(photo.pixels, look(before.known, photo.pixels)))


def replaced(
    library: Library, image_id: int, known: list[BoxRow], made: Picture, change: Callable[[Any], None]
) -> bool:
    """Put another working image in place and commit it with `change`; return whether the boxes were still as known."""
    working, thumb = library.files.put("working", made.working), library.files.put("thumbs", made.thumb)
    changed: list[int] = []
    with library.engines.writing() as session:
        current = regions.of_image(image_id, session=session, removed=True) == known
        if current:
            change(session)
            if working_files.replace(image_id, working_sha256=working, thumb_sha256=thumb, session=session):
                changed = images.copies(image_id, session=session)
        else:
            working_files.note(working, thumb, session=session)
    # After the commit, as searching folders may take long. A process that is killed just here leaves them to be
    # removed with all others of their day.
    _drop_exports(library, changed)
    working_files.discard(library.engines, library.files)
    return current


def blurred_now(known: list[BoxRow]) -> list[Box]:
    """Return the boxes that nobody removed."""
    return [one.box for one in known if one.removed_at is None]


def _same_size(files: FilesRow, pixels: RgbImage) -> None:
    if pixels.shape[:2] != (files.height, files.width):
        raise StorageError(
            f"the original must have the size of its working image, {files.width} x {files.height}, "
            f"got {pixels.shape[1]} x {pixels.shape[0]}"
        )


def _drop_exports(library: Library, image_ids: list[int]) -> None:
    """Remove exports made in the browser that show an image as it was; they are kept for a day at most anyway."""
    if not image_ids or not library.settings.exports.is_dir():
        return
    names = {f"{image_id:08d}.jpg" for image_id in image_ids}
    for folder in library.settings.exports.iterdir():
        if any(path.name in names for path in folder.rglob("*.jpg")):
            shutil.rmtree(folder, ignore_errors=True)
