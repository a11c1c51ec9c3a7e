"""The object in work, the project and the person's preferences."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import refused, save

pytestmark = pytest.mark.both_databases

STATE = {"points": [[1.5, 2, 1]], "chosen": 2, "strokes": [{"size": 3}], "note": "é€😀"}


def work(client: httpx.Client, image: int = 1) -> Any:
    return client.get(f"/api/images/{image}").json()["work"]


def put(client: httpx.Client, object_key: str = "object-1", image: int = 1, state: Any = STATE) -> httpx.Response:
    return client.put(f"/api/images/{image}/work", json={"object_key": object_key, "state": state})


def test_the_object_in_work_comes_back_after_a_reload(client: httpx.Client) -> None:
    assert work(client) is None
    assert put(client).json() == {"version": work(client)["version"], "holder": None}
    assert (work(client)["object_key"], work(client)["state"]) == ("object-1", STATE)
    assert client.get("/api/images/1").json()["has_work"]
    assert work(client, 2) is None


def test_the_newest_object_in_work_is_the_one_that_is_kept(client: httpx.Client) -> None:
    put(client)
    put(client, "object-2", state={"points": []})
    assert (work(client)["object_key"], work(client)["state"]) == ("object-2", {"points": []})


def test_accepting_drops_the_object_in_work_and_no_other(client: httpx.Client) -> None:
    put(client, "object-2")
    save(client)
    assert work(client)["object_key"] == "object-2"
    put(client, "object-1")
    client.post("/api/images/1/masks", json={}, headers={"Idempotency-Key": "refused"})
    assert work(client)["object_key"] == "object-1"
    save(client, "mask-2")
    assert work(client) is None


def test_the_object_in_work_is_forgotten_when_asked(client: httpx.Client) -> None:
    put(client)
    for _ in range(2):
        assert client.delete("/api/images/1/work").status_code == 204
        assert work(client) is None


def test_only_the_object_that_is_named_is_forgotten(client: httpx.Client) -> None:
    put(client, "object-2")
    assert client.delete("/api/images/1/work?object=object-1").status_code == 204
    assert work(client)["object_key"] == "object-2"
    assert client.delete("/api/images/1/work?object=object-2").status_code == 204
    assert work(client) is None
    assert "object must be 1 to 64 letters" in refused(client.delete("/api/images/1/work?object=a/b"), 422)
    assert "image 99 must be in the library" in refused(client.delete("/api/images/99/work"), 404)


def test_work_must_be_on_an_image_and_an_object(client: httpx.Client) -> None:
    assert "image 99 must be in the library" in refused(put(client, image=99), 404)
    assert "state: input should be an object, got 'x'" in refused(put(client, state="x"), 422)
    assert "object_key: string should match pattern" in refused(put(client, "a/b"), 422)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("PUT", "/api/images/1/work", '{"object_key": "o", "state": {"deep": [{"x": NUMBER}]}}'),
        ("POST", "/api/images/1/skips", '{"object_key": "o", "state": {"x": NUMBER}}'),
        ("PUT", "/api/preferences", '{"opacity": NUMBER}'),
        ("POST", "/api/images/1/prompt", '{"points": [[NUMBER, 5, 1]]}'),
    ],
)
def test_numbers_that_are_no_json_are_refused_before_they_are_kept(
    client: httpx.Client, method: str, path: str, text: str, number: str
) -> None:
    headers = {"content-type": "application/json", "Idempotency-Key": "key"}
    answer = client.request(method, path, content=text.replace("NUMBER", number), headers=headers)
    assert "finite" in refused(answer, 422)
    assert client.get("/api/images/1").status_code == 200
    assert client.get("/api/project").status_code == 200


def test_the_project_says_what_the_canvas_needs(client: httpx.Client) -> None:
    project = client.get("/api/project").json()
    assert project["settings"]["skip_limit_s"] == 30
    assert (project["settings"]["warn_at_s"], project["settings"]["skip_mode"]) == (20, "skip")
    assert project["progress"] == {"images": 3, "done": 0, "masks": 0, "skips": 0, "proposals": 0}
    assert project["model"]["name"] == "grabcut"
    assert project["person"]["preferences"] == {}


def test_preferences_are_kept_in_place_of_the_old(client: httpx.Client) -> None:
    for sent in ({"keys": {"accept": "q"}, "opacity": 0.5}, {"opacity": 0.25}, {}):
        assert client.put("/api/preferences", json=sent).status_code == 204
        assert client.get("/api/project").json()["person"]["preferences"] == sent


def test_preferences_are_a_small_object(client: httpx.Client) -> None:
    assert "at most 65536 bytes" in refused(client.put("/api/preferences", json={"a": "x" * 70_000}), 422)
    assert "got a list of 1" in refused(client.put("/api/preferences", json=[1]), 422)
    assert "at most 64 characters" in refused(client.put("/api/preferences", json={"k" * 65: 1}), 422)
    assert client.get("/api/project").json()["person"]["preferences"] == {}
