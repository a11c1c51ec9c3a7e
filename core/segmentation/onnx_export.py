"""A model's prompt encoder and mask decoder as ONNX, for programs that have no torch; compared with torch at once.

Inputs, named as in segment_anything's own export: `image_embeddings` (1, C, S / 16, S / 16), `point_coords` (1, N, 2)
in pixels of the network's input, `point_labels` (1, N) with 1 for object, 0 for background, -1 for no point, 2 and 3
for a box's upper left and lower right corner, `mask_input` (1, 1, S / 4, S / 4) of logits and `has_mask_input` (1,),
1 or 0.
Outputs: `low_res_masks` (1, 4, S / 4, S / 4), of which 0 answers unambiguous prompts and 1 to 3 are the candidates,
and `iou_predictions` (1, 4).
"""

import importlib
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.errors import ModelUnavailable
from core.segmentation.closeup import DOT, CloseUpSegmenter
from core.segmentation.protocol import Segmenter
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything

INPUTS: Final = ("image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input")
OUTPUTS: Final = ("low_res_masks", "iou_predictions")
OPSET: Final = 18
MOST_OFF: Final = 1e-2
"""Of logits: sums are taken in another order there."""
CHECKED_POINTS: Final = (1, 2, 5)
CORNERS: Final = (2, 3)
"""Labels of a box's upper left and lower right corner, as in SAM."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An ONNX file's bytes, and how far its outputs were from torch's at most."""

    data: bytes
    largest_difference: float


class _SamDecoder(nn.Module):
    def __init__(self, sam: Any) -> None:
        super().__init__()
        segment_anything()  # makes its modules importable
        onnx_module = importlib.import_module("segment_anything.utils.onnx")
        self.parts = onnx_module.SamOnnxModel(sam, return_single_mask=False)

    def forward(
        self, embeddings: Tensor, coords: Tensor, labels: Tensor, mask: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        sam = self.parts.model
        masks, scores = sam.mask_decoder.predict_masks(
            image_embeddings=embeddings,
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=self.parts._embed_points(coords, labels),
            dense_prompt_embeddings=self.parts._embed_masks(mask, has_mask),
        )
        return masks, scores


class _StarterDecoder(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.prompt_encoder, self.mask_decoder = network.prompt_encoder, network.mask_decoder

    def forward(
        self, embeddings: Tensor, coords: Tensor, labels: Tensor, mask: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        sparse, maps = self.prompt_encoder(points=(coords, labels), masks=mask)
        known = torch.ones(maps.shape[1])
        known[6:] = 0
        corners = [(coords * (labels == label)[..., None]).sum(1) for label in CORNERS]
        _, box_maps = self.prompt_encoder(boxes=torch.cat(corners, 1))
        has_box = (labels == CORNERS[0]).any(1).to(maps.dtype)
        maps = maps * torch.maximum(known, has_mask)[None, :, None, None] + box_maps * has_box[:, None, None, None]
        masks, scores = self.mask_decoder.predict(embeddings, sparse, maps)
        return masks, scores.sigmoid()


def export_onnx(segmenter: Segmenter) -> Exported:
    """Return a model's decoder as ONNX once it answers as torch does.

    Raises
    ------
    ModelUnavailable
        If the model has no weights, the extra `onnx` is not installed, or the file answers otherwise.
    """
    decoder, sam = _decoder_of(segmenter)
    try:
        import onnx  # noqa: F401  # torch's exporter stands on it
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailable(
            f"exporting ONNX must have the extra onnx installed, but {error.name} is missing"
        ) from error
    side = int(sam.image_encoder.img_size)
    examples = [_example(sam, side, points) for points in CHECKED_POINTS]
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "decoder.onnx"
        torch.onnx.export(
            decoder,
            examples[1],
            file,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={"point_coords": {1: "points"}, "point_labels": {1: "points"}},
            opset_version=OPSET,
            dynamo=False,
        )
        data = file.read_bytes()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    largest = 0.0
    for example in examples:
        with torch.inference_mode():
            wanted = decoder(*example)
        given = {name: value.numpy() for name, value in zip(INPUTS, example, strict=True)}
        for ours, theirs in zip(session.run(list(OUTPUTS), given), wanted, strict=True):
            largest = max(largest, float((torch.from_numpy(ours) - theirs).abs().max()))
    if largest > MOST_OFF:
        raise ModelUnavailable(
            f"an exported model must answer as torch does within {MOST_OFF}, but is off by {largest:.3g}"
        )
    return Exported(data, largest)


def _decoder_of(segmenter: Segmenter) -> tuple[nn.Module, Any]:
    if isinstance(segmenter, CloseUpSegmenter):
        network = segmenter.wide.sam
        return _StarterDecoder(network).cpu().eval(), network
    if isinstance(segmenter, SamSegmenter):
        return _SamDecoder(segmenter.sam).cpu().eval(), segmenter.sam
    raise ModelUnavailable(f"a model must have weights to be exported, but {segmenter.name} has none")


def _example(sam: Any, side: int, points: int) -> tuple[Tensor, ...]:
    """Return inputs by chance: an embedding of noise, points, and every other time a mask to go on from.

    The last two of many points are a box.
    """
    chance = torch.Generator().manual_seed(points)
    with torch.inference_mode():
        picture = torch.rand(1, 3, side, side, generator=chance) * 4 - 2
        embeddings = sam.image_encoder(picture)
    places = torch.rand(1, points, 2, generator=chance) * side
    labels = torch.tensor([[float(number % 2 == 0) for number in range(points)]])
    if points > len(CORNERS):
        places[:, -2:] = torch.stack([places[:, -2:].amin(1), places[:, -2:].amax(1)], 1)
        labels[:, -2:] = torch.tensor(CORNERS)
    return (
        embeddings.float(),
        places,
        labels,
        torch.randn(1, 1, side // DOT, side // DOT, generator=chance) * 4,
        torch.tensor([float(points % 2)]),
    )
