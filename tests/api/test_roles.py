"""Every route and every page has one decision: the least role that may use it. A new one without fails here."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio.from_thread
import httpx
import pytest
from starlette.routing import Mount, Route

from api.routes import routes
from core.roles import LEAST, ROLES
from core.workshop import Workshop
from pages.canvas.assets import FOLDER
from tests.api import people as team
from tests.api.conftest import listed, refused, save, signing_in
from tests.api.test_hostile import BODIES
from tests.conftest import square

ANYBODY = None
DECIDED: dict[tuple[str, str], str | None] = {
    ("POST", "/session"): ANYBODY,
    ("DELETE", "/session"): ANYBODY,
    ("GET", "/session"): "annotator",
    ("PUT", "/session/password"): "annotator",
    ("GET", "/project"): "annotator",
    ("PUT", "/preferences"): "annotator",
    ("GET", "/images"): "annotator",
    ("GET", "/images/{id}"): "annotator",
    ("GET", "/images/{id}/pixels"): "annotator",
    ("GET", "/images/{id}/thumbnail"): "annotator",
    ("GET", "/images/{id}/original"): "owner",
    ("POST", "/images/{id}/open"): "annotator",
    ("POST", "/images/{id}/state"): "annotator",
    ("GET", "/images/{id}/left"): "annotator",
    ("POST", "/next"): "annotator",
    ("PUT", "/images/{id}/lease"): "annotator",
    ("DELETE", "/images/{id}/lease"): "annotator",
    ("GET", "/guidelines"): "annotator",
    ("GET", "/guidelines/pictures/{sha256}"): "annotator",
    ("POST", "/images/{id}/prompt"): "annotator",
    ("GET", "/images/{id}/candidates/{token}"): "annotator",
    ("POST", "/images/{id}/masks"): "annotator",
    ("DELETE", "/masks/{ref}"): "annotator",
    ("POST", "/masks/{ref}/restore"): "annotator",
    ("PATCH", "/masks/{ref}"): "annotator",
    ("POST", "/flags/{flag}"): "annotator",
    ("POST", "/images/{id}/skips"): "annotator",
    ("DELETE", "/skips/{ref}"): "annotator",
    ("POST", "/skips/{ref}/restore"): "annotator",
    ("PUT", "/images/{id}/work"): "annotator",
    ("DELETE", "/images/{id}/work"): "annotator",
    ("GET", "/exports/{name}"): "manager",
    ("GET", "/models"): "manager",
    ("POST", "/models/{id}/promote"): "manager",
    ("POST", "/models/roll-back"): "manager",
    ("POST", "/retrainings"): "manager",
    ("GET", "/retrainings/newest"): "manager",
    ("DELETE", "/retrainings/{id}"): "manager",
}
PAGES = {
    "annotate": "annotator",
    "images": "annotator",
    "own": "annotator",
    "review": "reviewer",
    "metrics": "manager",
    "models": "manager",
    "settings": "manager",
    "team": "manager",
}


@pytest.fixture
def ids(shop: Workshop) -> dict[str, int]:
    return team.put_in(shop)


@pytest.fixture
def browser(
    shop: Workshop, ids: dict[str, int], portal: anyio.from_thread.BlockingPortal
) -> Iterator[Callable[[str], httpx.Client]]:
    """Opens a browser in which somebody is signed in."""
    with signing_in(shop, portal) as signed_in:
        yield signed_in


def served() -> dict[tuple[str, str], Route]:
    (api,) = [route for route in routes(lambda: None, canvas=FOLDER) if getattr(route, "path", "") == "/api"]  # type: ignore[arg-type,return-value]
    assert isinstance(api, Mount)
    return {
        (method, route.path): route
        for route in api.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def asked(client: httpx.Client, method: str, path: str) -> httpx.Response:
    for name in ("{id}", "{token}", "{ref}", "{flag}", "{name}", "{sha256}"):
        path = path.replace(name, "1")
    sent = BODIES[method, path] if (method, path) in BODIES else None
    return client.request(method, f"/api{path}", json=sent, headers={"Idempotency-Key": "k"} if sent else {})


def test_every_route_has_a_decision() -> None:
    found = served()
    assert set(found) == set(DECIDED)
    for place, route in found.items():
        permission = getattr(route.endpoint, "permission", None)
        if place[1].startswith("/session"):
            assert permission is None
        else:
            assert LEAST[permission] == DECIDED[place], place


@pytest.mark.parametrize(("method", "path"), DECIDED)
def test_a_stranger_is_told_to_sign_in(client: httpx.Client, ids: dict[str, int], method: str, path: str) -> None:
    answer = asked(client, method, path)
    if DECIDED[method, path] is ANYBODY:
        assert answer.status_code in (204, 401, 422)
    else:
        assert "you must be signed in" in refused(answer, 401)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_as_far_as_was_decided(browser: Callable[[str], httpx.Client], role: str) -> None:
    client = browser(role)
    for (method, path), least in DECIDED.items():
        if path.startswith("/session"):
            continue
        answer = asked(client, method, path)
        reaches = least is None or ROLES.index(role) >= ROLES.index(least)  # type: ignore[arg-type]
        if reaches:
            assert answer.status_code not in (401, 403), (method, path, answer.text)
        else:
            says = f"your role must be {least} or above for this, but it is {role}"
            assert refused(answer, 403) == says, (method, path)


def test_every_page_asks_for_its_own_permission() -> None:
    files = {path.stem: path for path in Path("pages").glob("*.py") if path.stem not in ("__init__", "main")}
    assert set(files) == set(PAGES)
    for name, path in files.items():
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "open_workshop"
        ]
        assert len(calls) == 1, name
        (permission,) = calls[0].args
        assert isinstance(permission, ast.Constant)
        assert LEAST[permission.value] == PAGES[name], name  # type: ignore[index]


def test_an_annotator_changes_their_own_masks_only(browser: Callable[[str], httpx.Client], shop: Workshop) -> None:
    reviewer, annotator = browser("reviewer"), browser("annotator")
    small = square(side=3)
    theirs = save(reviewer, "theirs", mask=small)
    flag = theirs["flags"][0]["flag_id"]
    from tests.api.conftest import body

    correction = body(square(40), supersedes="theirs")
    for answer in (
        annotator.delete("/api/masks/theirs"),
        annotator.delete(f"/api/masks/{theirs['mask_id']}?revive=1"),
        annotator.post("/api/masks/theirs/restore"),
        annotator.patch("/api/masks/theirs", json={"label": "cup"}),
        annotator.post(f"/api/flags/{flag}", json={"resolution": "kept"}),
        annotator.post("/api/images/1/masks", json=correction, headers={"Idempotency-Key": "c"}),
    ):
        assert "by who made it or by a reviewer" in refused(answer, 403)
    assert [mask["locked"] for mask in listed(annotator)] == [True]
    (left,) = listed(reviewer)
    assert left["locked"] is False
    assert (left["key"], left["label"], left["flags"][0]["resolution"]) == ("theirs", None, None)

    mine = save(annotator, "mine", mask=small, image=2)
    assert annotator.post(f"/api/flags/{mine['flags'][0]['flag_id']}", json={"resolution": "kept"}).status_code == 204
    assert annotator.patch("/api/masks/mine", json={"label": "cup"}).status_code == 204
    save(annotator, "mended", mask=square(40), image=2, supersedes="mine")
    assert annotator.delete("/api/masks/mended?revive=1").status_code == 204
    assert annotator.delete("/api/masks/mine").status_code == 204
    assert annotator.post("/api/masks/mine/restore").status_code == 204
    assert [mask["key"] for mask in listed(annotator, 2)] == ["mine"]

    save(reviewer, "mended-2", mask=square(50), image=2, supersedes="mine")
    assert reviewer.patch("/api/masks/mine", json={"label": None}).status_code == 204
    assert "by who made it" in refused(annotator.delete("/api/masks/mended-2?revive=1"), 403)
    assert reviewer.delete("/api/masks/mended-2?revive=1").status_code == 204


def test_what_is_in_work_is_its_persons_own(browser: Callable[[str], httpx.Client]) -> None:
    one, other = browser("annotator"), browser("reviewer")
    work = {"object_key": "o", "state": {"points": [[1, 2, 1]]}}
    assert one.put("/api/images/1/work", json=work).status_code == 200
    assert other.get("/api/images/1").json()["work"] is None
    assert other.delete("/api/images/1/work?object=o").status_code == 204
    assert one.get("/api/images/1").json()["work"]["object_key"] == "o"
    assert other.put("/api/preferences", json={"opacity": 0.1}).status_code == 204
    assert one.get("/api/project").json()["person"]["preferences"] == {}


def test_a_skipped_object_waits_for_anybody(browser: Callable[[str], httpx.Client]) -> None:
    one, other = browser("annotator"), browser("manager")
    sent = {"object_key": "o", "reason": "hard", "state": {}}
    assert one.post("/api/images/1/skips", json=sent, headers={"Idempotency-Key": "s"}).status_code == 201
    assert other.delete("/api/skips/s").status_code == 204
    assert one.get("/api/images/1").json()["open_skips"] == []
