"""The real routes over a real library with three small photos, asked in process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import anyio.from_thread
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from api.routes import routes
from core import masks
from core.settings import Settings
from core.workshop import Workshop, open_workshop
from pages.canvas.assets import FOLDER
from tests.api import people as team
from tests.conftest import square


def body(mask: np.ndarray | None = None, **changes: Any) -> dict[str, Any]:
    """Return what the canvas sends to save a mask."""
    rle = masks.encode(square() if mask is None else mask)
    return {"rle": rle, "object_key": "object-1", **changes}


class InProcess(httpx.BaseTransport):
    """Lets a blocking client ask an ASGI app; an error of the app is answered, not raised."""

    def __init__(self, app: Starlette, portal: anyio.from_thread.BlockingPortal) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._ask, request)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


@pytest.fixture
def shop(stock: Callable[[str], None], settings: Settings) -> Iterator[Workshop]:
    """A workshop of a test's own; its images have the ids 1, 2 and 3."""
    stock("filled")
    opened = open_workshop(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def portal() -> Iterator[anyio.from_thread.BlockingPortal]:
    with anyio.from_thread.start_blocking_portal() as started:
        yield started


@pytest.fixture
def client(shop: Workshop, portal: anyio.from_thread.BlockingPortal) -> Iterator[httpx.Client]:
    with client_of(lambda: shop, portal) as made:
        yield made


def client_of(workshop: Callable[[], Workshop], portal: anyio.from_thread.BlockingPortal) -> httpx.Client:
    app = Starlette(routes=routes(workshop, canvas=FOLDER))
    return httpx.Client(transport=InProcess(app, portal), base_url="http://localhost")


@contextmanager
def signing_in(shop: Workshop, portal: anyio.from_thread.BlockingPortal) -> Iterator[Callable[[str], httpx.Client]]:
    """Yield what opens a browser in which somebody is signed in."""
    with ExitStack() as opened:

        def signed_in(name: str) -> httpx.Client:
            client = opened.enter_context(client_of(lambda: shop, portal))
            assert team.sign_in(client, name).status_code == 204
            return client

        yield signed_in


def refused(answer: httpx.Response, status: int) -> str:
    """Return the sentence of a refusal, once it is a problem document of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == status
    assert told["type"].startswith("/problems/")
    sentence: str = told["detail"]
    assert len(sentence) > 15
    assert "\n" not in sentence
    return sentence


def save(client: httpx.Client, key: str = "mask-1", image: int = 1, **changes: Any) -> dict[str, Any]:
    """Save a mask and return the answer."""
    answer = client.post(f"/api/images/{image}/masks", json=body(**changes), headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def listed(client: httpx.Client, image: int = 1) -> list[dict[str, Any]]:
    """Return the live masks of an image."""
    found: list[dict[str, Any]] = client.get(f"/api/images/{image}").json()["mask_list"]
    return found
