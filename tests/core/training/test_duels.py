"""Champion against challenger: the rule by hand, and two models on made scenes."""

from pathlib import Path

import numpy as np
import pytest

from core.segmentation.protocol import Candidate, Embedding, Point, Prompt, RgbImage, coarse_size
from core.statistics import Interval
from core.training.duels import OVERALL, RULED, Duel, duel, judge, made_scenes
from core.training.replay import Given, Spent, saving, spent
from core.training.scores import Scores

SCORES = Scores({}, {}, (), (), (), 1, 1)


def found(low: float, mean: float, high: float, *, only: str | None = None) -> Duel:
    """Return a duel in which all differences are these, or only one and the others are nothing."""
    nothing = Interval(0, -0.1, 0.1)
    return Duel(
        SCORES,
        SCORES,
        {name: Interval(mean, low, high) if only in (None, name) else nothing for name in (*RULED, OVERALL)},
    )


def test_a_challenger_must_be_surely_better_once_and_surely_worse_never() -> None:
    even = found(-0.1, 0.0, 0.1)
    assert judge(even, even).kind == "alike"
    assert judge(found(0.01, 0.05, 0.1, only="iou_at_3"), even).kind == "better"
    assert judge(found(-0.1, -0.05, -0.01, only="iou_at_5"), even).kind == "worse"
    assert judge(found(-0.008, -0.005, -0.002, only="iou_at_5"), even).kind == "alike", "sure, but too little to see"
    assert judge(found(0.002, 0.005, 0.008, only="iou_at_1"), even).kind == "alike"
    mixed = found(0.01, 0.05, 0.1, only="iou_at_1")
    mixed.differences["iou_at_5"] = Interval(-0.05, -0.1, -0.01)
    assert judge(mixed, even).kind == "worse"
    risen = found(0.01, 0.05, 0.1)
    assert judge(risen, found(-0.1, -0.03, 0.1)).kind == "better", "few scenes: chance may do that"
    assert judge(risen, found(-0.02, -0.015, -0.01)).kind == "better"
    verdict = judge(risen, found(-0.05, -0.03, -0.01))
    assert verdict.kind == "worse"
    fell = "on made scenes IoU fell by 0.030 (-0.050 to -0.010), the mean after 1, 3 and 5 clicks"
    assert verdict.reason == f"it forgot: {fell}"


class Fixed:
    """Answers every prompt with one mask: what is brighter than a level, or nothing."""

    name, title, device, keeps_embeddings = "fixed", "Fixed", "cpu", False

    def __init__(self, level: int) -> None:
        self.level = level
        self.encoder_key = "0" * 64
        self.content_hash = f"{level:064x}"

    def encode(self, image: RgbImage) -> Embedding:
        return Embedding(image.shape[:2], self.encoder_key, {"image": image.copy()})

    def decode(
        self,
        embedding: Embedding,
        prompt: Prompt,
        *,
        refine: Candidate | None = None,
        insist: bool = False,
        preview: bool = False,
    ) -> list[Candidate]:
        mask = embedding.arrays["image"][..., 0] > self.level
        coarse = np.zeros(coarse_size(mask.shape), bool)
        return [Candidate(0.5, 1.0, "whole", np.zeros((4, 4), np.float32), coarse, lambda: mask) for _ in range(3)]


def test_made_scenes_are_the_same_for_a_seed_and_a_model_beside_itself_is_alike(tmp_path: Path) -> None:
    one, other = made_scenes(3), made_scenes(3)
    assert one.fingerprint == other.fingerprint
    for ours, theirs in zip(one.entries, other.entries, strict=True):
        assert ours.read().mark() == theirs.read().mark()
        assert 0.01 < ours.read().truth.mean() < 0.6
    assert made_scenes(3, seed=5).entries[0].read().mark() != one.entries[0].read().mark()
    told: list[tuple[int, int]] = []
    even = duel(Fixed(128), Fixed(128), one, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (6, 6)
    assert all(even.differences[name] == Interval(0, 0, 0) for name in (*RULED, OVERALL))
    less = duel(Fixed(128), Fixed(255), one, tmp_path)
    assert less.challenger.values["iou_at_1"] == 0
    assert less.differences[OVERALL].mean == pytest.approx(np.mean([less.differences[name].mean for name in RULED]))
    assert less.differences["iou_at_1"].mean == pytest.approx(-(even.champion.values["iou_at_1"] or 0))


def test_prompts_are_replayed_until_the_mask_is_nearly_the_accepted_one() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[5:15, 5:25] = 200
    accepted = image[..., 0] > 100
    given = [
        Given(1_000, point=Point(10, 10, 1)),
        Given(4_000, point=Point(1, 1, 0)),
        Given(9_000, box=(5.0, 5.0, 25.0, 15.0)),
    ]
    good, bad = Fixed(100), Fixed(255)
    assert spent(good, good.encode(image), accepted, given) == Spent(1, 1_000)
    assert spent(bad, bad.encode(image), accepted, given) == Spent(3, 9_000)
    assert saving([], [], []) is None
    old, new = [Spent(3, 9_000), Spent(1, 1_000)], [Spent(1, 1_000), Spent(1, 1_000)]
    saved = saving(old, new, ["one", "other"])
    assert saved is not None
    assert (saved.objects, saved.clicks.mean, saved.seconds.mean) == (2, 1.0, 4.0)
    assert (saved.clicks.low, saved.clicks.high) == (0.0, 2.0)
    together = saving(old, new, ["one", "one"])
    assert together is not None
    assert (together.clicks.low, together.clicks.high) == (1.0, 1.0), "objects of one image are drawn together"
