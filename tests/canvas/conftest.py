"""The workbench's modules, loaded into real Chromium from a small server of files and of whatever a test answers."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from pages.canvas.assets import FOLDER
from tests.browser import running_chromium

_TYPES = {".js": "text/javascript", ".css": "text/css"}


@dataclass(frozen=True)
class Request:
    """What the browser sent to /api."""

    method: str
    path: str
    key: str | None
    body: Any


Answer = tuple[int, Any]


@dataclass
class Backend:
    """A server for /api: what it got, and how the test wants it to answer."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], Answer | None] = lambda _request: (204, None)
    """Status and JSON of the answer; None closes the connection without one."""


def handler_of(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            if self.path.startswith("/api/"):
                self.answer_api()
            else:
                self.answer_file()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def answer_api(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            key = self.headers.get("idempotency-key")
            request = Request(self.command, self.path.removeprefix("/api"), key, json.loads(raw) if raw else None)
            backend.requests.append(request)
            answer = backend.answer(request)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            self.send(status, b"" if body is None else json.dumps(body).encode(), "application/json")

        def answer_file(self) -> None:
            name = self.path.split("?")[0].lstrip("/")
            path = FOLDER / name
            if not name:
                self.send(200, b"<!doctype html><title>modules</title><body></body>", "text/html")
            elif "/" not in name and path.suffix in _TYPES and path.is_file():
                self.send(200, path.read_bytes(), _TYPES[path.suffix])
            else:
                self.send(404, b"", "text/plain")

        def send(self, status: int, data: bytes, media_type: str) -> None:
            self.send_response(status)
            self.send_header("content-type", media_type)
            if status != 204:
                self.send_header("content-length", str(len(data)))
            self.end_headers()
            if status != 204:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a page that is reloaded hangs up
                    self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with running_chromium() as running:
        yield running


@pytest.fixture(scope="package")
def served() -> Iterator[Backend]:
    backend = Backend()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(backend))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    backend.url = f"http://127.0.0.1:{server.server_port}"
    yield backend
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def backend(served: Backend) -> Backend:
    """The server, with no memory of earlier tests."""
    served.requests.clear()
    served.answer = lambda _request: (204, None)
    return served


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile."""
    opened = browser.new_context()
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, backend: Backend) -> Page:
    """An empty page of the server, from which modules can be imported."""
    opened = context.new_page()
    opened.goto(backend.url)
    return opened


@pytest.fixture(scope="module")
def pure_page(browser: Browser, served: Backend) -> Iterator[Page]:
    """One page for a module of tests that leave nothing behind."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(served.url)
    yield opened
    context.close()
