"""segment_anything, importable where torchvision is missing or broken.

segment_anything 1.0 takes four functions from torchvision, which has no build beside a CPU-only torch. Where
torchvision works it is used. Elsewhere these stand in while segment_anything is imported, and are taken away
again afterwards, so that nothing else mistakes them for torchvision.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

_lock = threading.Lock()


def segment_anything() -> ModuleType:
    """Return the package `segment_anything`, with torchvision or without."""
    with _lock:
        if "segment_anything" in sys.modules:
            return sys.modules["segment_anything"]
        if _torchvision_works():
            return __import__("segment_anything")
        with _stand_in():
            return __import__("segment_anything")


def _torchvision_works() -> bool:
    try:
        from torchvision.ops.boxes import batched_nms  # noqa: F401
        from torchvision.transforms.functional import resize  # noqa: F401
    except (ImportError, RuntimeError, OSError, AttributeError):
        # A torchvision built for another torch fails with "operator torchvision::nms does not exist".
        return False
    return True


@contextmanager
def _stand_in() -> Iterator[None]:
    names = (
        "torchvision",
        "torchvision.transforms",
        "torchvision.transforms.functional",
        "torchvision.ops",
        "torchvision.ops.boxes",
    )
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torchvision"}
    for name in before:
        del sys.modules[name]
    modules: dict[str, Any] = {name: ModuleType(name) for name in names}
    functional, boxes = modules["torchvision.transforms.functional"], modules["torchvision.ops.boxes"]
    functional.resize, functional.to_pil_image = resize, to_pil_image
    boxes.batched_nms, boxes.box_area = batched_nms, box_area
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def to_pil_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return an array of shape (H, W, 3) as a picture."""
    return Image.fromarray(pixels)


def resize(picture: Image.Image, size_hw: tuple[int, int]) -> Image.Image:
    """Return a picture at another size, as torchvision's default does: bilinear, anti-aliased."""
    return picture.resize((size_hw[1], size_hw[0]), Image.Resampling.BILINEAR)


def box_area(boxes: torch.Tensor) -> torch.Tensor:
    """Return the area of each box (x0, y0, x1, y1) of shape (N, 4)."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Return the indices of boxes kept by greedy suppression within each group, best score first."""
    order = torch.argsort(scores, descending=True).tolist()
    area = box_area(boxes)
    kept: list[int] = []
    for index in order:
        if kept:
            others = torch.tensor(kept)
            low = torch.maximum(boxes[index, :2], boxes[others, :2])
            high = torch.minimum(boxes[index, 2:], boxes[others, 2:])
            overlap = (high - low).clamp(min=0).prod(dim=1)
            iou = overlap / (area[index] + area[others] - overlap)
            if bool(((iou > iou_threshold) & (groups[others] == groups[index])).any()):
                continue
        kept.append(index)
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)
