"""A full disk, a disk that cannot be written, a locked database, damaged pictures, slow senders: a sentence each."""

import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from api import bodies
from core import jobs, library
from core.backup import back_up
from core.exporting import export
from core.importing import import_bytes
from core.restoring import restore
from core.workshop import Workshop, open_workshop
from storage.errors import DiskFull, StorageError
from storage.models import Mask, SignIn
from storage.types import now
from tests.api import people as team
from tests.api.conftest import body, client_of, listed, refused, save
from tests.api.test_hostile import torn_rows
from tests.conftest import photo, settings_of
from tests.disks import Disk, small_disk

KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", 16) as mounted:
        yield mounted


@pytest.fixture
def small(disk: Disk, filled: Path) -> Iterator[Workshop]:
    """A workshop whose data folder is on a disk of its own."""
    shutil.copytree(filled, disk.path / "data")
    opened = open_workshop(settings_of(disk.path / "data"), samples=False)
    yield opened
    opened.close()


@pytest.fixture
def client_on_disk(small: Workshop, portal: anyio.from_thread.BlockingPortal) -> Iterator[httpx.Client]:
    with client_of(lambda: small, portal) as made:
        yield made


WRITES: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "a mask": lambda client: client.post("/api/images/1/masks", json=body(), headers=KEY),
    "a skip": lambda client: client.post("/api/images/1/skips", json={"object_key": "o", "state": {}}, headers=KEY),
    "work": lambda client: client.put("/api/images/1/work", json={"object_key": "o", "state": {"a": [1] * 9000}}),
    "preferences": lambda client: client.put("/api/preferences", json={"a": "b" * 9000}),
    "a deletion": lambda client: client.delete("/api/masks/there"),
    "a label": lambda client: client.patch("/api/masks/there", json={"label": "cup"}),
}


def goes_on(client: httpx.Client) -> None:
    """See that what needs no writing is answered as ever."""
    assert client.get("/healthz").status_code == 200
    assert len(client.get("/api/images").json()["images"]) == 3
    assert client.get("/api/images/1/pixels").status_code == 200
    assert client.post("/api/images/1/prompt", json={"points": [[60, 45, 1]]}).status_code == 200


def test_on_a_full_disk_nothing_is_half_saved_and_all_goes_on_once_there_is_room(
    disk: Disk, small: Workshop, client_on_disk: httpx.Client, tmp_path: Path
) -> None:
    save(client_on_disk, "there")
    before = back_up(small.settings, tmp_path / "backup")
    disk.fill()
    for name, write in WRITES.items():
        sentence = refused(write(client_on_disk), 507)
        assert "full" in sentence, name
        goes_on(client_on_disk)
    upload = [("photo-4.png", photo(4)), ("photo-5.png", photo(5))]
    report = import_bytes(upload, engines=small.engines, files=small.files, project_id=small.project_id)
    assert (report.imported, report.refused) == (0, 0)
    assert "No space left on device" in (report.stopped or "")
    for fails in (
        lambda: export(small, disk.path / "out", format="coco"),
        lambda: back_up(small.settings, disk.path / "backup"),
        lambda: restore(tmp_path / "backup", disk.path / "again"),
    ):
        with pytest.raises(DiskFull):
            fails()
    assert sorted(path.name for path in disk.path.iterdir()) in (["data", "filler"], ["backup", "data", "filler"])
    assert torn_rows(small) == []
    disk.empty()
    assert {mask["key"] for mask in listed(client_on_disk)} == {"there"}
    assert save(client_on_disk, "k")["mask_id"] == 2
    assert import_bytes(upload, engines=small.engines, files=small.files, project_id=small.project_id).imported == 2
    assert restore(tmp_path / "backup", disk.path / "again").rows == before.rows


def test_a_disk_that_turns_read_only_is_told_and_found_writable_again(
    disk: Disk, small: Workshop, client_on_disk: httpx.Client
) -> None:
    save(client_on_disk, "there")
    small.engines.dispose()  # SQLite cannot begin to read here without writing its log
    disk.lock()
    try:
        for write in WRITES.values():
            assert "the database must answer" in refused(write(client_on_disk), 503)
        assert "the database must answer" in refused(client_on_disk.get("/healthz"), 503)
        assert "the database must answer" in refused(client_on_disk.get("/api/images"), 503)
        with pytest.raises(StorageError, match="Read-only file system"):
            small.files.put("originals", b"a photo")
    finally:
        disk.unlock()
    goes_on(client_on_disk)
    assert {mask["key"] for mask in listed(client_on_disk)} == {"there"}
    assert save(client_on_disk, "k")["mask_id"] == 2


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_start_that_cannot_write_says_so_in_a_sentence(disk: Disk, how: str) -> None:
    if how == "full":
        disk.fill()
    else:
        disk.lock()
    with pytest.raises(StorageError) as caught:
        open_workshop(settings_of(disk.path / "data"), samples=False)
    assert "\n" not in str(caught.value)
    assert "must" in str(caught.value)
    if how != "full":
        disk.unlock()


