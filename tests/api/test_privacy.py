"""What leaves shows no blurred face and tells nothing of where a photo was taken; originals are the owner's."""

import ast
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import anyio.from_thread
import httpx
import numpy as np
import pytest
from PIL import Image

from core import projects, searching
from core.exporting import FORMATS, Format, export
from core.importing import import_bytes
from core.workshop import Workshop
from storage import images
from tests.api import people as team
from tests.api.conftest import client_of, refused, save
from tests.api.test_roles import asked, served
from tests.conftest import HEIGHT, WIDTH, photo
from tests.core.privacy.photos import COMMENT, GPS, MARK, Marks, marked, sharpness, with_notes

NOTES = (b"Exif", b"http://ns.adobe", b"xmpmeta", b"ICC_PROFILE", b"Jane", GPS, COMMENT)


@pytest.fixture(autouse=True)
def marks_are_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKSMITH_DETECTOR", "tests.core.privacy.photos:marks")


def take(shop: Workshop, name: str, data: bytes, *, blur: bool = True) -> None:
    projects.change_settings(shop, {"blur": blur})
    report = import_bytes([(name, data)], engines=shop.engines, files=shop.files, project_id=shop.project_id)
    assert report.imported == 1


@pytest.fixture
def noted(shop: Workshop) -> bytes:
    """Photo 4, which says where it was taken."""
    pixels = np.asarray(Image.open(BytesIO(marked())))
    data = with_notes(pixels)
    assert all(
        note in data for note in (b"Exif", b"http://ns.adobe", b"xmpmeta", b"ICC_PROFILE", b"Jane", GPS, COMMENT)
    )
    take(shop, "home.jpg", data)
    return data


