"""A picture that is made again is the one that the image shows now, not one of before a box was drawn on it."""

from collections.abc import Callable

import pytest

from core import library as looking
from core import mending, projects, protecting
from core.importing import import_bytes
from core.pictures import Picture
from core.workshop import Library
from storage.errors import StorageError
from storage.rows import ImageRow
from tests.conftest import photo

BOX, OTHER = (10.0, 10.0, 50.0, 50.0), (60.0, 20.0, 90.0, 60.0)


@pytest.fixture(params=[(), (OTHER,)], ids=["nothing blurred before", "something blurred before"])
def row(library: Library, request: pytest.FixtureRequest) -> ImageRow:
    """An image as it was read, before a box is drawn."""
    projects.change_settings(library, {"blur": False})
    uploads = [("a.png", photo(1))]
    import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    for box in request.param:
        protecting.draw(library, 1, "face", box)
    return looking.image(library, 1)


def stored(library: Library) -> set[str]:
    found = (path for kind in ("working", "thumbs") for path in (library.files.root / kind).rglob("*"))
    return {path.name for path in found if path.is_file()}


@pytest.mark.parametrize(("kind", "read"), [("working", mending.working), ("thumbs", mending.thumbnail)])
def test_who_read_the_image_before_a_box_was_drawn_gets_it_blurred(
    library: Library, row: ImageRow, kind: str, read: Callable[[Library, ImageRow], bytes]
) -> None:
    protecting.draw(library, 1, "face", BOX)
    now, files = looking.image(library, 1), stored(library)
    assert read(library, row) == library.files.get(kind, now.working_sha256 if kind == "working" else now.thumb_sha256)
    assert looking.image(library, 1) == now
    assert stored(library) == files


@pytest.mark.parametrize(("kind", "read"), [("working", mending.working), ("thumbs", mending.thumbnail)])
def test_a_box_that_is_drawn_while_a_damaged_picture_is_made_again_stays(
    library: Library,
    row: ImageRow,
    kind: str,
    read: Callable[[Library, ImageRow], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library.files.path(kind, row.working_sha256 if kind == "working" else row.thumb_sha256).unlink()
    real = mending.picture_of

    def meanwhile(*args: object) -> Picture:
        monkeypatch.setattr(mending, "picture_of", real)
        protecting.draw(library, 1, "face", BOX)
        drawn.append(looking.image(library, 1))
        files.update(stored(library))
        return real(*args)  # type: ignore[arg-type]

    drawn: list[ImageRow] = []
    files: set[str] = set()
    monkeypatch.setattr(mending, "picture_of", meanwhile)
    read(library, row)
    assert [looking.image(library, 1)] == drawn
    assert stored(library) == files


def test_what_cannot_be_kept_can_be_seen(library: Library, row: ImageRow, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = library.files.get("working", row.working_sha256)
    library.files.path("working", row.working_sha256).unlink()

    def full(*_: object) -> str:
        raise StorageError("there must be room on the disk, but there is none")

    monkeypatch.setattr(type(library.files), "put", full)
    assert mending.working(library, row) == whole
