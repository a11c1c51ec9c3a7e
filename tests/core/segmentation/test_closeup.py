"""Looking closely: where, at what, and back to the photo's own pixels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.segmentation.catalogue import STARTER_WEIGHTS
from core.segmentation.clicked import clicked_parts
from core.segmentation.closeup import (
    CloseUpSegmenter,
    Seen,
    View,
    _with_the_whole,
    best_first,
)
from core.segmentation.dots import boxed, likelihood_of, logits_of, moved
from core.segmentation.looking import known_window, within
from core.segmentation.protocol import Embedding, Point, Prompt, coarse_size
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything
from core.segmentation.starter import load_starter
from core.segmentation.starter_network import build_starter
from core.segmentation.weights_file import read_weights
from core.segmentation.windows import Window, whole


@pytest.fixture(scope="module")
def starter() -> CloseUpSegmenter:
    return load_starter(STARTER_WEIGHTS, name="starter", title="Starter", device="cpu")


def photo(height: int, width: int, centre: tuple[int, int], radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a grey, noisy photo with one orange disk, and the disk."""
    rows, columns = np.mgrid[:height, :width]
    disk = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2
    image = np.random.default_rng(0).normal(120, 6, (height, width, 3))
    image[disk] += (90, 20, -70)
    return image.clip(0, 255).astype(np.uint8), disk


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, np.ndarray]:
    return photo(900, 1400, (1010, 333), 24)


@pytest.fixture(scope="module")
def embedding(starter: CloseUpSegmenter, small: tuple[np.ndarray, np.ndarray]) -> Embedding:
    return starter.encode(small[0])


BOX = (986.0, 309.0, 1035.0, 358.0)


def test_a_box_around_a_small_object_is_answered_from_close_by(
    starter: CloseUpSegmenter, small: tuple[np.ndarray, np.ndarray], embedding: Embedding
) -> None:
    found = starter.decode(embedding, Prompt(box=BOX))
    assert iou(found[0].mask(), small[1]) > 0.85
    window = found[0].window
    assert window is not None
    assert window.x1 - window.x0 < 120
    assert starter.decode(embedding, Prompt(box=BOX), preview=True)[0].window == whole(embedding.size_hw)


def test_masks_are_the_photos_size_and_hold_what_was_clicked(starter: CloseUpSegmenter, embedding: Embedding) -> None:
    prompt = Prompt((Point(1010.5, 333.5, 1), Point(1060.5, 333.5, 0), Point(3.5, 880.5, 0)))
    for candidate in starter.decode(embedding, prompt):
        mask = candidate.mask()
        assert mask.shape == (900, 1400)
        assert candidate.coarse.shape == coarse_size((900, 1400))
        assert mask[333, 1010]
        assert not mask[333, 1060]


def test_a_further_click_goes_on_in_the_same_window_until_it_lies_outside(
    starter: CloseUpSegmenter, embedding: Embedding
) -> None:
    first = starter.decode(embedding, Prompt(box=BOX))[0]
    assert known_window(Prompt((Point(1012, 335, 1),)), first, embedding.size_hw) == first.window
    assert known_window(Prompt((Point(100, 100, 1),)), first, embedding.size_hw) is None
    again = starter.decode(embedding, Prompt((Point(1012, 335, 1), Point(1000, 300, 0))), refine=first)[0]
    assert again.window == first.window


def test_the_same_prompt_gets_the_same_answer_kept_view_or_not(starter: CloseUpSegmenter, embedding: Embedding) -> None:
    prompt = Prompt((Point(1010, 333, 1),))
    fresh = load_starter(STARTER_WEIGHTS, name="starter", title="Starter", device="cpu")
    assert fresh.content_hash == starter.content_hash
    for one, other in zip(starter.decode(embedding, prompt), fresh.decode(embedding, prompt), strict=True):
        assert np.array_equal(one.mask(), other.mask())
        assert one.predicted_iou == other.predicted_iou


