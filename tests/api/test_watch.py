"""What the server tells of itself: /metrics for monitors, a log line for each request, and nobody's name in either."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import anyio.from_thread
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.routes import routes
from api.watch import watch
from core.errors import InvalidInput, MasksmithError
from core.logs import JsonLines, TextLines
from core.settings import from_environment
from core.workshop import Workshop
from pages.canvas.assets import FOLDER
from tests.api import people as team
from tests.api.conftest import InProcess, body, refused, save

Portal = anyio.from_thread.BlockingPortal
TOKEN = "a token that monitors know"
LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? (-?[0-9.e+-]+|\+Inf|NaN)')


class From(InProcess):
    """As if the requests came from another address."""

    def __init__(self, app: Starlette, portal: Portal, address: str) -> None:
        super().__init__(app, portal)
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40000))


def watched(workshop: Callable[[], Workshop], portal: Portal, address: str = "127.0.0.1") -> httpx.Client:
    app = Starlette(routes=routes(workshop, canvas=FOLDER), middleware=[watch(workshop, TOKEN)])
    return httpx.Client(transport=From(app, portal, address), base_url="http://localhost")


@pytest.fixture
def seen(shop: Workshop, portal: Portal) -> Iterator[httpx.Client]:
    with watched(lambda: shop, portal) as client:
        yield client


def numbers(client: httpx.Client, **headers: str) -> dict[tuple[str, str], float]:
    """Return every number by name and labels, once the text is what Prometheus reads."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[tuple[str, str], float] = {}
    described: set[str] = set()
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            described.add(line.split()[2])
        elif not line.startswith("# HELP "):
            parts = LINE.fullmatch(line)
            assert parts, line
            assert re.sub("_(bucket|sum|count)$", "", parts[1]) in described or parts[1] in described, line
            place = (parts[1], parts[2] or "")
            assert place not in found
            found[place] = float(parts[3])
    return found


def test_requests_prompts_masks_jobs_caches_and_memory_are_counted(seen: httpx.Client, shop: Workshop) -> None:
    save(seen, "mask-1")
    save(seen, "mask-2", image=2)
    assert seen.post("/api/images/1/prompt", json={"points": [[60, 45, 1]]}).status_code == 200
    assert seen.post("/api/images/2/prompt", json={"points": [[60, 45, 1]]}).status_code == 200
    assert seen.get("/api/images/999").status_code == 404
    assert seen.get("/api/nothing/ada").status_code == 404
    found = numbers(seen)
    masks = 'method="POST",route="/api/images/{id}/masks",status="201"'
    assert found["masksmith_requests_total", masks] == 2
    assert found["masksmith_requests_total", 'method="GET",route="/api/images/{id}",status="404"'] == 1
    timed = 'route="/api/images/{id}/prompt"'
    assert found["masksmith_request_seconds_count", timed] == 2
    assert found["masksmith_request_seconds_bucket", f'{timed},le="+Inf"'] == 2
    rising = [value for (name, labels), value in found.items() if name.endswith("_bucket") and labels.startswith(timed)]
    assert rising == sorted(rising)
    assert found["masksmith_prompts_total", 'kind="click"'] == 2
    assert found["masksmith_masks_saved_total", ""] == found["masksmith_masks", ""] == 2
    assert found["masksmith_jobs", 'state="queued"'] == found["masksmith_prompts_waiting", ""] == 0
    assert found["masksmith_embedding_cache_requests_total", 'found="made"'] == 2
    assert found["masksmith_database_up", ""] == 1
    assert found["process_resident_memory_bytes", ""] > 1e7
    assert not any("999" in labels or "ada" in labels for _, labels in found)


