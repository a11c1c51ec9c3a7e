"""The starter as a segmenter: its network loaded, made ready to answer, and run."""

import copy
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.errors import ModelUnavailable
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything
from core.segmentation.starter_network import INPUT_SIDE, PromptEncoder, build_starter
from core.segmentation.weights_file import read_weights

CLOSE_SIDE: Final = 256
"""Of the input for a part of the photo."""


class StarterDecoder:
    """Runs the starter's decoder; nothing of it can be prepared ahead."""

    def __init__(self, network: Any) -> None:
        self._decoder = network.mask_decoder

    def prepare(self, features: Tensor) -> None:
        """Return nothing."""

    def run(
        self, _image: None, features: Tensor, sparse: Tensor, dense: Tensor, _refined: bool
    ) -> tuple[Tensor, Tensor]:
        """Return logits (3, S / 4, S / 4) and predicted IoU (3,)."""
        masks, scores = self._decoder.predict(features, sparse, dense)
        return masks[0, 1:], scores[0, 1:].sigmoid()

    def run_each(self, _image: None, features: Tensor, sparse: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, 3, S / 4, S / 4) and predicted IoU (N, 3) of N prompts, each on its own."""
        masks, scores = self._decoder.predict(features, sparse, dense)
        return masks[:, 1:], scores[:, 1:].sigmoid()


def load_starter(path: Path, *, name: str, title: str, device: str, img_size: int = INPUT_SIDE) -> CloseUpSegmenter:
    """Return the starter with the weights of a file, which is read as weights only.

    Raises
    ------
    ModelUnavailable
        If the file is missing, damaged, or holds others.
    """
    network = build_starter(img_size)
    put_weights(network, path)
    return segmenter_of(network, name=name, title=title, device=device)


def put_weights(network: Any, path: Path) -> None:
    """Give a network the weights of a file.

    Raises
    ------
    ModelUnavailable
        If the file is missing, damaged, or holds others; the network is then not to be used.
    """
    if not path.is_file():
        raise ModelUnavailable(f"the starter's weights must exist, but there are no {path}")
    try:
        network.load_state_dict(read_weights(path))
    except (ModelUnavailable, RuntimeError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"{path.name} must hold the starter's weights, but does not") from error


def segmenter_of(network: Any, *, name: str, title: str, device: str) -> CloseUpSegmenter:
    """Return a segmenter that answers with a trained network, whose normalisations are folded away."""
    network = folded(network.eval()).to(device)
    wide, close = (plain_segmenter(one, name=name, title=title) for one in (network, resized(network, CLOSE_SIDE)))
    return CloseUpSegmenter(wide, close)


def plain_segmenter(network: Any, *, name: str, title: str) -> SamSegmenter:
    """Return a segmenter that answers as `SamPredictor` would with this network."""
    return SamSegmenter(network, name=name, title=title, decoder=StarterDecoder(network))


def resized(network: Any, side: int) -> Any:
    """Return the same weights, shared, as a network of another input size: none of them depends on it."""
    encoder = copy.copy(network.image_encoder)
    encoder.img_size = side
    other = segment_anything().modeling.Sam(encoder, PromptEncoder(side), network.mask_decoder)
    return other.eval().to(network.device)


def folded(module: nn.Module) -> Any:
    """Fold each batch normalisation into the convolution before it: the same function, with half the passes."""
    for child in module.modules():
        if isinstance(child, nn.Sequential) and len(child) > 1:
            convolution, norm = child[0], child[1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                child[0] = torch.nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
                child[1] = nn.Identity()
    return module
