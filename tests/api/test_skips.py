"""The hard queue over HTTP: skipped once, taken back, put back."""

from typing import Any

import httpx
import pytest

from core.workshop import Workshop
from tests.api.conftest import refused

pytestmark = pytest.mark.both_databases

SKIP = {"object_key": "object-1", "reason": "timer", "state": {"points": [[1, 2, 1]]}, "times": {"thinking_ms": 9}}


def post(client: httpx.Client, key: str = "skip-1", image: int = 1, **changes: Any) -> httpx.Response:
    return client.post(f"/api/images/{image}/skips", json={**SKIP, **changes}, headers={"Idempotency-Key": key})


def waiting(client: httpx.Client, image: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/images/{image}").json()["open_skips"]
    return found


def test_a_skipped_object_waits_with_its_prompts(client: httpx.Client) -> None:
    answer = post(client)
    assert (answer.status_code, answer.json()) == (201, {"skip_id": 1, "key": "skip-1"})
    (skip,) = waiting(client)
    assert (skip["skip_id"], skip["key"], skip["object_key"]) == (1, "skip-1", "object-1")
    assert (skip["reason"], skip["state"]) == ("timer", SKIP["state"])
    image = client.get("/api/images/1").json()
    assert (image["state"], image["skips"]) == ("in_work", 1)
    assert client.get("/api/project").json()["progress"]["skips"] == 1


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"object": [1]}, "state.object must be an object or null, got a list of 1"),
        ({"object": "cup"}, "state.object must be an object or null, got 'cup'"),
        ({"object": {"points": 5}}, "state.object.points must be a list, got 5"),
        ({"object": {"edits": {}}}, "state.object.edits must be a list, got {}"),
        ({"answer": 1}, "state.answer must be an object or null, got 1"),
        ({"answer": {}}, "state.answer.candidates must be a list of objects"),
        ({"answer": {"candidates": [1]}}, "state.answer.candidates must be a list of objects"),
    ],
)
def test_a_state_that_nobody_could_read_is_refused(client: httpx.Client, state: dict[str, Any], says: str) -> None:
    assert says in refused(post(client, state=state), 422)
    assert says in refused(client.put("/api/images/1/work", json={"object_key": "o", "state": state}), 422)
    assert waiting(client) == []


def test_a_retry_skips_once(client: httpx.Client) -> None:
    first = post(client)
    again = post(client)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(waiting(client)) == 1


def test_a_key_that_skipped_on_another_image_is_a_conflict(client: httpx.Client) -> None:
    post(client)
    assert "'skip-1' has made another one before" in refused(post(client, image=2), 409)
    assert waiting(client, 2) == []


def test_skipping_drops_the_object_in_work_and_no_other(client: httpx.Client) -> None:
    client.put("/api/images/1/work", json={"object_key": "object-2", "state": {}})
    post(client)
    assert client.get("/api/images/1").json()["work"]["object_key"] == "object-2"
    post(client, "skip-2", object_key="object-2")
    assert client.get("/api/images/1").json()["work"] is None


def test_a_skip_is_taken_back_and_put_back(client: httpx.Client) -> None:
    post(client)
    before = waiting(client)
    for ref in ("skip-1", 1, 1):
        assert client.delete(f"/api/skips/{ref}").status_code == 204
        assert waiting(client) == []
    for ref in (1, "skip-1", "skip-1"):
        assert client.post(f"/api/skips/{ref}/restore").status_code == 204
        assert waiting(client) == before


def test_each_change_of_the_hard_queue_is_one_event(client: httpx.Client, shop: Workshop) -> None:
    post(client)
    post(client)
    for _ in range(2):
        client.delete("/api/skips/skip-1")
    for _ in range(2):
        client.post("/api/skips/skip-1/restore")
    with shop.engines.read.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, image_id FROM event WHERE image_id IS NOT NULL ORDER BY id"
        ).all()
    assert [tuple(row) for row in rows] == [("skip", 1), ("take_back", 1), ("put_back", 1)]


def test_what_cannot_be_skipped_is_named(client: httpx.Client) -> None:
    assert "image 99 must be in the library" in refused(post(client, image=99), 404)
    assert "object_key" in refused(post(client, object_key=None), 422)
    assert "at least 1 character" in refused(post(client, reason=""), 422)
    assert "state: input should be an object, got a list of 1" in refused(post(client, state=[1]), 422)
    assert "Idempotency-Key must be" in refused(post(client, ""), 422)
    assert "skip 'nothing' must exist" in refused(client.delete("/api/skips/nothing"), 404)
    assert "skip '5' must exist" in refused(client.post("/api/skips/5/restore"), 404)
    assert waiting(client) == []
