"""kill -9 of the server in the middle of a stream of accepts: nothing acknowledged is lost, doubled or torn."""

from typing import Any

import httpx
import numpy as np
import pytest

from core.masks import encode

KILLS = 20
PEOPLE = 4

pytestmark = pytest.mark.e2e


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
