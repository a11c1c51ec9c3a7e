"""SAM without the predictor answers what segment_anything's own predictor answers, on the same weights."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.segmentation import sam_modules
from core.segmentation.protocol import Candidate, Embedding, Point, Prompt
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything
from core.segmentation.tiny import build_tiny_sam

SHAPES = [(300, 500), (500, 300), (512, 512), (97, 1400), (31, 29)]
UNDECIDED = 1e-4
"""Sums in another order move logits in their last bits: a pixel this near to zero may fall either way."""


@pytest.fixture(scope="module")
def sam() -> Any:
    """A tiny SAM whose random heads are loud enough for masks, scores and stability to vary."""
    network = build_tiny_sam(512)
    with torch.no_grad():
        for head in network.mask_decoder.output_hypernetworks_mlps:
            head.layers[-1].weight.mul_(60)
        network.mask_decoder.iou_prediction_head.layers[-1].bias.add_(0.5)
    return network


@pytest.fixture(scope="module")
def segmenter(sam: Any) -> SamSegmenter:
    return SamSegmenter(sam, name="tiny", title="Tiny")


@pytest.fixture(scope="module")
def embeddings(segmenter: SamSegmenter) -> dict[tuple[int, int], Embedding]:
    return {shape: segmenter.encode(photo(shape)) for shape in SHAPES}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def photo(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def predictor(sam: Any, embedding: Embedding) -> Any:
    """Return segment_anything's predictor, set to the features of an embedding."""
    made = segment_anything().SamPredictor(sam)
    made.original_size = embedding.size_hw
    side = sam.image_encoder.img_size
    made.input_size = made.transform.get_preprocess_shape(*embedding.size_hw, side)
    made.features = torch.as_tensor(embedding.arrays["features"].astype(np.float32))[None]
    made.is_image_set = True
    return made


def asked(shape: tuple[int, int]) -> dict[str, Prompt]:
    height, width = shape
    point = Point(width * 0.4, height * 0.6, 1)
    more = (point, Point(width * 0.9, height * 0.1, 0), Point(0.0, height, 1))
    box = (width * 0.1, height * 0.2, width * 0.7, height * 0.8)
    return {
        "a point": Prompt((point,)),
        "three points": Prompt(more),
        "a box": Prompt((), box),
        "points and a box": Prompt(more, box),
    }