def test_paths_and_methods_that_anybody_makes_up_are_one_name(seen: httpx.Client) -> None:
    for number in range(20):
        seen.get(f"/nothing-{number}")
        seen.request(f"MADE{number}", "/api/images")
        seen.get(f"/api/rounds/{number}/images")
    routes_told = {labels for name, labels in numbers(seen) if name == "masksmith_requests_total"}
    assert len(routes_told) <= 5


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {"Host": "[::1]:8501"}, 200),
        ("192.168.7.9", {}, 403),
        ("192.168.7.9", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("192.168.7.9", {"Authorization": f"bearer {TOKEN}"}, 200),
        ("192.168.7.9", {"Authorization": f"Bearer {TOKEN}x"}, 403),
        ("192.168.7.9", {"Authorization": "Bearer "}, 403),
        ("192.168.7.9", {"Authorization": "Bearer \u00e9"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "192.168.7.9"}, 403),
        ("127.0.0.1", {"Forwarded": "for=192.168.7.9"}, 403),
        ("127.0.0.1", {"Host": "evil.example"}, 403),
        ("127.0.0.1", {"Host": "evil.example", "Authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_numbers_are_for_this_machine_and_for_who_knows_the_token(
    shop: Workshop, portal: Portal, address: str, headers: dict[str, str], status: int
) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    with watched(lambda: shop, portal, address) as client:
        answer = client.get("/metrics", headers=encoded)
        assert answer.status_code == status
        if status != 200:
            assert "to nobody else" in refused(answer, 403)


@pytest.mark.parametrize("path", ["/api/images", "/api/nothing", "/metrics", "/canvas/v/main.js", "/anything"])
def test_every_answer_forbids_other_sites_to_frame_it(seen: httpx.Client, path: str) -> None:
    told = seen.get(path).headers
    assert told.get_list("content-security-policy") == ["frame-ancestors 'self'"]
    assert told.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert told.get_list("x-content-type-options") == ["nosniff"]
    assert told.get_list("referrer-policy") == ["same-origin"]


def test_what_a_route_says_itself_is_not_said_twice(shop: Workshop, portal: Portal) -> None:
    async def strict(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("", headers={"content-security-policy": "frame-ancestors 'none'"})

    app = Starlette(routes=[Route("/", strict)], middleware=[watch(lambda: shop)])
    with httpx.Client(transport=InProcess(app, portal), base_url="http://localhost") as client:
        assert client.get("/").headers.get_list("content-security-policy") == ["frame-ancestors 'none'"]


def test_no_token_is_no_empty_token(shop: Workshop, portal: Portal) -> None:
    app = Starlette(middleware=[watch(lambda: shop, None)])
    with httpx.Client(transport=From(app, portal, "192.168.7.9"), base_url="http://localhost") as client:
        for shown in ("Bearer ", "Bearer None", ""):
            assert client.get("/metrics", headers={"Authorization": shown}).status_code == 403


def test_a_browser_gets_the_page_of_that_name(seen: httpx.Client) -> None:
    assert seen.get("/metrics", headers={"Accept": "text/html,*/*;q=0.8"}).status_code == 404  # no pages in this app
    assert "must be GET or HEAD" in refused(seen.post("/metrics"), 405)
    assert seen.head("/metrics").text == ""


def test_without_its_database_the_rest_is_told(seen: httpx.Client, shop: Workshop) -> None:
    with shop.engines.write.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE mask RENAME TO lost")
    found = numbers(seen)
    assert found["masksmith_database_up", ""] == 0
    assert ("masksmith_masks", "") not in found


def test_a_server_that_is_not_open_yet_says_so(portal: Portal) -> None:
    def not_yet() -> Workshop:
        raise MasksmithError("the server must have opened its library, but it has not")

    with watched(not_yet, portal) as client:
        assert "must have opened its library" in refused(client.get("/metrics"), 503)


class Lines(logging.Handler):
    """Keeps what a formatter makes of each record."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "httpx":  # the test's own client
            self.lines.append(self.format(record))


@pytest.fixture(params=[JsonLines, TextLines])
def lines(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    handler, root = Lines(request.param()), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("lines", [JsonLines], indirect=True)
def test_each_request_is_a_line_under_the_id_that_its_answer_has(seen: httpx.Client, lines: list[str]) -> None:
    first, second = seen.get("/api/images/1"), seen.get("/api/images/77")
    told = [json.loads(line) for line in lines if '"masksmith.request"' in line]
    assert [(one["method"], one["route"], one["status"]) for one in told] == [
        ("GET", "/api/images/{id}", 200),
        ("GET", "/api/images/{id}", 404),
    ]
    assert [one["request_id"] for one in told] == [first.headers["x-request-id"], second.headers["x-request-id"]]
    assert all(one["ms"] >= 0 and one["at"].endswith("+00:00") and one["level"] == "info" for one in told)


@pytest.mark.parametrize("lines", [JsonLines], indirect=True)
def test_what_goes_wrong_is_told_with_the_request_it_went_wrong_in(
    seen: httpx.Client, shop: Workshop, lines: list[str]
) -> None:
    with shop.engines.write.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE project RENAME TO lost")
    answer = seen.get("/api/project")
    (wrong,) = [one for one in map(json.loads, lines) if one["level"] == "error"]
    assert wrong["request_id"] == answer.headers["x-request-id"]
    assert wrong["error"] == "StorageError"
    assert wrong["said"] == "the database must answer, got: no such table: project"
    assert any("engine.py" in frame for frame in wrong["frames"])


SECRETS = ("Ada", "holiday", "cherry", team.PASSWORD, "60.25", "otter")


def test_no_line_holds_a_name_a_file_a_prompt_or_a_cookie(
    seen: httpx.Client, shop: Workshop, portal: Portal, lines: list[str]
) -> None:
    team.put_in(shop)
    with shop.engines.write.begin() as connection:
        connection.exec_driver_sql("UPDATE person SET name = 'Ada' WHERE name = 'annotator'")
        connection.exec_driver_sql("UPDATE image SET name = 'holiday.jpg'")
    team.sign_in(seen, "Ada", "a wrong otter")
    team.sign_in(seen, "Ada")
    cookie = seen.cookies["masksmith_session"]
    assert seen.post("/api/images/1/prompt", json={"points": [[60.25, 45, 1]]}).status_code == 200
    seen.post("/api/images/1/masks", json=body(label="cherry"), headers={"Idempotency-Key": "k"})
    seen.get("/api/images", params={"state": "otter"})
    seen.get("/api/otter")

    def broken() -> Workshop:
        try:
            raise KeyError("Ada's holiday")
        except KeyError as error:
            raise ValueError("cherry") from error

    with watched(broken, portal) as client:
        assert client.get("/api/images/1").status_code == 500
    with shop.engines.write.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE mask_rle RENAME TO lost")
    # The driver's error would hold the values it was given.
    answer = seen.post("/api/images/1/masks", json=body(label="cherry"), headers={"Idempotency-Key": "otter"})
    assert "the database must answer" in refused(answer, 503)
    text = "\n".join(lines)
    assert "ValueError" in text
    assert "StorageError" in text
    for secret in (*SECRETS, cookie):
        assert secret not in text, secret


def test_unreadable_settings_are_refused() -> None:
    settings: Any = from_environment({"MASKSMITH_LOG": "json", "MASKSMITH_METRICS_TOKEN": TOKEN})
    assert (settings.log, settings.metrics_token) == ("json", TOKEN)
    assert TOKEN not in repr(settings)
    with pytest.raises(InvalidInput, match="must be json or text, got 'xml'"):
        from_environment({"MASKSMITH_LOG": "xml"})
    with pytest.raises(InvalidInput, match="at least 16 characters, got 5"):
        from_environment({"MASKSMITH_METRICS_TOKEN": "short"})
