"""The starter as a segmenter: its network loaded, made ready to answer, and run."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ModelUnavailable
from core.segmentation.sam import SamSegmenter
from core.segmentation.starter_network import INPUT_SIDE, build_starter
from core.segmentation.weights_file import read_weights


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


def load_starter(path: Path, *, name: str, title: str, device: str, img_size: int = INPUT_SIDE) -> SamSegmenter:
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


def segmenter_of(network: Any, *, name: str, title: str, device: str) -> SamSegmenter:
    """Return a segmenter that answers with a trained network."""
    network = folded(network.eval()).to(device)
    return SamSegmenter(network, name=name, title=title, decoder=StarterDecoder(network))


def folded(module: nn.Module) -> Any:
    """Fold each batch normalisation into the convolution before it: the same function, with half the passes."""
    for child in module.modules():
        if isinstance(child, nn.Sequential) and len(child) > 1:
            convolution, norm = child[0], child[1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                child[0] = torch.nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
                child[1] = nn.Identity()
    return module
