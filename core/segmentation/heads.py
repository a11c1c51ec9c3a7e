"""What retraining changes of a segmenter: prompt encoder and mask decoder. The image encoder stays, and with it
every embedding.
"""

import copy
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ModelUnavailable
from core.hashes import file_sha256
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.protocol import Segmenter
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything
from core.segmentation.starter import segmenter_of
from core.segmentation.starter_network import PromptEncoder
from core.segmentation.weights_file import read_weights

Points = tuple[Tensor, Tensor]
"""Places (B, N, 2) in pixels of the input, and labels (B, N)."""


class SamHead(nn.Module):
    """A copy of a SAM's prompt encoder and mask decoder."""

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.prompt_encoder = copy.deepcopy(sam.prompt_encoder)
        self.mask_decoder = copy.deepcopy(sam.mask_decoder)

    def forward(
        self,
        features: Tensor,
        side: int,
        *,
        points: Points | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return four masks as logits (B, 4, S / 4, S / 4) and their predicted IoU (B, 4).

        Parameters
        ----------
        features : Tensor, shape (B, C, S / 16, S / 16)
            One image's embedding for each prompt.
        side : int
            Of the network's input, S.
        points, boxes, masks
            As SAM's prompt encoder takes them.
        """
        sparse, dense = self.prompt_encoder(points=points, boxes=boxes, masks=masks)
        places = self.prompt_encoder.get_dense_pe()
        # SAM's decoder takes one image at a time.
        answers = [
            self.mask_decoder.predict_masks(
                image_embeddings=features[one : one + 1],
                image_pe=places,
                sparse_prompt_embeddings=sparse[one : one + 1],
                dense_prompt_embeddings=dense[one : one + 1],
            )
            for one in range(len(features))
        ]
        return torch.cat([logits for logits, _ in answers]), torch.cat([scores for _, scores in answers])

    def score_loss(self, scores: Tensor, actual: Tensor) -> Tensor:
        """Return the loss (B,) of predicted IoU against actual, both (B, 4): squared error, as SAM learned it."""
        return functional.mse_loss(scores, actual, reduction="none").sum(1)


class StarterHead(nn.Module):
    """A copy of a starter's mask decoder; its prompt encoder has nothing to learn."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.mask_decoder = copy.deepcopy(network.mask_decoder)
        self._prompts: dict[int, PromptEncoder] = {}

    def forward(
        self,
        features: Tensor,
        side: int,
        *,
        points: Points | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return four masks and their predicted IoU, as `SamHead` does."""
        if side not in self._prompts:
            self._prompts[side] = PromptEncoder(side).to(features.device)
        sparse, maps = self._prompts[side](points=points, boxes=boxes, masks=masks)
        logits, scores = self.mask_decoder.predict(features, sparse, maps)
        return logits, scores.sigmoid()

    def score_loss(self, scores: Tensor, actual: Tensor) -> Tensor:
        """Return the loss (B,) of predicted IoU against actual, both (B, 4): cross-entropy, as the starter learned it.

        Its scores end in a sigmoid, through which a squared error near 0 and 1 teaches next to nothing: then the
        best of three candidates is not the one that is offered first.
        """
        return functional.binary_cross_entropy(scores.clamp(1e-4, 1 - 1e-4), actual, reduction="none").sum(1)


Head = SamHead | StarterHead


def head_of(segmenter: Segmenter) -> Head:
    """Return a copy of what can be retrained of a segmenter, on its device.

    Raises
    ------
    ModelUnavailable
        If it has nothing that learns.
    """
    if isinstance(segmenter, CloseUpSegmenter):
        return StarterHead(segmenter.wide.sam)
    if isinstance(segmenter, SamSegmenter):
        return SamHead(segmenter.sam)
    raise ModelUnavailable(f"a model must have weights to be retrained, but {segmenter.name} has none")


def with_head(segmenter: Segmenter, weights: Mapping[str, Tensor], *, title: str) -> Segmenter:
    """Return the segmenter that answers with this head; both share the image encoder, so embeddings fit both.

    Raises
    ------
    ModelUnavailable
        If the weights are not of such a head.
    """
    head = head_of(segmenter)
    try:
        head.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"retrained weights must be of {segmenter.title}, but are of another model") from error
    if isinstance(segmenter, CloseUpSegmenter):
        network = _joined(segmenter.wide.sam, segmenter.wide.sam.prompt_encoder, head.mask_decoder)
        return segmenter_of(network, name=segmenter.name, title=title, device=segmenter.device)
    if not (isinstance(segmenter, SamSegmenter) and isinstance(head, SamHead)):
        raise AssertionError("a model with a head is one of these")
    network = _joined(segmenter.sam, head.prompt_encoder, head.mask_decoder)
    return SamSegmenter(network, name=segmenter.name, title=title, precision=segmenter.precision)


def _joined(sam: Any, prompt_encoder: Any, mask_decoder: Any) -> Any:
    """Return a network of the encoder of one and the rest of another."""
    network = segment_anything().modeling.Sam(
        sam.image_encoder,
        prompt_encoder,
        mask_decoder,
        pixel_mean=sam.pixel_mean.flatten().tolist(),
        pixel_std=sam.pixel_std.flatten().tolist(),
    )
    return network.to(sam.device).eval()


def head_bytes(head: Head) -> bytes:
    """Return a head's weights as a file's bytes."""
    buffer = io.BytesIO()
    torch.save({name: value.detach().cpu() for name, value in head.state_dict().items()}, buffer)
    return buffer.getvalue()


def read_head(path: Path) -> dict[str, Tensor]:
    """Return the weights of a head from a file that is named by its hash.

    Raises
    ------
    ModelUnavailable
        If it is missing, damaged, or holds something else.
    """
    weights = read_weights(path)
    if file_sha256(path) != path.name:
        raise ModelUnavailable(f"the retrained weights {path.name[:12]}… must match their hash, but were changed")
    return weights
