"""What stands before Streamlit: private doors, sockets that belong to who opened them, and nobody from elsewhere."""

from collections.abc import Callable

import anyio.from_thread
import anyio.to_thread
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Scope
from starlette.websockets import WebSocket
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from api.gate import gate
from api.uploads import MOST_BYTES
from core import people, sign_in
from core.workshop import Workshop
from pages.ui.uploads import kept_by
from tests.api import people as team
from tests.api.conftest import InProcess, client_of, refused

Portal = anyio.from_thread.BlockingPortal


async def answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("streamlit")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(socket.headers.get("sec-websocket-protocol", "") if text == "resumed?" else text)


def gated(shop: Workshop) -> Starlette:
    everything = Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "DELETE"])
    return Starlette(routes=[WebSocketRoute("/_stcore/stream", echo), everything], middleware=[gate(lambda: shop)])


def asker(shop: Workshop, portal: Portal, address: str = "127.0.0.1") -> httpx.Client:
    transport = InProcess(gated(shop), portal)
    transport._inner.client = (address, 50000)
    return httpx.Client(transport=transport, base_url="http://localhost")


@pytest.fixture
def token(shop: Workshop, portal: Portal) -> str:
    """Of the annotator."""
    team.put_in(shop)
    with client_of(lambda: shop, portal) as client:
        team.sign_in(client, "annotator")
        return client.cookies[sign_in.COOKIE]


PRIVATE = [
    ("PUT", "/_stcore/upload_file/session/file"),
    ("DELETE", "/_stcore/upload_file/session/file"),
    ("GET", "/media/picture.png"),
    ("GET", "/_stcore/metrics"),
    ("POST", "/_stcore/agent/interact"),
    ("GET", "/_stcore/agent/openapi.json"),
    ("POST", "/anything"),
    ("GET", "/auth/login"),
    ("GET", "/oauth2callback"),
]
OPEN = ["/", "/review", "/static/js/index.js", "/_stcore/health", "/_stcore/host-config", "/healthz", "/canvas/v/a.js"]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_streamlits_private_doors_open_to_people_only(
    shop: Workshop, portal: Portal, token: str, method: str, path: str
) -> None:
    with asker(shop, portal) as client:
        assert "you must be signed in" in refused(client.request(method, path), 401)
        client.cookies.set(sign_in.COOKIE, token)
        if "upload_file" in path:
            assert "your role must be manager or above for uploads" in refused(client.request(method, path), 403)
            people.set_role(shop, people.named(shop, "annotator").id, "manager")
        assert client.request(method, path).text == "streamlit"


def test_uploads_wait_in_bounded_memory(shop: Workshop, portal: Portal) -> None:
    kept = [0]
    app = Starlette(
        routes=[Route("/{path:path}", answer, methods=["PUT"])],
        middleware=[gate(lambda: shop, waiting=lambda: kept[0])],
    )
    with httpx.Client(transport=InProcess(app, portal), base_url="http://localhost") as client:
        for kept[0], size, status in ((0, 9, 200), (MOST_BYTES - 9, 9, 200), (MOST_BYTES - 8, 9, 507), (0, 9, 200)):
            answered = client.put("/_stcore/upload_file/session/file", content=b"x" * size)
            assert answered.status_code == status
            if status == 507:
                assert "uploads that wait must have at most 2048 MB together" in refused(answered, 507)


def test_an_upload_of_unknown_or_absurd_length_is_taken_for_a_long_one(shop: Workshop, portal: Portal) -> None:
    app = Starlette(
        routes=[Route("/{path:path}", answer, methods=["PUT"])],
        middleware=[gate(lambda: shop, waiting=lambda: MOST_BYTES - (500 << 20) + 1)],
    )
    with httpx.Client(transport=InProcess(app, portal), base_url="http://localhost") as client:
        path = "/_stcore/upload_file/session/file"
        for said in ("", "-1", "9" * 30):
            assert client.put(path, content=b"x", headers={"Content-Length": said}).status_code == 507
        assert client.put(path, content=b"x").status_code == 200


def test_what_streamlit_keeps_is_counted_by_itself() -> None:
    manager = MemoryUploadedFileManager("/upload")
    manager.add_file("session", UploadedFileRec("file", "a.jpg", "image/jpeg", b"12345"))
    assert kept_by(manager) == 5
    manager.remove_session_files("session")
    assert kept_by(manager) == 0


@pytest.mark.parametrize("path", OPEN)
def test_what_the_sign_in_form_needs_is_open(shop: Workshop, portal: Portal, token: str, path: str) -> None:
    with asker(shop, portal) as client:
        assert client.get(path).text == "streamlit"


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_alone_every_door_is_open(shop: Workshop, portal: Portal, method: str, path: str) -> None:
    with asker(shop, portal) as client:
        assert client.request(method, path).status_code == 200


