"""What belongs to the project that somebody works in: an image of another one is as good as none."""

from typing import Any

from core.workshop import Library
from storage import images
from storage.errors import MissingRow
from storage.rows import ImageRow


def image_in(library: Library, image_id: int, *, session: Any) -> ImageRow:
    """Return an image of the project.

    Raises
    ------
    MissingRow
        If it is not there, was deleted, or is another project's.
    """
    row = images.get(image_id, session=session)
    if row.project_id != library.project_id:
        raise _missing(image_id)
    return row


def stay_in(library: Library, image_id: int, *, session: Any) -> None:
    """Refuse to go on unless an image, deleted or not, is the project's.

    Raises
    ------
    MissingRow
        If it is another project's.
    """
    if images.project_of(image_id, session=session) != library.project_id:
        raise _missing(image_id)


def _missing(image_id: int) -> MissingRow:
    return MissingRow(f"image {image_id} must be in the library, but it is not, or was deleted")
