"""A model's prompt encoder and mask decoder as ONNX, for programs that have no torch; checked against torch at once.

Inputs, as in segment_anything's own export: `image_embeddings` (1, C, S / 16, S / 16), `point_coords` (1, N, 2) in
pixels of the input, `point_labels` (1, N) with 1 object, 0 background, 2 and 3 a box's corners and -1 for none,
`mask_input` (1, 1, S / 4, S / 4) and `has_mask_input` (1,). Outputs: `low_res_masks` (1, 4, S / 4, S / 4), of which
0 is the answer to unambiguous prompts and 1 to 3 are the candidates, and `iou_predictions` (1, 4).
"""

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import ModelUnavailable
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.protocol import Segmenter
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything

OPSET: Final = 18
MOST_OFF: Final = 1e-3
"""Of logits and scores: sums are taken in another order there."""
CHECKED_POINTS: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Exported:
    """An ONNX file's bytes, and how far its logits and scores were at most from torch's."""

    data: bytes
    largest_difference: float


class SamOnnx(nn.Module):
    """SAM's prompt encoder and mask decoder with one input a kind of prompt."""

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.parts = segment_anything().utils.onnx.SamOnnxModel(sam, return_single_mask=False)

    def forward(
        self, embeddings: Tensor, coords: Tensor, labels: Tensor, mask: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return masks and scores."""
        sam = self.parts.model
        masks, scores = sam.mask_decoder.predict_masks(
            image_embeddings=embeddings,
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=self.parts._embed_points(coords, labels),
            dense_prompt_embeddings=self.parts._embed_masks(mask, has_mask),
        )
        return masks, scores
