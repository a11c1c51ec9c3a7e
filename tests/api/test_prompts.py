"""From a prompt to candidates: what comes back, and what is refused."""

from typing import Any

import httpx
import numpy as np
import pytest
from pycocotools import mask as coco

from tests.api.conftest import refused
from tests.conftest import HEIGHT, WIDTH

CLICK = {"points": [[60, 45, 1]], "box": None, "refine": None}


def ask(client: httpx.Client, image: int = 1, /, **prompt: Any) -> dict[str, Any]:
    answer = client.post(f"/api/images/{image}/prompt", json=prompt)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def disk() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside: np.ndarray = (rows - 45) ** 2 + (columns - 60) ** 2 < 30**2
    return inside


def overlap(rle: dict[str, Any], mask: np.ndarray) -> float:
    read = coco.decode(rle).astype(bool)
    return float((read & mask).sum() / (read | mask).sum())


def test_a_click_is_answered_with_three_candidates_best_first(client: httpx.Client) -> None:
    answer = ask(client, **CLICK)
    candidates = answer["candidates"]
    assert len(candidates) == 3
    scores = [candidate["predicted_iou"] for candidate in candidates]
    assert scores == sorted(scores, reverse=True)
    assert sorted(candidate["level"] for candidate in candidates) == ["part", "subpart", "whole"]
    assert len({candidate["token"] for candidate in candidates}) == 3
    assert answer["model"].startswith("grabcut@")
    assert set(answer["elapsed_ms"]) == {"embedding", "decode"}
    assert not answer["refined"]


def test_each_candidate_is_read_by_pycocotools(client: httpx.Client) -> None:
    for candidate in ask(client, **CLICK)["candidates"]:
        assert candidate["rle"]["size"] == [HEIGHT, WIDTH]
        read = coco.decode(candidate["rle"])
        assert read[45, 60] == 1
        assert candidate["area"] == read.sum()
        rows, columns = np.nonzero(read)
        assert candidate["bbox"] == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert 0 <= candidate["predicted_iou"] <= 1
        assert 0 <= candidate["stability_score"] <= 1


def test_a_box_finds_what_lies_in_it(client: httpx.Client) -> None:
    best = ask(client, points=[], box=[28, 13, 92, 77])["candidates"][0]
    assert overlap(best["rle"], disk()) > 0.8


def test_a_box_drawn_from_any_corner_is_the_same(client: httpx.Client) -> None:
    one, other = (ask(client, box=box)["candidates"][0] for box in ([28, 13, 92, 77], [92, 77, 28, 13]))
    assert one["rle"] == other["rle"]


def test_the_token_of_a_candidate_refines_it(client: httpx.Client) -> None:
    token = ask(client, **CLICK)["candidates"][0]["token"]
    points = [[60, 45, 1], [5, 5, 0]]
    refined = ask(client, points=points, refine=token)
    assert refined["refined"]
    assert coco.decode(refined["candidates"][0]["rle"])[5, 5] == 0


@pytest.mark.parametrize("token", ["", "forgotten", "../../etc", "x" * 128])
def test_an_unknown_token_is_answered_from_nothing(client: httpx.Client, token: str) -> None:
    assert not ask(client, points=[[60, 45, 1]], refine=token)["refined"]


def test_a_token_of_another_image_refines_nothing(client: httpx.Client) -> None:
    token = ask(client, 1, **CLICK)["candidates"][0]["token"]
    assert not ask(client, 2, points=[[60, 45, 1]], refine=token)["refined"]
    assert "prompt again" in refused(client.get(f"/api/images/2/candidates/{token}"), 404)


def test_a_lazy_answer_has_one_mask_and_the_others_are_fetched(client: httpx.Client) -> None:
    eager = ask(client, **CLICK)["candidates"]
    lazy = ask(client, **CLICK, lazy=True)["candidates"]
    assert [candidate["rle"] is not None for candidate in lazy] == [True, False, False]
    for full, part in zip(eager, lazy, strict=True):
        fetched = client.get(f"/api/images/1/candidates/{part['token']}").json()
        assert (fetched["rle"], fetched["area"]) == (full["rle"], full["area"])


def test_a_preview_is_coarse_and_leaves_no_token(client: httpx.Client) -> None:
    client.post("/api/images/1/open", json={})
    (candidate,) = ask(client, **CLICK, preview=True, client="me", seq=7)["candidates"]
    assert (candidate["token"], candidate["rle"]) == ("", None)
    assert coco.decode(candidate["coarse"])[45, 60] == 1


def test_the_sequence_number_comes_back(client: httpx.Client) -> None:
    assert ask(client, **CLICK, seq=41)["seq"] == 41


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ({}, "must have a point or a box, got neither"),
        ({"points": [[500, 5, 1]]}, "must lie in the image of 120 x 90, got (500, 5)"),
        ({"points": [[-0.1, 5, 1]]}, "must lie in the image"),
        ({"points": [[5, 5, 2]]}, "points.0.2: input should be 0 or 1, got 2"),
        ({"points": [[5, 5]]}, "points.0.2: field required"),
        ({"points": [["a", 5, 1]]}, "points.0.0: input should be a valid number, unable to parse"),
        ({"points": [[1e9, 5, 1]]}, "points.0.0: input should be less than or equal to 1000000, got 1000000000.0"),
        ({"points": [[5, 5, 1]] * 257}, "at most 256 items"),
        ({"box": [5, 5, 5, 40]}, "at least one pixel wide and high"),
        ({"box": [0, 0, 121, 90]}, "must lie in the image"),
        ({"box": [0, 0]}, "field required"),
        ({"box": "all of it"}, "box: input should be a valid array, got 'all of it'"),
        ({"points": [[5, 5, 1]], "refine": "x" * 129}, "at most 128 characters"),
    ],
)
def test_a_prompt_that_cannot_be_meant_is_refused(client: httpx.Client, prompt: dict[str, Any], says: str) -> None:
    assert says in refused(client.post("/api/images/1/prompt", json=prompt), 422)


def test_many_points_of_both_kinds_are_answered(client: httpx.Client) -> None:
    points = [[x, y, int((x - 60) ** 2 + (y - 45) ** 2 < 900)] for x in range(0, 121, 8) for y in range(0, 91, 6)]
    assert overlap(ask(client, points=points[:256])["candidates"][0]["rle"], disk()) > 0.8
    assert len(ask(client, points=[[5, 5, 0], [100, 80, 0]])["candidates"]) == 3
