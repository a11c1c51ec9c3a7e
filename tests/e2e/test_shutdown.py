"""SIGTERM, as systemd, containers and make send it: what was begun is finished, and all is closed."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page

from benchmarks.app_process import AppProcess
from core.masks import encode
from core.segmentation.catalogue import GRABCUT
from tests.e2e.conftest import kept
from tests.e2e.test_kill import accept


@pytest.fixture
def app(tmp_path: Path) -> Iterator[AppProcess]:
    process = AppProcess(tmp_path / "data", {"MASKSMITH_MODEL": GRABCUT, "MASKSMITH_LOG": "json"})
    process.start()
    yield process
    process.kill()


def ended(pid: int) -> None:
    """Wait until the server's process has ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.05)
    raise AssertionError("the server did not end within 30 s")


def closed_to_new(port: int) -> None:
    """Wait until nobody is let in any more."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    raise AssertionError("the server still listens")


def test_what_was_begun_is_finished_while_pages_are_open(app: AppProcess, page: Page) -> None:
    page.goto(f"{app.url}/images")
    page.get_by_role("button", name="Import photos").wait_for()
    image = httpx.get(f"{app.url}/api/images/1").json()
    rle = encode(np.ones((image["height"], image["width"]), bool))
    body = json.dumps({"rle": rle, "object_key": "half"}).encode()
    head = (
        f"POST /api/images/1/masks HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: half\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    acknowledged: list[str] = []

    def work(person: int) -> None:
        with httpx.Client(base_url=app.url, timeout=30.0) as client:
            for number in range(10_000):
                key = f"p{person}-{number}"
                try:
                    accept(client, image, key, number)
                except (httpx.HTTPError, OSError):
                    return
                acknowledged.append(key)

    people = [threading.Thread(target=work, args=(person,)) for person in range(3)]
    for person in people:
        person.start()
    while len(acknowledged) < 10:
        time.sleep(0.01)
    with socket.create_connection(("127.0.0.1", app.port)) as half:
        half.sendall(head.encode() + body[:20])
        # The server has the head once it answers what was sent later.
        assert httpx.get(f"{app.url}/healthz").status_code == 200
        os.kill(app.pid, signal.SIGTERM)
        closed_to_new(app.port)
        half.sendall(body[20:])
        answer = b"".join(iter(lambda: half.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 201 "), answer[:200]
    ended(app.pid)
    for person in people:
        person.join()
    # SQLite takes its log away when the last connection is closed in order.
    assert not (app.data / "masksmith.db-wal").exists()
    lines = [json.loads(line) for line in app.log.read_text().splitlines() if line.startswith("{")]
    assert [line for line in lines if line["level"] == "error"] == []
    assert any(line.get("route") == "/api/images/{id}/masks" and line["status"] == 201 for line in lines)
    app.stop()
    app.start()
    assert {*acknowledged, "half"} <= {mask["key"] for mask in kept(app, 1)["mask_list"]}


def test_metrics_are_a_page_for_browsers_and_numbers_for_monitors(app: AppProcess, page: Page) -> None:
    page.goto(f"{app.url}/metrics")
    page.get_by_role("link", name="Metrics").wait_for()
    assert page.get_by_text("masksmith_requests_total").count() == 0
    numbers = httpx.get(f"{app.url}/metrics").text
    for route in ("/healthz", "pages"):
        assert f'masksmith_requests_total{{method="GET",route="{route}",status="200"}}' in numbers
    page.reload()
    page.get_by_role("link", name="Metrics").wait_for()
    assert page.get_by_text("masksmith_requests_total").count() == 0
