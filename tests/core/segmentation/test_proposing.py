"""Asking a segmenter with many points: the same answers as one by one, and parts that cover a photo."""

import numpy as np
import pytest

from core.quality.coverage import Limits
from core.segmentation.catalogue import STARTER, TINY, SegmenterSpec, load_segmenter
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.proposing import SAM_PLAN, STARTER_PLAN, Level, Plan, parts_of, plan_of, proposals
from core.segmentation.protocol import Point, Prompt, coarse_size
from core.segmentation.sam import SamSegmenter

ANY = Limits(predicted_iou=0.0, stability=0.0, least_share=0.0, most_share=1.0, clear_iou=0.0)


def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)


@pytest.mark.parametrize("name", [STARTER, TINY])
def test_many_places_are_answered_as_one_by_one(name: str) -> None:
    loaded = load_segmenter(SegmenterSpec(name, device="cpu"))
    sam = loaded.close if isinstance(loaded, CloseUpSegmenter) else loaded
    assert isinstance(sam, SamSegmenter)
    embedding = sam.encode(photo())
    places = np.random.default_rng(1).uniform(0, 60, (19, 2))
    for place, (logits, score) in zip(places, sam.best_each(embedding, places), strict=True):
        (alone,) = sam.decode(embedding, Prompt((Point(*place, 1),)), preview=True)
        assert score == pytest.approx(alone.predicted_iou, abs=1e-4)
        inside = alone.low_res[: logits.shape[0], : logits.shape[1]]
        assert np.allclose(logits, inside, atol=1e-3)


def test_each_kind_of_segmenter_has_its_plan() -> None:
    assert plan_of(load_segmenter(SegmenterSpec(STARTER, device="cpu"))) is STARTER_PLAN
    assert plan_of(load_segmenter(SegmenterSpec(TINY, device="cpu"))) is SAM_PLAN


def test_no_point_inside_an_accepted_mask_is_asked() -> None:
    segmenter = load_segmenter(SegmenterSpec(TINY, device="cpu"))
    image = photo()
    embedding, plan = segmenter.encode(image), Plan((Level(1, 2),), ANY, spared_from=2.0)
    everything, left_half = np.ones(coarse_size((60, 90)), bool), np.zeros(coarse_size((60, 90)), bool)
    left_half[:, :45] = True
    assert proposals(segmenter, image, embedding, [everything], plan) == []
    whole = proposals(segmenter, image, embedding, [], plan)
    half = proposals(segmenter, image, embedding, [left_half], plan)
    assert len(half) <= 2
    assert len(half) <= len(whole) <= 4


@pytest.mark.parametrize("count", [1, 3, 5])
def test_parts_cover_the_photo(count: int) -> None:
    seen = np.zeros((61, 83), int)
    for part in parts_of((61, 83), count):
        seen[part.y0 : part.y1, part.x0 : part.x1] += 1
    assert seen.min() >= 1
    assert len(parts_of((61, 83), count)) == count * count
