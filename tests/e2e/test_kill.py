"""kill -9 of the server in the middle of a stream of accepts: nothing acknowledged is lost, doubled or torn."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.app_process import AppProcess
from core.masks import decode, encode
from core.segmentation.catalogue import GRABCUT

KILLS = 20
PEOPLE = 4


def accept(client: httpx.Client, image: dict[str, Any], key: str, seed: int) -> int:
    """Accept a random rectangle and return the mask's id."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((image["height"], image["width"]), bool)
    y, x = rng.integers(0, image["height"] // 2), rng.integers(0, image["width"] // 2)
    mask[y : y + 40 + seed % 50, x : x + 60 + seed % 30] = True
    body = {
        "rle": encode(mask),
        "object_key": key,
        "prompts": [{"kind": "point", "x": float(x) + 1, "y": float(y) + 1, "label": 1, "at_ms": 5}],
        "times": {"thinking_ms": 100},
    }
    answer = client.post(f"/api/images/{image['id']}/masks", json=body, headers={"Idempotency-Key": key})
    answer.raise_for_status()
    assert answer.status_code in (200, 201)
    return int(answer.json()["mask_id"])


@pytest.fixture
def app(tmp_path: Path) -> Iterator[AppProcess]:
    process = AppProcess(tmp_path / "data", {"MASKSMITH_MODEL": GRABCUT})
    yield process
    process.kill()


def test_every_acknowledged_mask_is_there_once_after_twenty_kills(app: AppProcess) -> None:
    acknowledged: dict[str, int] = {}
    unsure: dict[str, dict[str, Any]] = {}
    rng = random.Random(0)
    for round_number in range(KILLS):
        app.start()
        with httpx.Client(base_url=app.url, timeout=10.0) as client:
            images = client.get("/api/images").json()["images"]
        # What was cut off before its answer came is sent again under its key, as the canvas does.
        retry(app, acknowledged, unsure)
        lost = threading.Event()

        def work(person: int, lost: threading.Event = lost, images: list[dict[str, Any]] = images) -> None:
            with httpx.Client(base_url=app.url, timeout=10.0) as client:
                while not lost.is_set():
                    key = str(uuid.uuid4())
                    try:
                        acknowledged[key] = accept(client, images[person], key, hash(key) % 1000)
                    except (httpx.HTTPError, OSError):
                        unsure[key] = images[person]
                        lost.set()

        people = [threading.Thread(target=work, args=(person,)) for person in range(PEOPLE)]
        for person in people:
            person.start()
        wanted = len(acknowledged) + rng.randint(3, 25)
        while len(acknowledged) < wanted and not lost.is_set():
            lost.wait(0.002)
        app.kill()
        for person in people:
            person.join()
        assert len(acknowledged) >= wanted, f"round {round_number} saved too little"

    with app, httpx.Client(base_url=app.url, timeout=30.0) as client:
        found: Counter[str] = Counter()
        for image in client.get("/api/images").json()["images"]:
            for mask in client.get(f"/api/images/{image['id']}").json()["mask_list"]:
                found[mask["key"]] += 1
                assert decode(mask["rle"]).sum() == mask["area"]
                assert len(mask["prompts"]) == 1
                if mask["key"] in acknowledged:
                    assert mask["mask_id"] == acknowledged[mask["key"]]
        assert set(acknowledged) <= set(found)
        assert set(found.values()) == {1}
        assert set(found) <= set(acknowledged) | set(unsure)


def retry(app: AppProcess, acknowledged: dict[str, int], unsure: dict[str, dict[str, Any]]) -> None:
    with httpx.Client(base_url=app.url, timeout=10.0) as client:
        for key, image in unsure.items():
            acknowledged[key] = accept(client, image, key, hash(key) % 1000)
        unsure.clear()
