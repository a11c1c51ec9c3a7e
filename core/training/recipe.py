"""The words of a retraining: how it is to be done, and what an epoch of it came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a decoder is retrained, and what it is measured on.

    Attributes
    ----------
    epochs : int
        How often each lesson is gone through, while there are not too many.
    lessons : int
        Most lessons of an epoch: where there are more, the next goes on with the others, and minutes stay the same.
    rate : float
        Learning rate at the start; it falls to nothing along a half cosine.
    batch : int
        Lessons a step.
    rounds : int
        Most prompts an object gets; how many is drawn for each step.
    scenes : int
        Made scenes on which it is measured whether it forgot.
    seed : int
        Of the choice of masks, of order and clicks.
    """

    epochs: int = 6
    lessons: int = 800
    rate: float = 1.5e-4
    batch: int = 8
    rounds: int = 6
    scenes: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: means of the loss, and of the IoU after the first prompt."""

    number: int
    loss: float
    first_iou: float


class Cancelled(Exception):
    """Somebody asked for an end."""
