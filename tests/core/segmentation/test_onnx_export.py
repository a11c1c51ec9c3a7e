"""Exported decoders, run by another runtime, answer as ours do."""

import numpy as np
import onnxruntime
import pytest
import torch

from benchmarks.targets import target_photo
from core.errors import ModelUnavailable
from core.segmentation.catalogue import GRABCUT, STARTER, TINY, SegmenterSpec, load_segmenter
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.onnx_export import INPUTS, MOST_OFF, OUTPUTS, export_onnx
from core.segmentation.protocol import Point, Prompt


@pytest.mark.parametrize("name", [STARTER, TINY])
@pytest.mark.parametrize("boxed", [False, True], ids=["click", "box"])
def test_an_exported_decoder_answers_as_the_app_does(name: str, boxed: bool) -> None:
    segmenter = load_segmenter(SegmenterSpec(name, device="cpu"))
    exported = export_onnx(segmenter)
    assert exported.largest_difference <= MOST_OFF
    wide = segmenter.wide if isinstance(segmenter, CloseUpSegmenter) else segmenter
    embedding = wide.encode(target_photo(5).image)
    prompt = Prompt(box=(250.0, 150.0, 370.0, 280.0)) if boxed else Prompt((Point(300.0, 200.0, 1),))
    low_res, scores = wide.predict(embedding, prompt, None)  # type: ignore[attr-defined]
    places = [[250, 150], [370, 280]] if boxed else [[300, 200]]
    labels = [2, 3] if boxed else [1]
    if name == TINY and not boxed:  # SAM stands for "no box" by a point of label -1
        places, labels = [*places, [0, 0]], [*labels, -1]
    given = {
        "image_embeddings": embedding.arrays["features"].astype(np.float32)[None],
        "point_coords": np.array([places], np.float32) * np.float32(512 / 640),
        "point_labels": np.array([labels], np.float32),
        "mask_input": np.zeros((1, 1, 128, 128), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }
    assert set(given) == set(INPUTS)
    masks, predicted = onnxruntime.InferenceSession(exported.data).run(list(OUTPUTS), given)
    assert np.allclose(masks[0, 1:], low_res.numpy(), atol=2e-2)
    assert np.allclose(predicted[0, 1:], scores.numpy(), atol=1e-3)
    assert ((masks[0, 1:] > 0) == (low_res.numpy() > 0)).mean() > 0.999


def test_what_cannot_be_exported_is_told() -> None:
    with pytest.raises(ModelUnavailable, match="must have weights to be exported, but grabcut has none"):
        export_onnx(load_segmenter(SegmenterSpec(GRABCUT)))


def test_a_file_that_answers_otherwise_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.segmentation.onnx_export.MOST_OFF", -1.0)
    segmenter = load_segmenter(SegmenterSpec(STARTER, device="cpu"))
    with pytest.raises(ModelUnavailable, match="must answer as torch does within"):
        export_onnx(segmenter)
    assert torch.is_tensor(next(iter(segmenter.wide.sam.parameters())))  # type: ignore[attr-defined]