def test_who_clicks_where_they_hovered_is_answered_without_asking_the_network_again(
    embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter, asked = load_starter(STARTER_WEIGHTS, name="starter", title="Starter", device="cpu"), list[int]()
    predict = SamSegmenter.predict

    def counted(self: SamSegmenter, *arguments: Any) -> Any:
        asked.append(self.side)
        return predict(self, *arguments)

    monkeypatch.setattr(SamSegmenter, "predict", counted)
    prompt = Prompt((Point(1010, 333, 1),))
    starter.decode(embedding, prompt, preview=True)
    first = starter.decode(embedding, prompt)[0]
    assert asked == [starter.wide.side, starter.close.side]
    further = Prompt((*prompt.points, Point(1015, 340, 1)))
    starter.decode(embedding, further, refine=first, preview=True)
    starter.decode(embedding, further, refine=first)
    assert asked[2:] == [starter.close.side], "the window is known: both look there"


def test_an_embedding_survives_being_kept_as_bytes(starter: CloseUpSegmenter, embedding: Embedding) -> None:
    kept = Embedding.from_bytes(embedding.to_bytes())
    ours, theirs = (starter.decode(one, Prompt(box=BOX))[0] for one in (embedding, kept))
    assert np.array_equal(ours.mask(), theirs.mask())


def test_the_first_answer_and_a_hover_are_safe_on_photos_of_any_shape(starter: CloseUpSegmenter) -> None:
    for height, width in [(1, 1), (3, 700), (700, 2), (64, 64)]:
        image = np.full((height, width, 3), 90, np.uint8)
        kept = starter.encode(image)
        for prompt in (Prompt((Point(width / 2, height / 2, 1),)), Prompt(box=(0, 0, width, height))):
            for candidate in starter.decode(kept, prompt) + starter.decode(kept, prompt, preview=True):
                assert candidate.mask().shape == (height, width)
                refined = starter.decode(kept, prompt, refine=candidate)
                assert len(refined) == 3


def test_logits_move_between_windows_with_their_places() -> None:
    size_hw = (900, 1400)
    scale = 128 / 1400
    low = np.full((128, 128), -6, np.float32)
    low[int(300 * scale) : int(500 * scale), int(900 * scale) : int(1100 * scale)] = 6
    window = Window(800, 200, 1200, 600)
    there = moved(low, whole(size_hw), window, 64)
    assert there.shape == (64, 64)
    rows, columns = np.nonzero(there > 0)
    assert np.abs(np.array([rows.min(), rows.max() + 1]) * 400 / 64 + 200 - [300, 500]).max() < 16
    assert np.abs(np.array([columns.min(), columns.max() + 1]) * 400 / 64 + 800 - [900, 1100]).max() < 16
    assert iou(moved(there, window, whole(size_hw), 128) > 0, low > 0) > 0.8
    assert np.array_equal(moved(there, window, window, 64), there)


def test_a_box_is_half_believed_and_nothing_outside_it(starter: CloseUpSegmenter, embedding: Embedding) -> None:
    logits = np.full((20, 40), -8, np.float32)
    logits[:, 10:30] = 8
    window = Window(100, 100, 500, 300)
    found = boxed(logits, window, (100, 150, 300, 250))
    assert (found[5:15, 10:20] > 7).all()
    assert np.abs(found[5:15, :10]).max() < 0.01, "the network says no, the box yes"
    assert (found[:5] == -8).all()
    assert (found[:, 20:] == -8).all()
    assert np.allclose(logits_of(likelihood_of(logits)), logits, atol=0.01)
    for candidate in starter.decode(embedding, Prompt(box=BOX)):
        mask = candidate.mask()
        mask[309:358, 986:1035] = False
        assert not mask.any()


def test_background_alone_is_answered_from_the_whole_photo(starter: CloseUpSegmenter, embedding: Embedding) -> None:
    background = Prompt((Point(10, 10, 0),))
    box = starter.decode(embedding, Prompt(box=BOX))[0]
    for refine in (None, box):
        found = starter.decode(embedding, background, refine=refine)
        assert len(found) == 3
        assert not any(candidate.mask()[10, 10] for candidate in found)


def test_the_whole_that_is_seen_from_afar_only_is_the_last_of_the_three(
    starter: CloseUpSegmenter, embedding: Embedding
) -> None:
    size_hw = embedding.size_hw
    far, near = (starter._view(embedding, window) for window in (whole(size_hw), Window(950, 280, 1070, 400)))

    def seen(view: View, score: float, share: float) -> Seen:
        logits = np.full((10, 10), -3, np.float32)
        logits.flat[: round(100 * share)] = 3
        return Seen(score, logits, view)

    close = [seen(near, 0.6, 0.5), seen(near, 0.5, 0.3), seen(near, 0.4, 0.2)]
    large, small = seen(far, 0.9, 0.3), seen(far, 0.8, 0.01)
    assert _with_the_whole(close, [large, small]) == [*close[:2], replace(large, score=0.5)]
    assert _with_the_whole(close, [replace(large, logits=close[0].logits * 0 - 3)]) == close
    assert _with_the_whole(close, []) == close


def test_of_answers_nearly_as_good_the_one_most_like_what_was_corrected_comes_first() -> None:
    left, all_of_it, right = (np.full((2, 4), -1.0, np.float32) for _ in range(3))
    left[:, :2], all_of_it[:], right[:, 2:] = 1, 1, 1
    answers = np.stack([left, all_of_it, right])
    corrected = np.pad(right, ((0, 2), (0, 0)), constant_values=1)  # padding says nothing
    assert best_first([0.83, 0.82, 0.81], answers, None) == [0, 1, 2]
    # IoU with what was corrected: 0, 1/2 and 1.
    assert best_first([0.83, 0.82, 0.81], answers, corrected) == [2, 1, 0]
    assert best_first([0.90, 0.82, 0.81], answers, corrected) == [0, 2, 1]


def test_only_parts_that_were_clicked_stay() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:8, 2:8] = mask[12:18, 20:28] = True
    assert np.array_equal(clicked_parts(mask, [(5, 5), (24.9, 15.9)]), mask)
    one = clicked_parts(mask, [(5, 5), (15, 10)])
    assert one[2:8, 2:8].all()
    assert one.sum() == 36
    for places in ([], [(15, 10)]):
        assert np.array_equal(clicked_parts(mask, places), mask)


