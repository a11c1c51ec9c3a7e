"""A disk that is full, and people on very slow lines: nobody's work is lost, nobody else waits."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from benchmarks.app_process import AppProcess
from core.segmentation.catalogue import GRABCUT
from tests.disks import Disk, small_disk
from tests.e2e.conftest import Bench, kept, settled
from tests.e2e.photos import DISK
from tests.e2e.test_kill import accept

X, Y, _ = DISK
SLOW = 260
"""More than the server has threads of any kind."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", 64) as mounted:
        yield mounted


def test_what_is_accepted_while_the_disk_is_full_is_saved_once_there_is_room(disk: Disk, page: Page) -> None:
    with AppProcess(disk.path / "data", {"MASKSMITH_MODEL": GRABCUT}) as app:
        bench = Bench(page, app.url)
        bench.open(1)
        bench.prompted(lambda: bench.click(300, 250))
        disk.fill()
        bench.press("Enter")
        said = "Not saved yet, sent again soon: the database must answer, got: database or disk is full"
        page.get_by_text(said).first.wait_for()
        bench.until("s.masks.length === 1 && s.unsaved > 0")
        other = page.context.new_page()
        other.goto(f"{app.url}/images")
        other.get_by_role("button", name="Import photos").wait_for()
        settled(other)
        assert other.get_by_text("Traceback").count() == 0
        shown = os.environ.get("SCREENSHOTS")
        if shown:
            page.screenshot(path=f"{shown}/disk-full.png")
        disk.empty()
        bench.until("s.unsaved === 0 && s.masks.every((mask) => mask.mask_id)", timeout_s=60)
        assert len(kept(app, 1)["mask_list"]) == 1


def test_senders_that_never_end_hold_nobody_up(app: AppProcess) -> None:
    head = (
        "POST /api/images/1/masks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Idempotency-Key: slow\r\nContent-Length: 1000\r\n\r\n{"
    )
    with ExitStack() as held, httpx.Client(base_url=app.url, timeout=20.0) as client:
        for _ in range(SLOW):
            slow = held.enter_context(socket.create_connection(("127.0.0.1", app.port)))
            slow.sendall(head.encode())
        assert client.get("/healthz").status_code == 200
        image = json.loads(client.get("/api/images/2").text)
        assert accept(client, image, "beside-slow-senders", 7) > 0
        assert client.post("/api/images/2/prompt", json={"points": [[60, 45, 1]]}).status_code == 200
        client.delete("/api/masks/beside-slow-senders").raise_for_status()
