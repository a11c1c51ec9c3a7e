"""A segmenter that goes to another process, perhaps on another machine: its weights travel, no path to them."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from core.errors import ModelUnavailable
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Segmenter
from core.segmentation.sam import Precision, SamSegmenter
from core.segmentation.sam_modules import segment_anything
from core.segmentation.starter import segmenter_of


@dataclass(frozen=True)
class Model:
    """A segmenter as what is given to a crew. In this process it is itself; where it is unpacked, a copy of it.

    The copy computes on the same kind of device and with the same precision, so it answers alike.
    """

    segmenter: Segmenter

    @property
    def on_gpu(self) -> bool:
        """Whether it computes on a GPU."""
        return self.segmenter.device == "cuda"

    def __reduce__(self) -> tuple[Callable[..., "Model"], tuple[Any, ...]]:
        """Tell pickle how it is made anew."""
        segmenter = self.segmenter
        if isinstance(segmenter, GrabCutSegmenter):
            return _grabcut, ()
        known = {"name": segmenter.name, "title": segmenter.title, "device": segmenter.device}
        if isinstance(segmenter, CloseUpSegmenter):
            return _closeup, (_bytes_of(segmenter.wide.sam), known)
        if isinstance(segmenter, SamSegmenter):
            return _sam, (_bytes_of(segmenter.sam), known, segmenter.precision)
        return Model, (segmenter,)


def _grabcut() -> Model:
    return Model(GrabCutSegmenter())


def _closeup(network: bytes, known: dict[str, str]) -> Model:
    return Model(segmenter_of(_network_of(network, known), **known))


def _sam(network: bytes, known: dict[str, str], precision: Precision) -> Model:
    made = _network_of(network, known)
    return Model(SamSegmenter(made, name=known["name"], title=known["title"], precision=precision))


def _bytes_of(network: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(network, buffer)
    return buffer.getvalue()


def _network_of(data: bytes, known: dict[str, str]) -> Any:
    """Return a network from another process of this program; files from outside are read by `weights_file` alone."""
    device = known["device"]
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelUnavailable(
            f"a worker must have a GPU for {known['title']}, as the job's process has, but torch finds none there; "
            "with MASKSMITH_DEVICE=cpu none is needed"
        )
    segment_anything()  # its modules are importable only once it was imported like this
    return torch.load(io.BytesIO(data), map_location=device, weights_only=False)
