"""The guidelines that annotators read: Markdown with pictures, which are taken in as photos are."""

import re
from dataclasses import replace

from core.errors import InvalidInput, NotFound
from core.importing import clean_name
from core.pictures import read_picture
from core.project_settings import MOST_PICTURES, GuidelinePicture, ProjectSettings
from core.projects import change_settings, settings
from core.roles import require
from core.workshop import Library

KIND = "guidelines"


def add_picture(library: Library, name: str, data: bytes) -> ProjectSettings:
    """Keep a picture of the guidelines, and return the settings it is in; one of the same name takes its place.

    It is decoded and written anew, as photos are: upright, at most 1500 px, and without what a camera noted.

    Raises
    ------
    InvalidImage
        If it is none that the library would take.
    InvalidInput
        If there are too many pictures.
    Forbidden
        If the person may not.
    """
    require(library, "settings")
    name = re.sub(r"[^\w.-]+", "-", clean_name(name))  # so that Markdown can name it
    sha256 = library.files.put(KIND, read_picture(data).working)
    now = settings(library)
    kept = [one for one in now.guideline_pictures if one.name != name]
    if len(kept) >= MOST_PICTURES:
        raise InvalidInput(f"guidelines must have at most {MOST_PICTURES} pictures, got one more")
    return _keep(library, now, (*kept, GuidelinePicture(name, sha256)))


def remove_picture(library: Library, name: str) -> ProjectSettings:
    """Take a picture out of the guidelines; one that is not there is out already."""
    require(library, "settings")
    now = settings(library)
    return _keep(library, now, tuple(one for one in now.guideline_pictures if one.name != name))


def _keep(library: Library, now: ProjectSettings, pictures: tuple[GuidelinePicture, ...]) -> ProjectSettings:
    told = replace(now, guideline_pictures=pictures).to_json()["guideline_pictures"]
    return change_settings(library, {"guideline_pictures": told}, shown=now)


def picture(library: Library, sha256: str) -> bytes:
    """Return a picture of the guidelines as a JPEG file.

    Raises
    ------
    NotFound
        If the guidelines have none of this hash.
    """
    if all(one.sha256 != sha256 for one in settings(library).guideline_pictures):
        raise NotFound("a picture must be one of the guidelines', but is not")
    return library.files.get(KIND, sha256)
