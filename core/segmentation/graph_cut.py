"""A graph cut that starts from what is believed already: pixels are divided by colour, along edges (GrabCut)."""

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Mask, RgbImage

Labels = NDArray[np.uint8]
"""Of each pixel one of OpenCV's GC_FGD, GC_BGD, GC_PR_FGD and GC_PR_BGD."""
NO_BOX: Final = (0, 0, 0, 0)
MODEL_PIXELS: Final = 1_500
"""Of the copy on which the colours of both sides are learned."""
ITERATIONS: Final = 1


def divided(picture: RgbImage, labels: Labels) -> Mask:
    """Return where the cut finds the object, given what is certain and what is only likely.

    Where one side is empty, or colour tells nothing apart, what was believed before stands.
    """
    labels = labels.copy()
    before = is_object(labels)
    if before.any() and not before.all():
        models = _colour_models(picture, labels)
        cv2.grabCut(picture, labels, NO_BOX, *models, ITERATIONS, cv2.GC_EVAL)
    mask = is_object(labels)
    return mask if mask.any() else before


def is_object(labels: Labels) -> Mask:
    """Return where labels say object, for certain or probably."""
    found: Mask = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return found


def labels_of(soft: NDArray[Any], sure: float) -> Labels:
    """Return labels for how far pixels are the object's, 0 to 1: certain within `sure` of either end."""
    likely = np.where(soft > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    return np.where(soft > 1 - sure, cv2.GC_FGD, np.where(soft < sure, cv2.GC_BGD, likely)).astype(np.uint8)


def _colour_models(picture: RgbImage, labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mixtures of background and foreground colours; learned on a smaller copy they cost a third."""
    scale = min(1.0, math.sqrt(MODEL_PIXELS / labels.size))
    size = (max(2, round(labels.shape[1] * scale)), max(2, round(labels.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    believed = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)  # OpenCV groups colours by chance, from a state that each thread carries along
    inside = is_object(believed)
    if not inside.any() or inside.all():
        small, believed = picture, labels.copy()
    cv2.grabCut(small, believed, NO_BOX, background, foreground, 0, cv2.GC_INIT_WITH_MASK)
    return background, foreground
