"""Next image, leases and versions as the canvas and scripts ask for them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import anyio.from_thread
import httpx
import numpy as np
import pytest

from core import projects
from core.workshop import Workshop
from storage import images, surveys
from tests.api import people as team
from tests.api.conftest import body, refused, save, signing_in
from tests.storage.test_surveys import new_survey


@pytest.fixture
def browser(shop: Workshop, portal: anyio.from_thread.BlockingPortal) -> Iterator[Callable[[str], httpx.Client]]:
    team.put_in(shop)
    with signing_in(shop, portal) as signed_in:
        yield signed_in


def test_the_next_image_is_given_once(browser: Callable[[str], httpx.Client]) -> None:
    one, other = browser("annotator"), browser("reviewer")
    assert one.post("/api/next", json={}).json() == {"image": 1, "mask": None, "round": None, "ahead": [2, 3]}
    assert other.post("/api/next", json={}).json()["image"] == 2
    assert one.post("/api/next", json={"leaving": 1, "passed": [1]}).json()["image"] == 3
    assert other.post("/api/next", json={"leaving": 2}).json()["image"] == 1


def test_an_image_of_another_is_refused_until_they_sign_out(browser: Callable[[str], httpx.Client]) -> None:
    one, other = browser("annotator"), browser("reviewer")
    assert one.put("/api/images/1/lease", json={"client": "tab"}).status_code == 204
    answer = other.put("/api/images/1/lease", json={})
    assert "annotator is on this image" in refused(answer, 409)
    assert answer.json()["type"] == "/problems/held"
    assert other.delete("/api/images/1/lease").status_code == 204
    assert refused(other.put("/api/images/1/lease", json={}), 409)
    # Looking, and what only adds, is nobody's loss.
    save(other, "additional")
    assert one.delete("/api/session").status_code == 204
    assert other.put("/api/images/1/lease", json={}).status_code == 204


def test_a_prompt_is_a_sign_of_life_and_a_preview_is_none(browser: Callable[[str], httpx.Client]) -> None:
    one, other = browser("annotator"), browser("reviewer")
    assert one.post("/api/images/1/open", json={}).status_code == 200
    prompt = {"points": [[60, 45, 1]], "client": "tab"}
    assert one.post("/api/images/1/prompt", json={**prompt, "preview": True}).status_code == 200
    assert other.put("/api/images/1/lease", json={}).status_code == 204
    other.delete("/api/images/1/lease")
    assert one.post("/api/images/1/prompt", json=prompt).status_code == 200
    assert "annotator is on this image" in refused(other.put("/api/images/1/lease", json={}), 409)


def test_what_could_overwrite_anothers_is_answered_with_a_conflict(browser: Callable[[str], httpx.Client]) -> None:
    one, other = browser("manager"), browser("reviewer")
    save(one, "first")
    save(other, "theirs", supersedes="first")
    again = one.post("/api/images/1/masks", json=body(supersedes="first"), headers={"Idempotency-Key": "mine"})
    assert "reviewer has corrected mask 1 meanwhile" in refused(again, 409)
    assert "reviewer has corrected mask 1 meanwhile" in refused(one.delete("/api/masks/first"), 409)
    assert one.patch("/api/masks/theirs", json={"label": "cup", "seen": None}).status_code == 204
    assert "changed to cup meanwhile" in refused(
        other.patch("/api/masks/theirs", json={"label": "mug", "seen": None}), 409
    )
    assert one.post("/api/images/1/state", json={"state": "done", "seen": 1}).status_code == 204
    late = other.post("/api/images/1/state", json={"state": "in_work", "seen": 1})
    assert "manager has set it to done meanwhile" in refused(late, 409)
    assert other.get("/api/images/1").json()["version"] == 2


def test_work_of_another_tab_is_not_overwritten(client: httpx.Client) -> None:
    def put(n: int, **more: object) -> httpx.Response:
        return client.put("/api/images/1/work", json={"object_key": "o", "state": {"n": n}, **more})

    version = put(1, seen=None).json()["version"]
    assert put(2, seen=version).status_code == 200
    assert "in work in another tab of yours" in refused(put(3, seen=version), 409)
    assert client.get("/api/images/1").json()["work"]["state"] == {"n": 2}
    assert put(4).status_code == 200


def test_what_is_left_is_told_with_boxes_and_less_of_it_with_each_mask(client: httpx.Client, shop: Workshop) -> None:
    assert client.get("/api/images/1/left").json() == {"left": 0, "boxes": []}
    boxes = [[0.0, 0.0, 0.5, 0.5], [0.75, 0.75, 1.0, 1.0]]
    left = {"size": [9, 12], "left": [{"box": box, "predicted_iou": 0.9} for box in boxes]}
    with shop.engines.writing() as session:
        surveys.put(replace(new_survey(1, left=5), detail=left), session=session)
        size = images.get(1, session=session)
    told = client.get("/api/images/1/left").json()
    assert told["left"] == 5
    assert told["boxes"] == [
        [0, 0, size.width / 2, size.height / 2],
        [size.width * 0.75, size.height * 0.75, size.width / 4, size.height / 4],
    ]
    whole = np.zeros((size.height, size.width), bool)
    whole[: size.height // 2, : size.width // 2] = True
    save(client, "covers", mask=whole)
    told = client.get("/api/images/1/left").json()
    assert (told["left"], len(told["boxes"])) == (1, 1)


def test_guidelines_are_told_as_text_and_only_their_own_pictures_are_given(
    client: httpx.Client, shop: Workshop
) -> None:
    assert client.get("/api/project").json()["settings"]["guidelines"] is False
    projects.change_settings(shop, {"guidelines": "<script>"})
    assert client.get("/api/project").json()["settings"]["guidelines"] is True
    assert client.get("/api/guidelines").json() == {"text": "<script>", "pictures": {}}
    refused(client.get(f"/api/guidelines/pictures/{'0' * 64}"), 404)
    with shop.engines.reading() as session:
        working = images.get(1, session=session).working_sha256
    refused(client.get(f"/api/guidelines/pictures/{working}"), 404)
