"""The starter's network: run by SamPredictor unmodified, the same through our segmenter, and its cues by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import ModelUnavailable
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.protocol import Point, Prompt
from core.segmentation.sam_modules import segment_anything
from core.segmentation.starter import folded, load_starter, plain_segmenter, resized
from core.segmentation.starter_network import (
    COLOUR_BINS,
    PROMPT_MAPS,
    build_starter,
    colour_bins,
    levelled,
    likelihood,
    unfolded,
)

SIDE = 128


def untrained() -> Any:
    """Return a network with normalisations that have seen something, so that folding them is no empty word."""
    torch.manual_seed(0)
    network = build_starter(SIDE)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
    return network.eval()


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (150, 210, 3), np.uint8)


def load(path: Path) -> CloseUpSegmenter:
    return load_starter(path, name="starter", title="Starter", device="cpu", img_size=SIDE)


PROMPTS = [
    Prompt((Point(100, 70, 1),)),
    Prompt((Point(100, 70, 1), Point(20, 30, 0), Point(190, 140, 1))),
    Prompt(box=(30, 20, 160, 110)),
    Prompt((Point(100, 70, 1),), box=(30, 20, 160, 110)),
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_sam_predictor_runs_it_unmodified_and_gives_the_same_masks(photo: np.ndarray, prompt: Prompt) -> None:
    segmenter = plain_segmenter(folded(untrained()), name="starter", title="Starter")
    predictor = segment_anything().SamPredictor(segmenter.sam)
    predictor.set_image(photo)
    points = np.array([[point.x, point.y] for point in prompt.points]) if prompt.points else None
    labels = np.array([point.label for point in prompt.points]) if prompt.points else None
    box = np.array(prompt.box) if prompt.box else None
    masks, scores, low = predictor.predict(points, labels, box=box)
    found = segmenter.decode(segmenter.encode(photo), prompt)
    order = np.argsort(-scores, kind="stable")
    assert [candidate.predicted_iou for candidate in found] == pytest.approx(scores[order].tolist(), abs=5e-3)
    for candidate, index in zip(found, order, strict=True):
        # Embeddings are kept as half-precision numbers: logits that are nearly zero may change sides.
        assert np.abs(candidate.low_res - low[index]).max() < 0.05
        assert (candidate.mask() == masks[index]).mean() > 0.98


def test_folding_normalisations_changes_no_answer(photo: np.ndarray) -> None:
    network = untrained()
    pixels = torch.randn(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        before = network.image_encoder(pixels)
        after = folded(network).image_encoder(pixels)
    assert torch.allclose(before, after, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.image_encoder.stem.modules())


def test_at_another_size_it_is_the_same_weights_and_those_of_the_first_are_untouched(photo: np.ndarray) -> None:
    network = untrained()
    other = resized(network, 64)
    assert (network.image_encoder.img_size, other.image_encoder.img_size) == (SIDE, 64)
    shared = {parameter.data_ptr() for parameter in network.parameters()}
    assert {parameter.data_ptr() for parameter in other.parameters()} == shared
    fresh = build_starter(64).eval()
    fresh.load_state_dict(network.state_dict())
    answers = [plain_segmenter(one, name="a", title="A") for one in (other, fresh)]
    one, same = (segmenter.decode(segmenter.encode(photo), PROMPTS[1]) for segmenter in answers)
    for candidate, twin in zip(one, same, strict=True):
        assert np.abs(candidate.low_res - twin.low_res).max() < 1e-4


def test_pictures_of_little_contrast_get_more_and_others_none() -> None:
    pixels = torch.randn(2, 3, 32, 32)
    pixels[1] = pixels[1] * 0.1 - 1.8
    pixels[..., 20:] = 0
    raised = levelled(pixels)
    assert torch.allclose(raised[0], pixels[0], atol=1e-5)
    assert float(raised[1, ..., :20].std()) == pytest.approx(0.4, abs=0.05)
    assert float(raised[1, ..., :20].mean()) == pytest.approx(-1.8 / 4, abs=0.02)
    assert not raised[..., 20:].any()


def test_an_embedding_unfolds_into_what_went_in() -> None:
    network = untrained()
    pixels = torch.randn(1, 3, SIDE, SIDE)
    pixels[..., 96:, :] = 0
    with torch.inference_mode():
        at16, at8, at4, colours, valid = unfolded(network.image_encoder(pixels))
    assert (at16.shape[-1], at8.shape[-1], at4.shape[-1]) == (SIDE // 16, SIDE // 8, SIDE // 4)
    assert torch.allclose(colours, torch.nn.functional.avg_pool2d(pixels, 4), atol=1e-6)
    assert valid[0, 0, :12].all()
    assert not valid[0, 0, 12:].any()


def test_points_and_boxes_are_seen_where_they_are() -> None:
    encoder = build_starter(SIDE).prompt_encoder
    points = (torch.tensor([[[20.0, 100.0], [90.0, 30.0]]]), torch.tensor([[1, 0]]))
    sparse, maps = encoder(points=points, boxes=torch.tensor([[16.0, 32.0, 80.0, 96.0]]))
    assert maps.shape == (1, PROMPT_MAPS, SIDE // 8, SIDE // 8)
    assert sparse.tolist() == [[[20, 100, 1], [90, 30, 0]]]
    for index, (x, y) in enumerate([(20, 100), (90, 30)]):
        assert divmod(int(maps[0, index].argmax()), SIDE // 8) == (y // 8, x // 8)
    assert (maps[0, 4] > 0).nonzero().amin(0).tolist() == [4, 2]
    assert (maps[0, 4] > 0).nonzero().amax(0).tolist() == [11, 9]
    assert (maps[0, 10] == 0).all()
    with pytest.raises(ValueError, match="got none"):
        encoder()


def test_colours_seen_inside_only_are_likely_and_those_outside_are_not() -> None:
    colours = torch.zeros(1, 3, 2, 4)
    colours[:, 0, :, :2] = 1.5  # reddish on the left
    colours[:, 2, :, 2:] = 1.5  # bluish on the right
    valid = torch.ones(1, 1, 2, 4)
    valid[..., 3] = 0
    bins = colour_bins(colours, valid)
    assert (bins.view(2, 4)[:, 3] == COLOUR_BINS**3).all()
    weights = torch.zeros(1, 2, 8)
    weights[:, 0, [0, 4]] = 1  # the leftmost column was clicked
    share = likelihood(bins, weights)[0, 0].view(2, 4)
    assert (share[:, :2] > 0.6).all()
    assert (share[:, 2] < 0.1).all()
    assert (likelihood(bins, weights)[0, 1].view(2, 4)[:, :3] < 0.1).all(), (
        "nothing is likely where nothing was clicked"
    )


def test_weights_that_are_missing_or_others_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="the starter's weights must exist"):
        load(tmp_path / "none.pt")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ModelUnavailable, match=r"other\.pt must hold the starter's weights"):
        load(tmp_path / "other.pt")
    torch.save(untrained().half().state_dict(), tmp_path / "starter.pt")
    assert load(tmp_path / "starter.pt").name == "starter"
