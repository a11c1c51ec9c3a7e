"""What a mask and its score cost while learning."""

import torch
from torch import Tensor
from torch.nn import functional

FOCAL_WEIGHT = 5.0
PLAIN_WEIGHT = 0.3


def focal_loss(logits: Tensor, truth: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the focal loss of each mask (Lin et al., arXiv 1708.02002, gamma 2), shape (B, C).

    Parameters
    ----------
    logits, truth : Tensor, shape (B, C, h, w); truth may have one channel for all
        Truth is a share of each pixel.
    valid : Tensor, shape (B, 1, h, w), optional
        1 where a pixel counts, 0 where not.
    """
    truth = truth.expand_as(logits)
    plain = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    likely = logits.sigmoid()
    right = likely * truth + (1 - likely) * (1 - truth)
    focal = (1 - right) ** 2 * plain
    if valid is None:
        return focal.mean((2, 3))
    return (focal * valid).sum((2, 3)) / valid.sum((2, 3)).clamp(min=1)


def dice_loss(logits: Tensor, truth: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the Dice loss of each mask, shape (B, C); parameters as for `focal_loss`."""
    likely = logits.sigmoid()
    if valid is not None:
        likely = likely * valid
    overlap = (likely * truth).sum((2, 3))
    return 1 - (2 * overlap + 1) / (likely.sum((2, 3)) + truth.sum((2, 3)) + 1)


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return focal and Dice loss of each mask, shape (B, C), as SAM weighs them against each other.

    A little plain cross-entropy keeps the easy pixels from drifting.
    """
    plain = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return FOCAL_WEIGHT * focal_loss(logits, truth) + dice_loss(logits, truth) + PLAIN_WEIGHT * plain.mean((2, 3))


def closest_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the loss of the candidate (B, C, h, w) that is closest to its truth (B, 1, h, w), shape (B,).

    As in SAM: the candidates need not agree where one click leaves open what is meant.
    """
    return mask_loss(logits, truth.expand_as(logits)).amin(1)


def true_iou(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the IoU of each mask with its truth, shape (B, C); 0 where both are empty."""
    with torch.no_grad():
        mask, real = logits > 0, truth > 0.5
        return (mask & real).sum((2, 3)) / (mask | real).sum((2, 3)).clamp(min=1)


def nesting_loss(logits: Tensor) -> Tensor:
    """Return how much subpart, part and whole (B, 3, h, w) stick out of one another, shape (B,)."""
    likely = logits.sigmoid()
    return functional.relu(likely[:, :-1] - likely[:, 1:]).mean((1, 2, 3))
