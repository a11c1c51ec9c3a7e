"""Retraining a decoder: what a lesson is, that learning learns, and that a run that was cut off goes on."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.targets import target_photo
from core.segmentation.catalogue import GRABCUT, STARTER, TINY, SegmenterSpec, load_segmenter
from core.segmentation.heads import head_of
from core.segmentation.protocol import Segmenter
from core.training.lessons import Lesson, lessons_of
from core.training.losses import dice_loss, focal_loss
from core.training.recipe import Cancelled, Epoch, Recipe
from core.training.retrain import Retraining, loss_of, turn_of


@pytest.fixture(scope="module")
def starter() -> Segmenter:
    return load_segmenter(SegmenterSpec(STARTER, device="cpu"))


@pytest.fixture(scope="module")
def lessons(starter: Segmenter) -> list[Lesson]:
    rng, found = np.random.default_rng(0), list[Lesson]()
    for seed in (1, 2):
        photo = target_photo(seed)
        embedding = starter.encode(photo.image)
        for mask in photo.masks:
            found += lessons_of(starter, embedding, mask, rng)
    return found


def test_a_small_object_is_a_lesson_from_afar_and_one_from_close_by(lessons: list[Lesson]) -> None:
    afar, close = ([lesson for lesson in lessons if lesson.side == side] for side in (512, 256))
    assert len(afar) == len(close) == 8
    # 480 x 640 pixels are 96 x 128 dots.
    assert {lesson.inside_hw for lesson in afar} == {(96, 128)}
    areas = [mask.sum() for seed in (1, 2) for mask in target_photo(seed).masks]
    for lesson, area in zip(afar, areas, strict=True):
        assert lesson.truth.shape == (128, 128)
        assert lesson.truth.sum() / 255 * 25 == pytest.approx(area, rel=0.02)
        assert not lesson.truth[96:].any()
        assert lesson.features.shape == (372, 32, 32)
    for lesson in close:
        share = lesson.truth.sum() / 255 / np.prod(lesson.inside_hw)
        assert 0.1 < share < 0.6, "the object fills a good part of what is looked at"
    assert len({tuple(lesson.truth.ravel()) for lesson in close}) == 8


def test_nothing_and_nearly_everything_are_no_lessons(starter: Segmenter) -> None:
    embedding, rng = starter.encode(target_photo(1).image), np.random.default_rng(0)
    for mask in (np.zeros((480, 640), bool), np.ones((480, 640), bool)):
        assert not list(lessons_of(starter, embedding, mask, rng))


def test_grabcut_has_nothing_that_learns() -> None:
    grabcut = load_segmenter(SegmenterSpec(GRABCUT))
    image, mask = np.zeros((20, 30, 3), np.uint8), np.eye(20, 30, dtype=bool)
    for call in (
        lambda: head_of(grabcut),
        lambda: list(lessons_of(grabcut, grabcut.encode(image), mask, np.random.default_rng(0))),
    ):
        with pytest.raises(Exception, match="must have weights to be retrained, but grabcut has none"):
            call()


def test_the_loss_is_the_closest_candidates_and_padding_does_not_count(starter: Segmenter) -> None:
    head = head_of(starter)
    truth = torch.zeros(1, 1, 4, 4)
    truth[..., :2, :2] = 1
    right, wrong = (truth * 2 - 1) * 20, (1 - truth * 2) * 20
    logits = torch.cat([right, wrong, right, wrong], 1)
    scores = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    assert float(loss_of(head, logits, scores, truth, [(4, 4)])) == pytest.approx(0, abs=1e-3)
    # Whatever stands in the padding, rows 2 and 3, changes nothing.
    other = logits.clone()
    other[..., 2:, :] = 20
    assert float(loss_of(head, other, scores, truth, [(2, 4)])) == pytest.approx(0, abs=1e-3)
    # By hand: all four wrong, focal 20 and Dice nearly 1 for the closest candidate and mask 0, scores right.
    lost = float(loss_of(head, wrong.expand(1, 4, 4, 4), torch.zeros(1, 4), truth, [(4, 4)]))
    each = 20 * float(focal_loss(wrong, truth)) + float(dice_loss(wrong, truth))
    assert lost == pytest.approx(2 * each, rel=1e-5)


def test_predicted_iou_learns_by_the_loss_it_was_learned_by(starter: Segmenter) -> None:
    scores, actual = torch.tensor([[0.5, 0.5, 0.9, 0.1]]), torch.tensor([[1.0, 0.0, 0.9, 0.6]])
    sam = head_of(load_segmenter(SegmenterSpec(TINY, device="cpu")))
    assert float(sam.score_loss(scores, actual)) == pytest.approx(0.25 + 0.25 + 0 + 0.25)
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1)) - (0.6 * np.log(0.1) + 0.4 * np.log(0.9))
    assert float(head_of(starter).score_loss(scores, actual)) == pytest.approx(2 * np.log(2) + entropy, rel=1e-4)


def test_learning_brings_the_loss_down(starter: Segmenter, lessons: list[Lesson], tmp_path: Path) -> None:
    close = [lesson for lesson in lessons if lesson.side == 256][:4]
    history = Retraining(head_of(starter), close, Recipe(epochs=16, rate=1e-3, rounds=1), tmp_path).run()
    assert [epoch.number for epoch in history] == list(range(1, 17))
    first, last = history[:4], history[-4:]
    assert np.mean([epoch.loss for epoch in last]) < 0.8 * np.mean([epoch.loss for epoch in first])
    assert np.mean([epoch.first_iou for epoch in last]) > np.mean([epoch.first_iou for epoch in first])


@pytest.mark.parametrize("name", [STARTER, TINY])
def test_a_run_that_was_cut_off_goes_on_and_ends_the_same(name: str, tmp_path: Path) -> None:
    segmenter = load_segmenter(SegmenterSpec(name, device="cpu"))
    photo = target_photo(3)
    embedding = segmenter.encode(photo.image)
    lessons = [
        one for mask in photo.masks[:2] for one in lessons_of(segmenter, embedding, mask, np.random.default_rng(0))
    ]
    recipe = Recipe(epochs=2, rounds=2)
    whole = head_of(segmenter)
    through = Retraining(whole, lessons, recipe, tmp_path / "through").run()

    def stop_in_the_second(share: float) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        Retraining(head_of(segmenter), lessons, recipe, tmp_path / "cut").run(after_step=stop_in_the_second)
    again = head_of(segmenter)
    run = Retraining(again, lessons, recipe, tmp_path / "cut")
    assert [epoch.number for epoch in run.history] == [1]
    steps: list[float] = []
    told: list[Epoch] = run.run(after_step=steps.append)
    assert min(steps) > 0.5, "the first epoch is not done again"
    assert [epoch.loss for epoch in told] == pytest.approx([epoch.loss for epoch in through], rel=1e-4)
    for ours, theirs in zip(again.state_dict().values(), whole.state_dict().values(), strict=True):
        assert torch.allclose(ours.float(), theirs.float(), atol=1e-5)


def test_what_another_recipe_left_is_not_gone_on_with(
    starter: Segmenter, lessons: list[Lesson], tmp_path: Path
) -> None:
    Retraining(head_of(starter), lessons[:2], Recipe(epochs=1, rounds=1), tmp_path).run()
    assert Retraining(head_of(starter), lessons[:2], Recipe(epochs=1, rounds=1), tmp_path).history
    assert not Retraining(head_of(starter), lessons[:2], Recipe(epochs=3, rounds=1), tmp_path).history


def test_epochs_of_few_lessons_go_through_all_of_them_in_turn() -> None:
    recipe = Recipe(lessons=3)
    turns = [turn_of(number, 8, recipe) for number in range(1, 9)]
    assert {len(turn) for turn in turns} == {3}
    assert Counter(one for turn in turns for one in turn) == dict.fromkeys(range(8), 3)
    assert sorted(turn_of(2, 8, Recipe(lessons=20))) == list(range(8))
