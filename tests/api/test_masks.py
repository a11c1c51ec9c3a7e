"""Accepted masks over HTTP: saved once, superseded, deleted, brought back, labelled, flagged."""

from typing import Any

import httpx
import numpy as np
import pytest
from pycocotools import mask as coco

from core import masks
from core.workshop import Workshop
from storage import masks as queries
from tests.api.conftest import body, listed, refused, save
from tests.conftest import HEIGHT, WIDTH, square

pytestmark = pytest.mark.both_databases

PROMPTS = [
    {"kind": "point", "x": 15.5, "y": 25, "label": 1, "at_ms": 0},
    {"kind": "box", "x": 10, "y": 20, "x1": 30, "y1": 40, "at_ms": 900},
]
TIMES = {"waiting_ms": 1, "thinking_ms": 20, "prompting_ms": 300, "painting_ms": 4000}


def post(client: httpx.Client, sent: dict[str, Any], key: str = "mask-1", image: int = 1) -> httpx.Response:
    return client.post(f"/api/images/{image}/masks", json=sent, headers={"Idempotency-Key": key})


def test_a_mask_is_saved_and_read_back_whole(client: httpx.Client) -> None:
    told = save(
        client,
        model="grabcut@0123456789ab",
        candidate={"predicted_iou": 0.75, "stability_score": 0.5, "level": "part", "rank": 1},
        label="cup",
        edited=True,
        prompts=PROMPTS,
        edits=[{"kind": "brush", "detail": {"size": 3, "path": [[1, 2.5]]}, "at_ms": 5}],
        times=TIMES,
    )
    assert told == {"mask_id": 1, "key": "mask-1", "created": True, "flags": []}
    (mask,) = listed(client)
    assert np.array_equal(coco.decode(mask["rle"]).astype(bool), square())
    assert (mask["bbox"], mask["area"]) == ([10, 20, 20, 20], 400)
    assert (mask["predicted_iou"], mask["stability_score"], mask["level"]) == (0.75, 0.5, "part")
    assert (mask["label"], mask["origin"], mask["edited"]) == ("cup", "assisted", True)
    assert (mask["times"], mask["active_ms"]) == (TIMES, 4321)
    assert [prompt["kind"] for prompt in mask["prompts"]] == ["point", "box"]
    assert (mask["prompts"][0]["x"], mask["prompts"][1]["x1"]) == (15.5, 30)


def test_a_retry_saves_once_and_says_so(client: httpx.Client) -> None:
    first = save(client, prompts=PROMPTS)
    again = post(client, body(prompts=PROMPTS))
    assert again.status_code == 200
    assert again.json() == {**first, "created": False}
    assert len(listed(client)) == 1
    assert client.get("/api/project").json()["progress"]["masks"] == 1


def test_a_retry_after_a_deletion_does_not_bring_the_mask_back(client: httpx.Client) -> None:
    save(client)
    client.delete("/api/masks/mask-1")
    assert post(client, body()).status_code == 200
    assert listed(client) == []


def test_a_key_that_saved_another_mask_is_a_conflict(client: httpx.Client) -> None:
    save(client)
    says = "'mask-1' has saved another one before"
    assert says in refused(post(client, body(square(50, 50))), 409)
    assert says in refused(post(client, body(), image=2), 409)
    assert len(listed(client)) == 1
    assert listed(client, 2) == []


