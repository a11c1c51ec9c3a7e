"""What holds for every path: health, problem documents, the canvas's files, answers that leave at once."""

import logging
import socket
from pathlib import Path

import anyio.from_thread
import httpx
import pytest

from api.bodies import MAX_BODY_BYTES
from api.sockets import send_at_once
from core.errors import MasksmithError
from core.workshop import Workshop
from pages.canvas.assets import FOLDER
from tests.api.conftest import body, client_of, refused, save


def test_a_healthy_server_names_its_model(client: httpx.Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["model"].startswith("grabcut@")


def test_a_server_that_is_not_open_yet_is_not_healthy(portal: anyio.from_thread.BlockingPortal) -> None:
    def not_yet() -> Workshop:
        raise MasksmithError("the server must have opened its library, but it has not")

    with client_of(not_yet, portal) as client:
        assert "must have opened its library" in refused(client.get("/healthz"), 503)
        assert "must have opened its library" in refused(client.get("/api/images"), 503)


def test_a_server_without_its_tables_is_not_healthy(client: httpx.Client, shop: Workshop) -> None:
    with shop.engines.write.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE project RENAME TO lost")
    assert "the database must answer" in refused(client.get("/healthz"), 503)
    assert "the database must answer" in refused(client.get("/api/project"), 503)


def test_a_server_whose_database_is_gone_is_well_again_once_it_is_back(client: httpx.Client, shop: Workshop) -> None:
    assert client.get("/healthz").status_code == 200
    shop.settings.data.rename(shop.settings.data.with_name("away"))
    assert "its file is gone" in refused(client.get("/healthz"), 503)
    answer = client.post("/api/images/1/masks", json=body(), headers={"Idempotency-Key": "k"})
    assert "its file is gone" in refused(answer, 503)
    shop.settings.data.with_name("away").rename(shop.settings.data)
    assert client.get("/healthz").status_code == 200
    assert save(client, "k")["mask_id"] == 1


def test_a_path_and_a_method_that_are_unknown_are_named(client: httpx.Client) -> None:
    assert "got '/api/nothing'" in refused(client.get("/api/nothing"), 404)
    answer = client.post("/api/project", json={})
    assert "must be GET or HEAD, got POST" in refused(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("kind", [None, "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(client: httpx.Client, kind: str | None) -> None:
    """A page of another site can send the other kinds without asking first."""
    headers = {"Idempotency-Key": "k"} | ({"Content-Type": kind} if kind else {})
    for method, path in (("POST", "/images/1/masks"), ("POST", "/images/1/skips"), ("PUT", "/preferences")):
        answer = client.request(method, f"/api{path}", content=b"{}", headers=headers)
        assert f"must be application/json, got {kind or 'none'}" in refused(answer, 422)


@pytest.mark.parametrize("text", [b"", b"{", b"nonsense", b"\xff\xfe", b'{"a": "\\ud800"}', b"[" * 5000, b"null"])
def test_what_is_no_json_object_is_refused(client: httpx.Client, text: bytes) -> None:
    answer = client.put("/api/preferences", content=text, headers={"Content-Type": "application/json; charset=utf-8"})
    assert refused(answer, 422).startswith("body: in")


@pytest.mark.parametrize(("text", "status"), [(r"\u0000", 422), (r"\\\u0000", 422), (r"\\u0000", 204), ("u0000", 204)])
def test_no_text_holds_nul_which_postgresql_cannot_keep(client: httpx.Client, text: str, status: int) -> None:
    content = f'{{"a": "{text}"}}'
    answer = client.put("/api/preferences", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    if status == 422:
        assert "must not hold the character NUL" in refused(answer, 422)


def test_a_body_that_is_too_long_is_not_read_to_its_end(client: httpx.Client) -> None:
    text = b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'
    answer = client.put("/api/preferences", content=text, headers={"Content-Type": "application/json"})
    assert f"at most {MAX_BODY_BYTES} bytes" in refused(answer, 413)


def test_a_bug_is_logged_and_told_in_one_plain_sentence(
    portal: anyio.from_thread.BlockingPortal, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Workshop:
        raise ZeroDivisionError("secret detail")

    with client_of(broken, portal) as client, caplog.at_level(logging.ERROR):
        sentence = refused(client.get("/api/images"), 500)
    assert sentence == "The server failed on this request; its log says more."
    assert "secret detail" in caplog.text


def test_the_canvas_comes_file_by_file_and_is_kept_for_good(client: httpx.Client) -> None:
    for path in sorted(FOLDER.glob("*.js"))[:3] + sorted(FOLDER.glob("*.css"))[:1]:
        answer = client.get(f"/canvas/any-version/{path.name}")
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"].startswith("text/css" if path.suffix == ".css" else "text/javascript")
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["assets.py", "nothing.js", "..%2f..%2fapp.py", "%2e%2e", "__init__.py"])
def test_nothing_but_the_canvas_is_served_as_one(client: httpx.Client, name: str) -> None:
    assert client.get(f"/canvas/v/{name}").status_code == 404


def test_open_sockets_send_at_once(tmp_path: Path) -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "unix"))
        assert send_at_once() >= 1
        assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