@pytest.mark.parametrize("path", [*OPEN, "/api/images", "/media/picture.png"])
def test_alone_nobody_from_elsewhere_is_answered(shop: Workshop, portal: Portal, path: str) -> None:
    with asker(shop, portal, "192.168.7.9") as client:
        assert "people must sign in before others than this machine" in refused(client.get(path), 403)
        team.put_in(shop)
        assert client.get("/review").status_code == 200


def spoken(
    shop: Workshop,
    token: str | None,
    *steps: str | Callable[[], object],
    address: str = "127.0.0.1",
    host: str = "localhost",
    resume: str | None = None,
    origin: str | None = None,
) -> list[object]:
    """Open a socket, say the texts and do the other steps in between; return what came back: texts and codes."""
    cookie = [(b"cookie", f"{sign_in.COOKIE}={token}".encode())] if token else []
    protocol = [(b"sec-websocket-protocol", f"streamlit, xsrf, {resume}".encode())] if resume else []
    site = [(b"origin", origin.encode())] if origin else []
    scope: Scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "headers": [(b"host", host.encode()), *cookie, *protocol, *site],
        "client": (address, 50000),
        "subprotocols": [],
    }
    to_come = iter(steps)
    heard: list[object] = []
    connected = False

    async def receive() -> Message:
        nonlocal connected
        if not connected:
            connected = True
            return {"type": "websocket.connect"}
        for step in to_come:
            if isinstance(step, str):
                return {"type": "websocket.receive", "text": step}
            await anyio.to_thread.run_sync(step)
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        if message["type"] != "websocket.accept":
            heard.append(message.get("text", message.get("code")))

    anyio.run(gated(shop), scope, receive, send)
    return heard


def test_a_socket_stays_open_while_its_person_is_the_same(shop: Workshop, token: str) -> None:
    somebody_else = people.named(shop, "reviewer").id
    assert spoken(shop, token, "a", lambda: people.set_role(shop, somebody_else, "manager"), "b") == ["a", "b"]
    assert spoken(shop, None, "a", "b") == ["a", "b"]


@pytest.mark.parametrize("change", ["sign out", "sign out everywhere", "role", "deactivate", "password"])
def test_its_next_word_closes_the_socket_of_who_is_no_longer_who_they_were(
    shop: Workshop, token: str, change: str
) -> None:
    person_id = people.named(shop, "annotator").id
    changes: dict[str, Callable[[], object]] = {
        "sign out": lambda: sign_in.sign_out(shop, token),
        "sign out everywhere": lambda: people.sign_out(shop, person_id),
        "role": lambda: people.set_role(shop, person_id, "manager"),
        "deactivate": lambda: people.deactivate(shop, person_id),
        "password": lambda: people.set_password(shop, person_id),
    }
    assert spoken(shop, token, "hello", changes[change], "press the button", "again") == ["hello", 1008]


def test_the_first_password_closes_the_sockets_of_before(shop: Workshop) -> None:
    assert spoken(shop, None, "hello", lambda: team.put_in(shop), "press the button") == ["hello", 1008]


@pytest.mark.parametrize(("address", "host"), [("192.168.7.9", "localhost"), ("127.0.0.1", "evil.example")])
def test_a_socket_from_elsewhere_or_by_a_foreign_name_is_not_opened(shop: Workshop, address: str, host: str) -> None:
    assert spoken(shop, None, "hello", address=address, host=host) == [1008]


@pytest.mark.parametrize(
    ("origin", "opened"),
    [
        ("http://localhost", True),
        ("https://localhost", True),
        ("http://localhost:8080", False),
        ("http://127.0.0.1", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_a_page_of_another_site_opens_no_socket_and_uploads_nothing(
    shop: Workshop, portal: Portal, origin: str, opened: bool
) -> None:
    assert spoken(shop, None, "hello", origin=origin) == (["hello"] if opened else [1008])
    with asker(shop, portal) as client:
        answer = client.put("/_stcore/upload_file/session/file", headers={"Origin": origin})
        assert answer.status_code == (200 if opened else 403)
        assert client.get("/media/picture.png", headers={"Origin": origin}).status_code == 200


def test_a_page_that_connects_anew_goes_on_in_the_same_hands_only(shop: Workshop, token: str) -> None:
    person_id = people.named(shop, "annotator").id
    shop.page_hands.note("page", sign_in.whose(shop, token).hands)
    assert spoken(shop, token, "resumed?", resume="page") == ["streamlit, xsrf, page"]
    assert spoken(shop, token, "resumed?", resume="another") == ["streamlit, xsrf"]
    assert spoken(shop, None, "resumed?", resume="page") == ["streamlit, xsrf"]
    assert spoken(shop, sign_in.sign_in(shop, "reviewer", team.PASSWORD, address="x"), "resumed?", resume="page") == [
        "streamlit, xsrf"
    ]
    people.set_role(shop, person_id, "manager")
    assert spoken(shop, token, "resumed?", resume="page") == ["streamlit, xsrf"]


def test_alone_a_page_goes_on_where_it_was(shop: Workshop) -> None:
    shop.page_hands.note("page", shop.hands)
    assert spoken(shop, None, "resumed?", resume="page") == ["streamlit, xsrf, page"]