def their_answer(
    sam: Any, embedding: Embedding, prompt: Prompt, refine: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return masks, scores, low-resolution logits and full-size logits, as the predictor makes them."""
    theirs = predictor(sam, embedding)
    given: dict[str, Any] = {
        "point_coords": np.array([[point.x, point.y] for point in prompt.points]) if prompt.points else None,
        "point_labels": np.array([point.label for point in prompt.points]) if prompt.points else None,
        "box": np.array(prompt.box) if prompt.box else None,
        "mask_input": None if refine is None else refine[None],
    }
    masks, scores, low_res = theirs.predict(**given, multimask_output=True)
    full = theirs.predict(**given, multimask_output=True, return_logits=True)[0]
    return masks, scores, low_res, full


def same_answer(ours: list[Candidate], theirs: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> None:
    masks, scores, low_res, full = theirs
    order = np.argsort(-scores, kind="stable")
    assert len(ours) == 3
    for candidate, index in zip(ours, order, strict=True):
        assert candidate.predicted_iou == pytest.approx(float(np.clip(scores[index], 0, 1)), abs=1e-4)
        assert np.abs(candidate.low_res - low_res[index]).max() < 1e-4
        differing = candidate.mask() != masks[index]
        assert not (differing & (np.abs(full[index]) >= UNDECIDED)).any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["a point", "three points", "a box", "points and a box"])
def test_answers_are_those_of_the_predictor(
    sam: Any, segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding], shape: tuple[int, int], kind: str
) -> None:
    prompt = asked(shape)[kind]
    theirs = their_answer(sam, embeddings[shape], prompt, None)
    assert np.ptp(theirs[2]) > 1, "the network must say something for this to prove anything"
    same_answer(segmenter.decode(embeddings[shape], prompt), theirs)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["three points", "points and a box"])
def test_refined_answers_are_those_of_the_predictor_with_a_mask_input(
    sam: Any, segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding], shape: tuple[int, int], kind: str
) -> None:
    embedding, prompts = embeddings[shape], asked(shape)
    chosen = segmenter.decode(embedding, prompts["a point"])[1]
    refined = segmenter.decode(embedding, prompts[kind], refine=chosen)
    same_answer(refined, their_answer(sam, embedding, prompts[kind], chosen.low_res))
    plain = segmenter.decode(embedding, prompts[kind])
    assert any(np.abs(a.low_res - b.low_res).max() > 1e-3 for a, b in zip(refined, plain, strict=True))


def test_the_unchanged_random_network_answers_alike_too() -> None:
    network = build_tiny_sam(512, seed=3)
    segmenter = SamSegmenter(network, name="tiny", title="Tiny")
    embedding = segmenter.encode(photo((200, 320)))
    prompt = asked((200, 320))["three points"]
    _, scores, low_res, _ = their_answer(network, embedding, prompt, None)
    ours = segmenter.decode(embedding, prompt)
    order = np.argsort(-scores, kind="stable")
    assert max(np.abs(c.low_res - low_res[i]).max() for c, i in zip(ours, order, strict=True)) < 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_the_full_mask_of_the_predictors_own_logits_is_the_predictors_mask_bit_for_bit(
    sam: Any, segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding], shape: tuple[int, int]
) -> None:
    masks, _, low_res, _ = their_answer(sam, embeddings[shape], asked(shape)["three points"], None)
    for mask, logits in zip(masks, low_res, strict=True):
        assert np.array_equal(segmenter.full_mask(logits, shape), mask)


@pytest.mark.parametrize("shape", SHAPES)
def test_stability_is_that_of_segment_anything_on_the_same_logits(
    segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding], shape: tuple[int, int]
) -> None:
    from segment_anything.utils.amg import calculate_stability_score

    answers = segmenter.decode(embeddings[shape], asked(shape)["a point"])
    for candidate in answers:
        inside = segmenter.inside(torch.as_tensor(candidate.low_res)[None], shape)
        assert candidate.stability_score == pytest.approx(float(calculate_stability_score(inside, 0.0, 1.0)[0]))
    assert any(0 < candidate.stability_score < 1 for candidate in answers)


def test_stability_of_an_empty_mask_is_zero_and_no_division(segmenter: SamSegmenter) -> None:
    from core.segmentation.sam import stability

    assert stability(np.full((4, 4), -9, np.float32)) == 0.0
    assert stability(np.full((4, 4), 9, np.float32)) == 1.0


def test_only_what_is_looked_at_is_upsampled(
    segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding]
) -> None:
    first, second, third = segmenter.decode(embeddings[300, 500], asked((300, 500))["a point"])
    assert not first._full
    assert first.mask() is first.mask()
    assert first.mask().shape == (300, 500)
    assert not second._full
    assert not third._full


def test_a_preview_is_the_best_candidate_alone(
    segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding]
) -> None:
    prompt = asked((300, 500))["a point"]
    (preview,) = segmenter.decode(embeddings[300, 500], prompt, preview=True)
    best = segmenter.decode(embeddings[300, 500], prompt)[0]
    assert np.array_equal(preview.low_res, best.low_res)
    assert preview.predicted_iou == best.predicted_iou
    assert not preview._full


@pytest.mark.parametrize("shape", SHAPES)
def test_candidates_come_best_first_levelled_by_area_with_coarse_masks_of_the_photos_aspect(
    segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding], shape: tuple[int, int]
) -> None:
    answers = segmenter.decode(embeddings[shape], asked(shape)["a point"])
    scores = [candidate.predicted_iou for candidate in answers]
    assert scores == sorted(scores, reverse=True)
    assert {candidate.level for candidate in answers} == {"whole", "part", "subpart"}
    for candidate in answers:
        assert max(candidate.coarse.shape) == min(256, max(shape))
        full = candidate.mask()
        assert abs(float(candidate.coarse.mean()) - float(full.mean())) < 0.05


def test_encoding_is_that_of_the_predictor_but_for_float16(sam: Any, segmenter: SamSegmenter) -> None:
    image = photo((300, 500), 4)
    theirs = segment_anything().SamPredictor(sam)
    theirs.set_image(image)
    ours = segmenter.encode(image)
    assert ours.size_hw == (300, 500)
    wanted = theirs.get_image_embedding()[0].numpy().astype(np.float16)
    assert np.abs(ours.arrays["features"].astype(float) - wanted.astype(float)).max() < 5e-3
    assert ours.arrays["features"].dtype == np.float16


def test_a_mask_to_refine_of_another_network_is_not_used(
    segmenter: SamSegmenter, embeddings: dict[tuple[int, int], Embedding]
) -> None:
    prompt = asked((300, 500))["a point"]
    plain = segmenter.decode(embeddings[300, 500], prompt)
    foreign = replace(plain[0], low_res=np.ones((7, 9), np.float32))
    with_foreign = segmenter.decode(embeddings[300, 500], prompt, refine=foreign)
    assert all(np.array_equal(a.low_res, b.low_res) for a, b in zip(with_foreign, plain, strict=True))


def test_many_threads_on_more_images_than_are_kept_prepared_get_their_own_answers(segmenter: SamSegmenter) -> None:
    shapes = [(60 + 20 * index, 90) for index in range(10)]
    kept = [segmenter.encode(photo(shape, index)) for index, shape in enumerate(shapes)]
    prompts = [asked(shape)["three points"] for shape in shapes]
    alone = [segmenter.decode(*pair)[0].low_res for pair in zip(kept, prompts, strict=True)]
    wrong: list[int] = []

    def work(offset: int) -> None:
        for step in range(len(kept)):
            index = (step + offset) % len(kept)
            got = segmenter.decode(kept[index], prompts[index])[0].low_res
            if np.abs(got - alone[index]).max() > 1e-5:
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_encoder_key_depends_on_the_encoder_alone_and_the_content_hash_on_all() -> None:
    first = SamSegmenter(build_tiny_sam(64), name="a", title="A")
    network = build_tiny_sam(64)
    with torch.no_grad():
        network.mask_decoder.iou_token.weight.add_(1)
    decoder_changed = SamSegmenter(network, name="a", title="A")
    other = SamSegmenter(build_tiny_sam(64, seed=1), name="a", title="A")
    assert first.encoder_key == decoder_changed.encoder_key
    assert first.content_hash != decoder_changed.content_hash
    assert first.encoder_key != other.encoder_key
    again = SamSegmenter(build_tiny_sam(64), name="b", title="B")
    assert (again.encoder_key, again.content_hash) == (first.encoder_key, first.content_hash)


def test_the_stand_in_for_torchvision_is_gone_once_segment_anything_is_here() -> None:
    segment_anything()
    if sam_modules._torchvision_works():
        pytest.skip("this machine has a torchvision that works")
    assert not [name for name in sys.modules if name.split(".")[0] == "torchvision"]
    with sam_modules._stand_in():
        from torchvision.ops.boxes import batched_nms

        assert batched_nms is sam_modules.batched_nms
    assert not [name for name in sys.modules if name.split(".")[0] == "torchvision"]


boxes_of = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2)),
    min_size=0,
    max_size=12,
)


@given(boxes_of, st.sampled_from([0.0, 0.3, 0.5, 0.9]), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_suppression_of_boxes_is_greedy_within_groups(
    drawn: list[tuple[int, int, int, int, int]], threshold: float, random: Any
) -> None:
    corners = [(x, y, x + w, y + h) for x, y, w, h, _ in drawn]
    scores = [float(value) for value in random.sample(range(100), len(drawn))]
    groups = [group for *_, group in drawn]

    def pixels(box: tuple[int, int, int, int]) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    kept: list[int] = []
    for index in sorted(range(len(drawn)), key=lambda number: -scores[number]):
        mine = pixels(corners[index])
        if all(
            groups[index] != groups[other]
            or len(mine & pixels(corners[other])) / len(mine | pixels(corners[other])) <= threshold
            for other in kept
        ):
            kept.append(index)
    boxes = torch.tensor(corners, dtype=torch.float64).reshape(-1, 4)
    got = sam_modules.batched_nms(boxes, torch.tensor(scores), torch.tensor(groups), threshold)
    assert got.tolist() == kept
    assert sam_modules.box_area(boxes).tolist() == [float(len(pixels(box))) for box in corners]