def test_a_database_that_somebody_locks_is_waited_for_and_then_told(client: httpx.Client, shop: Workshop) -> None:
    other = sqlite3.connect(shop.settings.data / "masksmith.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    sentence = refused(client.post("/api/images/1/masks", json=body(), headers=KEY), 503)
    assert sentence == "the database must answer, got: database is locked"
    assert client.get("/api/images/1").json()["mask_list"] == []
    # Who holds it for less than the wait costs nobody anything.
    release = threading.Timer(1.0, lambda: other.execute("ROLLBACK"))
    release.start()
    assert save(client, "k")["mask_id"] == 1
    release.join()
    other.close()


def damaged(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    else:
        data = path.read_bytes()
        path.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])


@pytest.mark.parametrize("how", ["gone", "empty", "a bit flipped"])
@pytest.mark.parametrize(("kind", "place"), [("thumbs", "thumbnail"), ("working", "pixels")])
def test_a_damaged_picture_is_made_again_from_the_original(
    client: httpx.Client, shop: Workshop, kind: str, place: str, how: str
) -> None:
    row = library.image(shop, 2)
    path = shop.files.path(kind, row.thumb_sha256 if kind == "thumbs" else row.working_sha256)
    whole = path.read_bytes()
    damaged(path, how)
    assert client.get(f"/api/images/2/{place}").content == whole
    assert path.read_bytes() == whole
    damaged(path, how)
    damaged(shop.files.path("originals", row.sha256), how)
    assert f"the {kind} file" in refused(client.get(f"/api/images/2/{place}"), 503)


def test_a_working_image_that_comes_out_another_is_not_put_in_place_of_it(
    client: httpx.Client, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Masks lie on its pixels; a thumbnail may look a little different after an upgrade."""
    row = library.image(shop, 2)
    save = Image.Image.save

    def as_newer_versions_write(self: Image.Image, *args: Any, **kwargs: Any) -> None:
        save(self, *args, **{**kwargs, "quality": 50})

    monkeypatch.setattr(Image.Image, "save", as_newer_versions_write)
    for kind, sha256 in (("working", row.working_sha256), ("thumbs", row.thumb_sha256)):
        damaged(shop.files.path(kind, sha256), "a bit flipped")
    assert "the working file" in refused(client.get("/api/images/2/pixels"), 503)
    assert client.get("/api/images/2/thumbnail").status_code == 200
    now_named = library.image(shop, 2).thumb_sha256
    assert now_named != row.thumb_sha256
    assert shop.files.get("thumbs", now_named) == client.get("/api/images/2/thumbnail").content


def test_a_body_that_does_not_end_is_given_up(
    shop: Workshop, portal: anyio.from_thread.BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.2)

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"a": "'
        while True:
            await anyio.sleep(0.01)
            yield b"x"

    async def send() -> httpx.Response:
        app = client_of(lambda: shop, portal)._transport._inner.app  # type: ignore[attr-defined]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            headers = {"Content-Type": "application/json"}
            return await client.put("/api/preferences", content=endless(), headers=headers)

    assert "must come within 0.2 seconds" in refused(portal.call(send), 408)


def test_a_clock_that_was_set_back_keeps_nobody_out_and_loses_nothing(client: httpx.Client, shop: Workshop) -> None:
    """What was written an hour ago is then of the future."""
    ids = team.put_in(shop)
    team.sign_in(client, "annotator")
    save(client, "before")
    later = now() + timedelta(hours=1)
    with shop.engines.write.begin() as connection:
        connection.execute(update(Mask).values(created_at=later))
        connection.execute(
            update(SignIn).values(created_at=later, seen_at=later, expires_at=later + timedelta(hours=12))
        )
    save(client, "after")
    assert [mask["key"] for mask in listed(client)] == ["before", "after"]
    assert client.get("/api/session").json()["person"]["id"] == ids["annotator"]
    assert shop.files.sweep() == 0
    assert jobs.newest(shop) is None
    assert np.array_equal(shop.working_pixels(library.image(shop, 1).working_sha256).shape, (90, 120, 3))