def every_get(client: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    for method, path in served():
        if method == "GET":
            here = path.replace("{id}", "4")
            yield path, asked(client, method, here)


def silent(data: bytes) -> None:
    """Fail if bytes say anything of where, when and by whom."""
    assert [note for note in NOTES if note in data] == []


def test_no_route_tells_where_a_photo_was_taken(client: httpx.Client, shop: Workshop, noted: bytes) -> None:
    seen = 0
    for path, answer in every_get(client):
        if path == "/images/{id}/original":
            assert answer.content == noted
            continue
        silent(answer.content)
        seen += answer.headers.get("content-type", "").startswith("image/")
    assert seen == 2
    for path in ("pixels", "thumbnail"):
        with Image.open(BytesIO(client.get(f"/api/images/4/{path}").content)) as picture:
            assert not picture.getexif()
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("format", FORMATS)
def test_no_export_tells_where_a_photo_was_taken(
    client: httpx.Client, shop: Workshop, noted: bytes, format: Format
) -> None:
    save(client, "m", image=4)
    folder = shop.settings.exports / "an-export"
    assert export(shop, folder, format=format).masks == 1
    photos = 0
    for path in folder.rglob("*"):
        if path.is_file():
            silent(path.read_bytes())
            photos += path.suffix == ".jpg"
    assert photos == 4
    answer = client.get("/api/exports/an-export")
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        for name in archive.namelist():
            silent(archive.read(name))


def test_four_places_read_originals() -> None:
    """What the owner takes home, what a box needs, how a photo lay when others drew masks on it, and what mends."""
    reading = set()
    for path in (path for floor in ("api", "cli", "core", "pages") for path in Path(floor).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("get", "path"):
                if any(isinstance(one, ast.Constant) and one.value == "originals" for one in node.args):
                    reading.add(path.as_posix())
    assert reading == {"core/protecting.py", "core/remaking.py", "core/mask_fitting.py", "core/mending.py"}


@pytest.mark.parametrize("role", ["annotator", "reviewer", "manager", "owner"])
def test_originals_are_the_owners_alone(
    shop: Workshop, portal: anyio.from_thread.BlockingPortal, noted: bytes, role: str
) -> None:
    ids = team.put_in(shop)
    with client_of(lambda: shop, portal) as client:
        team.sign_in(client, role)
        for path, answer in every_get(client):
            if path == "/images/{id}/original" and role == "owner":
                assert answer.content == noted
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''home.jpg"
                assert answer.headers["content-type"] == "image/jpeg"
            else:
                assert noted not in answer.content
        said = client.get("/api/images/4/original")
    if role != "owner":
        assert refused(said, 403) == f"your role must be owner or above for this, but it is {role}"
    with shop.engines.read.connect() as connection:
        rows = connection.exec_driver_sql("SELECT person_id, image_id FROM event WHERE kind = 'original'").all()
    assert [tuple(row) for row in rows] == ([(ids["owner"], 4)] * 2 if role == "owner" else [])


def test_once_a_face_is_blurred_its_old_bytes_are_nowhere(client: httpx.Client, shop: Workshop) -> None:
    take(shop, "a.png", marked(), blur=False)
    before = client.get("/api/images/4").json()
    sharp = {path: client.get(f"/api/images/4/{path}") for path in ("pixels", "thumbnail")}
    answer = client.post("/api/images/4/prompt", json={"points": [[30, 40, 1]]}).json()
    token = answer["candidates"][0]["token"]
    searching.search_library(shop)
    after = client.get("/api/images/4").json()
    assert after["pixels_version"] != before["pixels_version"]
    for path, old in sharp.items():
        for query in ({}, {"v": before["pixels_version"]}, {"v": after["pixels_version"]}):
            headers = {"If-None-Match": old.headers["etag"]}
            now = client.get(f"/api/images/4/{path}", params=query, headers=headers)
            assert now.status_code == 200
            assert now.content != old.content
            # Only the address that names these pixels may be kept without asking again.
            assert ("immutable" in now.headers["cache-control"]) == (query == {"v": after["pixels_version"]})
        assert all(old.content != kept.read_bytes() for kept in shop.settings.data.rglob("*") if kept.is_file())
    pixels = np.asarray(Image.open(BytesIO(client.get("/api/images/4/pixels").content)))
    assert sharpness(pixels, MARK) < 20
    # What was made of the sharp photo answers no more.
    refused(client.get(f"/api/images/4/candidates/{token}"), 404)
    again = client.post("/api/images/4/prompt", json={"points": [[30, 40, 1]], "refine": token}).json()
    assert again["refined"] is False


def test_an_old_embedding_does_not_answer_on_a_photo_that_was_blurred_since(
    client: httpx.Client, shop: Workshop
) -> None:
    take(shop, "a.png", marked(), blur=False)
    encoded: list[np.ndarray] = []
    segmenter = shop.desk.segmenter
    encode: Callable[[np.ndarray], object] = segmenter.encode

    class Noting:
        def __getattr__(self, name: str) -> object:
            return getattr(segmenter, name)

        def encode(self, image: np.ndarray) -> object:
            encoded.append(image)
            return encode(image)

    shop.desk.set_segmenter(Noting())  # type: ignore[arg-type]
    client.post("/api/images/4/prompt", json={"points": [[30, 40, 1]]})
    client.post("/api/images/4/prompt", json={"points": [[31, 40, 1]]})
    searching.search_library(shop)
    client.post("/api/images/4/prompt", json={"points": [[30, 40, 1]]})
    assert [sharpness(image) > 40 for image in encoded] == [True, False]


def test_names_of_any_kind_are_sent_with_an_original(client: httpx.Client, shop: Workshop) -> None:
    take(shop, 'ä "x"; y.png', photo(7))
    sent = client.get("/api/images/4/original")
    assert sent.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A4%20%22x%22%3B%20y.png"
    assert sent.content == photo(7)


def test_marks_are_found_where_they_are() -> None:
    """The tests here stand on it."""
    (found,) = Marks().find(np.asarray(Image.open(BytesIO(marked()))))
    assert found.box == MARK
    assert Marks().find(np.zeros((HEIGHT, WIDTH, 3), np.uint8)) == []


@pytest.mark.parametrize("kind", ["pixels", "thumbnail"])
def test_what_is_made_again_from_the_original_is_blurred(client: httpx.Client, shop: Workshop, kind: str) -> None:
    take(shop, "street.png", marked())
    shown = client.get(f"/api/images/4/{kind}").content
    with shop.engines.reading() as session:
        row = images.get(4, session=session)
    for store, sha256 in (("working", row.working_sha256), ("thumbs", row.thumb_sha256)):
        shop.files.path(store, sha256).write_bytes(b"evil")
    assert client.get(f"/api/images/4/{kind}").content == shown
