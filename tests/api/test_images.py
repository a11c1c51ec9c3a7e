"""The list of images with its cursor, one image, its pixels, and how far it is."""

import hashlib
from io import BytesIO

import httpx
import pytest
from PIL import Image

from core import library
from core.importing import import_bytes
from core.workshop import Workshop
from tests.api.conftest import listed, refused, save
from tests.conftest import HEIGHT, WIDTH, photo

pytestmark = pytest.mark.both_databases


def test_pages_follow_the_cursor_to_the_end(client: httpx.Client) -> None:
    first = client.get("/api/images", params={"limit": 2}).json()
    assert [image["id"] for image in first["images"]] == [1, 2]
    assert first["next"] == 2
    second = client.get("/api/images", params={"limit": 2, "after": first["next"]}).json()
    assert [image["id"] for image in second["images"]] == [3]
    assert second["next"] is None
    assert client.get("/api/images", params={"after": 3}).json() == {"images": [], "next": None}


def test_a_full_last_page_has_no_next(client: httpx.Client) -> None:
    assert client.get("/api/images", params={"limit": 3}).json()["next"] is None


def test_an_image_says_its_name_size_state_and_numbers(client: httpx.Client) -> None:
    save(client)
    (entry,) = client.get("/api/images", params={"limit": 1}).json()["images"]
    assert entry == {
        "id": 1,
        "name": "photo-1.png",
        "width": WIDTH,
        "height": HEIGHT,
        "pixels_version": entry["pixels_version"],
        "state": "in_work",
        "version": 1,
        "priority": 2,
        "masks": 1,
        "proposals": 0,
        "skips": 0,
        "embedding": "ready",
        "has_work": False,
    }


def test_images_are_filtered_by_state(client: httpx.Client) -> None:
    assert client.post("/api/images/2/state", json={"state": "done"}).status_code == 204
    found = client.get("/api/images", params={"state": "done"}).json()["images"]
    assert [image["id"] for image in found] == [2]
    assert "new, in_work, done" in refused(client.get("/api/images", params={"state": "lost"}), 422)
    assert "'new', 'in_work' or 'done'" in refused(client.post("/api/images/2/state", json={"state": "lost"}), 422)
    assert client.get("/api/images/2").json()["state"] == "done"


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "ten", "9" * 400, "\uff11"])
def test_a_limit_must_be_a_number_within_bounds(client: httpx.Client, limit: str) -> None:
    assert "from 1 to 500" in refused(client.get("/api/images", params={"limit": limit}), 422)


def test_pixels_are_the_working_image_and_under_their_version_never_change(
    client: httpx.Client, shop: Workshop
) -> None:
    version = client.get("/api/images/1").json()["pixels_version"]
    answer = client.get("/api/images/1/pixels", params={"v": version})
    sha256 = library.image(shop, 1).working_sha256
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert answer.headers["etag"] == f'"{sha256}"'
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(answer.content)).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_known_pixels_are_not_sent_again(client: httpx.Client, form: str) -> None:
    etag = client.get("/api/images/1/pixels").headers["etag"]
    again = client.get("/api/images/1/pixels", headers={"If-None-Match": form.format(etag)})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert again.headers["cache-control"] == "private, no-cache"  # a box may be blurred at any time


def test_other_pixels_are_sent(client: httpx.Client) -> None:
    other = client.get("/api/images/2/pixels").headers["etag"]
    assert client.get("/api/images/1/pixels", headers={"If-None-Match": other}).status_code == 200


def test_a_thumbnail_is_a_picture_of_its_own(client: httpx.Client) -> None:
    answer = client.get("/api/images/1/thumbnail")
    assert max(Image.open(BytesIO(answer.content)).size) <= 320
    assert answer.headers["etag"] != client.get("/api/images/1/pixels").headers["etag"]


def test_damaged_pixels_are_never_sent(client: httpx.Client, shop: Workshop) -> None:
    row = library.image(shop, 1)
    shop.files.delete("originals", row.sha256)  # they are made again from it
    path = shop.files.path("working", row.working_sha256)
    path.write_bytes(b"evil" + path.read_bytes()[4:])
    assert "must match its hash" in refused(client.get("/api/images/1/pixels"), 503)
    path.unlink()
    assert "is missing" in refused(client.get("/api/images/1/pixels"), 503)


def test_opening_an_image_makes_it_ready(client: httpx.Client) -> None:
    answer = client.post("/api/images/1/open", json={"next": [2, 999]})
    assert answer.json()["embedding"] == "ready"
    assert answer.json()["elapsed_ms"] >= 0


@pytest.mark.parametrize("path", ["", "/pixels", "/thumbnail"])
def test_an_image_that_is_not_there_is_named(client: httpx.Client, path: str) -> None:
    assert "image 99 must be in the library" in refused(client.get(f"/api/images/99{path}"), 404)
    assert "positive whole number, got 'abc'" in refused(client.get(f"/api/images/abc{path}"), 422)


def test_a_deleted_image_is_gone_and_comes_back_with_its_masks(client: httpx.Client, shop: Workshop) -> None:
    save(client)
    assert library.delete(shop, [1]) == 1
    refused(client.get("/api/images/1"), 404)
    refused(client.get("/api/images/1/pixels"), 404)
    refused(client.post("/api/images/1/prompt", json={"points": [[5, 5, 1]]}), 404)
    assert [image["id"] for image in client.get("/api/images").json()["images"]] == [2, 3]
    import_bytes([("again.png", photo(1))], engines=shop.engines, files=shop.files, project_id=shop.project_id)
    assert len(listed(client)) == 1
