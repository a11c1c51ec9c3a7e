"""Pages of other sites, and names that are not ours, get nothing done."""

import socket
from pathlib import Path

import anyio.from_thread
import httpx
import pytest
from starlette.applications import Starlette

from api.routes import routes
from core.workshop import Workshop
from pages.canvas.assets import FOLDER
from tests.api.conftest import InProcess, listed, refused, save


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_another_sites_page_changes_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    save(client)
    client.delete("/api/masks/mask-1")
    answer = client.post("/api/masks/mask-1/restore", headers=headers)
    assert "must be asked for by a page of this server" in refused(answer, 403)
    assert listed(client) == []
    assert client.get("/api/images", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_pages_and_programs_may_change_things(client: httpx.Client, headers: dict[str, str]) -> None:
    save(client)
    client.delete("/api/masks/mask-1", headers=headers)
    assert client.post("/api/masks/mask-1/restore", headers=headers).status_code == 204
    assert len(listed(client)) == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8501", 200),
        ("[::1]:8501", 200),
        ("192.168.7.9", 200),
        ("localhost:8501", 200),
        ("masks.localhost", 200),
        (socket.gethostname(), 200),
        ("Masks.Example:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_only_addresses_and_known_names_are_answered(
    shop: Workshop, portal: anyio.from_thread.BlockingPortal, host: str, status: int
) -> None:
    app = Starlette(routes=routes(lambda: shop, canvas=FOLDER, hosts=("masks.example",)))
    with httpx.Client(transport=InProcess(app, portal), base_url="http://localhost") as client:
        answer = client.get("/api/images", headers={"Host": host})
    if status == 421:
        assert "an address or a name in MASKSMITH_HOSTS" in refused(answer, 421)
    assert answer.status_code == status


def test_the_names_are_read_from_the_environment(tmp_path: Path) -> None:
    from core.settings import from_environment

    environ = {"MASKSMITH_DATA": str(tmp_path), "MASKSMITH_HOSTS": "Masks.example, other.example,"}
    assert from_environment(environ).hosts == ("masks.example", "other.example")