@settings(max_examples=60, deadline=None)
@given(
    x0=st.integers(0, 1300),
    y0=st.integers(0, 800),
    width=st.integers(1, 100),
    height=st.integers(1, 100),
)
def test_a_window_for_a_box_holds_it_and_lies_in_the_photo(x0: int, y0: int, width: int, height: int) -> None:
    prompt = Prompt(box=(x0, y0, x0 + width, y0 + height))
    window = known_window(prompt, None, (900, 1400))
    assert window is not None
    assert window.x0 <= x0
    assert window.y0 <= y0
    assert window.x1 >= x0 + width
    assert window.y1 >= y0 + height
    assert (window.x0, window.y0) >= (0, 0)
    assert window.x1 <= 1400
    assert window.y1 <= 900
    inside = within(prompt, window).box
    assert inside is not None
    assert inside[0] == x0 - window.x0
    assert inside[3] == y0 + height - window.y0


def test_sam_predictor_accepts_the_weights_that_ship_and_gives_the_networks_own_masks(
    starter: CloseUpSegmenter, small: tuple[np.ndarray, np.ndarray]
) -> None:
    assert STARTER_WEIGHTS.stat().st_size < 25_000_000
    weights = read_weights(STARTER_WEIGHTS)
    assert all(torch.isfinite(value).all() for value in weights.values())
    network = build_starter()
    network.load_state_dict(weights)
    predictor = segment_anything().SamPredictor(network.eval())
    predictor.set_image(small[0])
    masks, scores, _ = predictor.predict(np.array([[1010.5, 333.5]]), np.array([1]))
    ours = starter.wide.decode(starter.wide.encode(small[0]), Prompt((Point(1010.5, 333.5, 1),)))
    assert [candidate.predicted_iou for candidate in ours] == pytest.approx(sorted(scores, reverse=True), abs=0.01)
    for candidate, index in zip(ours, np.argsort(-scores, kind="stable"), strict=True):
        # Embeddings are kept as half-precision numbers: logits that are nearly zero may change sides.
        assert (candidate.mask() == masks[index]).mean() > 0.99