@pytest.mark.parametrize(
    "key", ["", "x" * 65, "with space", "semi;colon", "../x", "12", "é".encode().decode("latin-1")]
)
def test_a_mask_needs_a_key_that_can_stand_in_a_path(client: httpx.Client, key: str) -> None:
    answer = client.post("/api/images/1/masks", json=body(), headers={"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert "Idempotency-Key must be" in refused(answer, 422)
    assert "got ''" in refused(client.post("/api/images/1/masks", json=body()), 422)
    assert listed(client) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rle": {"size": [9, 9], "counts": "i1"}}, "must have the image's size [90, 120], got [9, 9]"),
        ({"rle": {"size": [WIDTH, HEIGHT], "counts": "PP"}}, "must have the image's size"),
        ({"rle": {"size": [HEIGHT, WIDTH], "counts": ""}}, "must cover 10800 pixels, got 0"),
        ({"rle": {"size": [HEIGHT, WIDTH], "counts": "0" * 30_000}}, "must fit its 10800 pixels, got 30000"),
        (
            {"rle": {"size": [HEIGHT, WIDTH], "counts": [10800]}},
            "rle.counts: input should be a valid string, got a list",
        ),
        ({"rle": {"size": [HEIGHT], "counts": "0"}}, "rle.size.1: field required"),
        ({"rle": {"size": [10**30, WIDTH], "counts": "0"}}, "rle.size.0"),
        ({"rle": None}, "rle: input should be an object, got None"),
        ({"object_key": "a b"}, "object_key"),
        ({"origin": "magic"}, "origin: input should be 'assisted', 'by_hand' or 'imported', got 'magic'"),
        ({"candidate": {"predicted_iou": 1.5}}, "less than or equal to 1, got 1.5"),
        ({"label": "x" * 201}, "at most 200 characters"),
        ({"supersedes": True}, "supersedes: must be the id or the key of a mask, got True"),
        ({"supersedes": -3}, "supersedes: must be the id or the key of a mask, got -3"),
        ({"prompts": [{"kind": "box", "x": 1, "y": 2}]}, "prompts.0: a box must have its second corner in x1 and y1"),
        ({"prompts": [{"kind": "point", "x": 1, "y": 2}]}, "prompts.0: a point must have a label"),
        ({"times": {"thinking_ms": -1}}, "times.thinking_ms: input should be greater than or equal to 0, got -1"),
    ],
)
def test_a_mask_that_cannot_be_meant_is_refused_and_not_kept(
    client: httpx.Client, changes: dict[str, Any], says: str
) -> None:
    assert says in refused(post(client, body(**changes)), 422)
    assert listed(client) == []


def test_runs_of_no_pixels_are_the_same_mask(client: httpx.Client) -> None:
    """10800 pixels of nothing with an empty run of mask in between: pycocotools gives it a box of four billion."""
    stuffed = {"size": [HEIGHT, WIDTH], "counts": "0" + "0" + masks.encode(np.zeros((HEIGHT, WIDTH), bool))["counts"]}
    assert masks.bbox(stuffed)[2] > WIDTH  # type: ignore[arg-type]
    (flag,) = post(client, body(rle=stuffed)).json()["flags"]
    assert flag["name"] == "empty"
    (mask,) = listed(client)
    assert (mask["bbox"], mask["area"]) == ([0, 0, 0, 0], 0)


def test_flags_come_with_the_answer_and_stay(client: httpx.Client) -> None:
    holed = square()
    holed[25, 15] = False
    save(client, "first", mask=holed)
    told = post(client, body(square()), "second").json()
    assert {flag["name"] for flag in told["flags"]} == {"duplicate"}
    (first, second) = listed(client)
    (hole,) = first["flags"]
    assert (hole["name"], hole["fix"], hole["resolution"]) == ("holes", "clean", None)
    assert hole["detail"]["box"] == [15, 25, 1, 1]
    assert second["flags"] == told["flags"]
    assert f"overlaps mask {first['mask_id']} by 100%" in second["flags"][0]["message"]


def test_an_answer_to_a_flag_is_kept_and_taken_back(client: httpx.Client) -> None:
    (flag,) = save(client, mask=square(side=3))["flags"]
    for resolution in ("kept", "fixed", None):
        answer = client.post(f"/api/flags/{flag['flag_id']}", json={"resolution": resolution})
        assert answer.status_code == 204
        assert listed(client)[0]["flags"][0]["resolution"] == resolution
    assert "'kept' or 'fixed', got 'no'" in refused(client.post("/api/flags/1", json={"resolution": "no"}), 422)
    assert "flag 99 must exist" in refused(client.post("/api/flags/99", json={"resolution": "kept"}), 404)


