"""Whatever is sent to whichever route: an answer or one sentence, never a crash, never a half-saved row."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Mount, Route

from api.routes import routes
from core.importing import import_bytes
from core.workshop import Workshop, open_workshop
from pages.canvas.assets import FOLDER
from tests.api.conftest import body, client_of, refused, save
from tests.api.test_masks import PROMPTS, TIMES
from tests.conftest import DATABASES, png, settings_of

MASK = body(
    model="grabcut@0123456789ab",
    candidate={"predicted_iou": 0.5, "stability_score": 0.5, "level": "part", "rank": 1},
    label="cup",
    supersedes="mask-1",
    prompts=PROMPTS,
    edits=[{"kind": "brush", "detail": {"size": 3}, "at_ms": 5}],
    times=TIMES,
)
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/session"): {"name": "owner", "password": "a long password"},
    ("DELETE", "/session"): None,
    ("GET", "/session"): None,
    ("PUT", "/session/password"): {"old": "a long password", "new": "another long password"},
    ("GET", "/project"): None,
    ("PUT", "/preferences"): {"keys": {"accept": "q"}, "opacity": 0.5},
    ("GET", "/images"): None,
    ("GET", "/images/{id}"): None,
    ("GET", "/images/{id}/pixels"): None,
    ("GET", "/images/{id}/thumbnail"): None,
    ("GET", "/images/{id}/original"): None,
    ("POST", "/images/{id}/open"): {"next": [2, 3]},
    ("POST", "/images/{id}/state"): {"state": "done", "seen": 1},
    ("GET", "/images/{id}/left"): None,
    ("POST", "/next"): {"client": "tab", "leaving": 1, "passed": [2]},
    ("PUT", "/images/{id}/lease"): {"client": "tab", "take_over": True},
    ("DELETE", "/images/{id}/lease"): None,
    ("GET", "/guidelines"): None,
    ("GET", "/guidelines/pictures/{sha256}"): None,
    ("POST", "/images/{id}/prompt"): {"points": [[60, 45, 1]], "box": [9, 9, 99, 80], "refine": "x", "seq": 1},
    ("GET", "/images/{id}/candidates/{token}"): None,
    ("POST", "/images/{id}/masks"): MASK,
    ("DELETE", "/masks/{ref}"): None,
    ("POST", "/masks/{ref}/restore"): None,
    ("PATCH", "/masks/{ref}"): {"label": "cup", "seen": None},
    ("POST", "/flags/{flag}"): {"resolution": "kept", "seen": None},
    ("POST", "/images/{id}/skips"): {"object_key": "o", "reason": "hard", "state": {"points": [1]}, "times": TIMES},
    ("DELETE", "/skips/{ref}"): None,
    ("POST", "/skips/{ref}/restore"): None,
    ("PUT", "/images/{id}/work"): {"object_key": "o", "state": {"points": [[1, 2, 1]]}, "seen": None, "client": "tab"},
    ("DELETE", "/images/{id}/work"): None,
    ("GET", "/exports/{name}"): None,
    ("GET", "/models"): None,
    ("POST", "/models/{id}/promote"): None,
    ("POST", "/models/roll-back"): None,
    ("POST", "/retrainings"): None,
    ("GET", "/retrainings/newest"): None,
    ("DELETE", "/retrainings/{id}"): None,
}

numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 5e-324]),
    st.floats(),
)
texts = st.one_of(st.text(max_size=40), st.sampled_from(["\x00", "\ud800", "../../etc/passwd", "0" * 5000, "'; --"]))
junk = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
ids = st.sampled_from(
    ["1", "2", "0", "-1", "99", "9" * 19, "9" * 400, "abc", "1e3", "%00", "%2e%2e", "mask-1", "é", " "]
)
runs = st.one_of(
    st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=60),
    st.sampled_from(["o" * 14, "P" * 100_000, "\x7f", "PPPPPPPP0", "0" * 20_000, "ooooooN0"]),
)


@st.composite
def bent(draw: st.DrawFn, valid: Any) -> Any:
    """Return a valid body with up to three of its values, however deep, replaced by anything."""
    made = copy.deepcopy(valid)
    for _ in range(draw(st.integers(0, 3))):
        inner = made
        while isinstance(inner, dict | list) and inner:
            place = draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner))))
            if place == "counts" or draw(st.booleans()) or not isinstance(inner[place], dict | list):
                inner[place] = draw(runs if place == "counts" else junk)
                break
            inner = inner[place]
    return made


@pytest.fixture(scope="module", params=DATABASES)
def attacked(
    request: pytest.FixtureRequest, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    data, url = tmp_path_factory.mktemp("hostile") / "data", None
    shutil.copytree(filled, data)
    if request.param == "postgresql":
        name = request.module.__name__.rpartition(".")[2]  # each module that asks has one of its own
        url = request.getfixturevalue("server").make(name, template=request.getfixturevalue("filled_there"))
    opened = open_workshop(settings_of(data, url))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def attacker(attacked: Workshop, portal: anyio.from_thread.BlockingPortal) -> Iterator[httpx.Client]:
    with client_of(lambda: attacked, portal) as client:
        save(client, "mask-1")
        yield client


def test_every_route_is_attacked() -> None:
    (api,) = [route for route in routes(lambda: None, canvas=FOLDER) if getattr(route, "path", "") == "/api"]  # type: ignore[arg-type,return-value]
    assert isinstance(api, Mount)
    served = {
        (method, route.path)
        for route in api.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == set(BODIES)


HOSTILE = {"suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@pytest.mark.parametrize(("method", "path"), [route for route, valid in BODIES.items() if valid is not None])
@settings(max_examples=25, **HOSTILE)
@given(st.data())
def test_no_body_breaks_the_server(
    attacked: Workshop, attacker: httpx.Client, method: str, path: str, data: st.DataObject
) -> None:
    valid = BODIES[method, path]
    sent = data.draw(st.one_of(junk, bent(valid), bent(valid)), "body")
    # Most requests get past the path, the key and the content type, so that what lies behind them is reached.
    seldom = data.draw(st.integers(0, 9), "seldom")
    headers = {
        "content-type": "text/plain" if seldom == 1 else "application/json",
        "Idempotency-Key": "\x7f" if seldom == 2 else f"k-{data.draw(st.integers(0, 2**32))}",
    }
    here = data.draw(ids, "id") if seldom == 0 else "1"
    ask(attacker, method, path, here, content=json.dumps(sent), headers=headers)
    assert torn_rows(attacked) == []


@pytest.mark.parametrize(("method", "path"), [route for route, valid in BODIES.items() if valid is None])
@settings(max_examples=12, **HOSTILE)
@given(here=ids, limit=texts)
def test_no_path_breaks_the_server(
    attacked: Workshop, attacker: httpx.Client, method: str, path: str, here: str, limit: str
) -> None:
    ask(attacker, method, path, here, params={"limit": limit.encode("utf-8", "replace")})
    assert torn_rows(attacked) == []


def ask(attacker: httpx.Client, method: str, path: str, here: str, **sent: Any) -> None:
    """Ask, and then see that the answer is one, and that the library can still be looked at."""
    for name in ("{id}", "{token}", "{ref}", "{flag}", "{name}", "{sha256}"):
        path = path.replace(name, here)
    answer = attacker.request(method, f"/api{path}", **sent)
    if answer.status_code >= 400:
        assert answer.status_code < 500, answer.text
        refused(answer, answer.status_code)
    for seen in ("/api/project", "/api/images/1"):
        assert attacker.get(seen).status_code == 200


def torn_rows(shop: Workshop) -> list[Any]:
    """Return what is half-saved: masks without pixels, parts without their mask, boxes outside the image."""
    with shop.engines.read.connect() as connection:
        torn = connection.exec_driver_sql(
            "SELECT 'pixels', id FROM mask WHERE id NOT IN (SELECT mask_id FROM mask_rle)"
            " UNION ALL SELECT 'mask', mask_id FROM mask_rle WHERE mask_id NOT IN (SELECT id FROM mask)"
            " UNION ALL SELECT 'box', mask.id FROM mask JOIN image ON image.id = image_id WHERE bbox_x + bbox_width"
            " > width OR bbox_y + bbox_height > height OR bbox_x < 0 OR bbox_y < 0 OR area > width * height"
        ).all()
        if connection.dialect.name == "sqlite":  # which can be written to without foreign keys
            torn = [*torn, *connection.exec_driver_sql("PRAGMA foreign_key_check").all()]
        return list(torn)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (3000, 2)])
def test_a_photo_of_any_shape_is_prompted(client: httpx.Client, shop: Workshop, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    odd = [("odd.png", png(noise))]
    assert import_bytes(odd, engines=shop.engines, files=shop.files, project_id=shop.project_id).imported == 1
    image = client.get("/api/images/4").json()
    across, down = image["width"], image["height"]
    corners = [[0, 0, 1], [across, down, 1], [across / 2, down / 2, 0]]
    for prompt in ({"points": corners[:1]}, {"points": corners[1:]}, {"box": [0, 0, across, down], "points": corners}):
        answer = client.post("/api/images/4/prompt", json=prompt)
        assert answer.status_code == 200, answer.text
        assert answer.json()["candidates"][0]["rle"]["size"] == [down, across]