@pytest.mark.parametrize("by", ["id", "key"])
def test_a_mask_is_deleted_and_brought_back(client: httpx.Client, by: str) -> None:
    told = save(client, prompts=PROMPTS)
    ref = told["mask_id"] if by == "id" else told["key"]
    before = listed(client)
    for _ in range(2):
        assert client.delete(f"/api/masks/{ref}").status_code == 204
        assert listed(client) == []
    for _ in range(2):
        assert client.post(f"/api/masks/{ref}/restore").status_code == 204
        assert listed(client) == before


@pytest.mark.parametrize(("query", "left"), [("", []), ("?revive=0", []), ("?revive=1", ["first"])])
def test_a_correction_takes_the_place_of_a_mask_until_its_acceptance_is_undone(
    client: httpx.Client, query: str, left: list[str]
) -> None:
    first = save(client, "first")
    save(client, "second", mask=square(12), supersedes="first")
    assert [mask["key"] for mask in listed(client)] == ["second"]
    assert listed(client)[0]["supersedes"] == first["mask_id"]
    assert listed(client)[0]["flags"] == []  # it is no duplicate of what it corrects
    client.delete(f"/api/masks/second{query}")
    assert [mask["key"] for mask in listed(client)] == left
    client.post("/api/masks/second/restore")
    assert [mask["key"] for mask in listed(client)] == ["second"]


def test_deleting_what_was_corrected_twice_leaves_the_last_correction_alone(client: httpx.Client) -> None:
    save(client, "first")
    save(client, "second", mask=square(12), supersedes="first")
    save(client, "third", mask=square(14), supersedes="second")
    client.delete("/api/masks/second?revive=1")
    assert [mask["key"] for mask in listed(client)] == ["third"]
    client.post("/api/masks/second/restore")
    assert [mask["key"] for mask in listed(client)] == ["third"]


def test_a_correction_must_be_on_the_same_image_and_of_a_mask(client: httpx.Client) -> None:
    save(client, "first")
    answer = post(client, body(supersedes="first"), "second", image=2)
    assert "supersede one of its own image 2, got one of image 1" in refused(answer, 422)
    assert "mask 'nothing' must exist" in refused(post(client, body(supersedes="nothing"), "second"), 404)
    assert [mask["key"] for mask in listed(client)] == ["first"]


def test_a_label_is_set_and_cleared(client: httpx.Client) -> None:
    save(client, label="")
    assert listed(client)[0]["label"] is None
    for label, kept in (("cup", "cup"), ("tasse à café", "tasse à café"), ("", None), (None, None)):
        assert client.patch("/api/masks/mask-1", json={"label": label}).status_code == 204
        assert listed(client)[0]["label"] == kept
    assert "label: field required" in refused(client.patch("/api/masks/mask-1", json={}), 422)


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("POST", "/restore"), ("PATCH", "")])
def test_a_mask_that_is_not_there_is_named(client: httpx.Client, method: str, path: str) -> None:
    for ref in ("nothing", "77"):
        answer = client.request(method, f"/api/masks/{ref}{path}", json={"label": "x"})
        assert f"mask '{ref}' must exist" in refused(answer, 404)
    for ref in ("9" * 30, str(2**31), "x" * 65, "a%00b", "a%20b"):
        refused(client.request(method, f"/api/masks/{ref}{path}", json={"label": "x"}), 422)


def test_only_a_whole_hash_credits_a_model(client: httpx.Client, shop: Workshop) -> None:
    model = client.post("/api/images/1/prompt", json={"points": [[60, 45, 1]]}).json()["model"]
    for number, name in enumerate((model, "@", "grabcut@", model[:-1], "other")):
        save(client, f"mask-{number}", model=name)
    with shop.engines.reading() as session:
        credited = [mask.model_version_id for mask in queries.of_image(1, session=session)]
    assert credited == [1, None, None, None, None]
