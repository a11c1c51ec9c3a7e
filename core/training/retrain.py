"""Retraining a decoder on lessons: simulated clicks and boxes, rounds of corrections, the closest of three masks.

As SAM was trained (Kirillov et al., arXiv 2304.02643, appendix A): an object begins with a click or with an inexact
box; each further click lies where the mask is wrong; the mask with the highest predicted IoU is passed on; only the
closest of the three candidates is corrected, focal to Dice 20 to 1; predicted IoU learns by the loss it was
learned by, which for SAM is the squared error.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.segmentation.closeup import DOT
from core.segmentation.heads import Head
from core.segmentation.weights_file import read_weights
from core.training.episodes import correction, deep_place
from core.training.lessons import Lesson
from core.training.losses import dice_loss, focal_loss, true_iou
from core.training.protocol import box_of
from core.training.recipe import Epoch, Recipe

FOCAL_WEIGHT: Final = 20.0
BOX_SHARE: Final = 0.25
BOX_NOISE: Final = 0.1
"""Deviation of a box's corners, in its sides; 20 pixels at most, as in SAM's training."""
MOST_BOX_NOISE: Final = 20.0
RIM_SHARE: Final = 0.3
"""Of further clicks."""
CHECKPOINT: Final = "epoch.pt"


class Retraining:
    """A decoder that learns, epoch by epoch; each is kept on disk, so a run that was cut off loses one at most.

    Parameters
    ----------
    head : Head
        Changed in place.
    lessons : sequence of Lesson
        At least one.
    folder : Path
        Where the epoch done last is kept. What an earlier run of the same recipe left is gone on with.
    """

    def __init__(self, head: Head, lessons: Sequence[Lesson], recipe: Recipe, folder: Path) -> None:
        self.head, self.lessons, self.recipe = head, lessons, recipe
        self.history: list[Epoch] = []
        self._file = folder / CHECKPOINT
        self._device = next(head.parameters()).device
        self._optimiser = torch.optim.AdamW(head.parameters(), recipe.rate, weight_decay=0.01)
        folder.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            self._go_on(read_weights(self._file))

    def run(self, *, after_step: Callable[[float], None] = lambda _share: None) -> list[Epoch]:
        """Learn to the end and return what each epoch came to.

        Parameters
        ----------
        after_step : callable
            Called with the share that is done, 0 to 1; may raise `Cancelled`.
        """
        self.head.train()
        for number in range(len(self.history) + 1, self.recipe.epochs + 1):
            # Each epoch has chance of its own, so that it is the same after a restart.
            rng = np.random.default_rng((self.recipe.seed, number))
            losses, ious = [], []
            batches = self._batches(number, rng)
            for done, batch in enumerate(batches):
                loss, iou = self._learn(batch, (number - 1 + done / len(batches)) / self.recipe.epochs, rng)
                losses.append(loss)
                ious.append(iou)
                after_step((number - 1 + (done + 1) / len(batches)) / self.recipe.epochs)
            self.history.append(Epoch(number, float(np.mean(losses)), float(np.mean(ious))))
            self._keep()
        self.head.eval()
        return self.history

    def _batches(self, number: int, rng: np.random.Generator) -> list[list[Lesson]]:
        """Return the lessons of an epoch, a batch all of one input side."""
        chosen = [self.lessons[one] for one in turn_of(number, len(self.lessons), self.recipe)]
        batches: list[list[Lesson]] = []
        for side in sorted({lesson.side for lesson in chosen}):
            same = [lesson for lesson in chosen if lesson.side == side]
            batches += [same[start : start + self.recipe.batch] for start in range(0, len(same), self.recipe.batch)]
        return [batches[index] for index in rng.permutation(len(batches))]

    def _learn(self, batch: list[Lesson], share: float, rng: np.random.Generator) -> tuple[float, float]:
        """Take one step, with so much done; return its loss, and the IoU of the best-scored masks after one prompt."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.rate * 0.5 * (1 + math.cos(math.pi * share))
        features = torch.from_numpy(np.stack([lesson.features for lesson in batch])).to(self._device).float()
        truth = torch.from_numpy(np.stack([lesson.truth for lesson in batch])).to(self._device).float()[:, None] / 255
        wanted = truth[:, 0].cpu().numpy() > 0.5
        inside = [lesson.inside_hw for lesson in batch]
        boxes = self._boxes(wanted, rng) if rng.random() < BOX_SHARE else None
        points = None if boxes is not None else self._first(wanted, rng)
        before, first, total = None, 0.0, torch.zeros((), device=self._device)
        rounds = 1 + int(rng.integers(self.recipe.rounds))
        for turn in range(rounds):
            logits, scores = self.head(features, batch[0].side, points=points, boxes=boxes, masks=before)
            total = total + loss_of(self.head, logits, scores, truth, inside)
            best = scores[:, 1:].argmax(1) + 1
            chosen = logits[torch.arange(len(batch)), best][:, None].detach()
            if turn == 0:
                first = float(true_iou(chosen, truth).mean())
            if turn + 1 < rounds:
                before = chosen
                points = self._further(points, (chosen[:, 0] > 0).cpu().numpy(), wanted, inside, rng)
        self._optimiser.zero_grad(set_to_none=True)
        (total / rounds).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self._optimiser.step()
        return float(total.detach()) / rounds, first

    def _first(self, wanted: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        places = [deep_place(one, rng) for one in wanted]
        return self._points([(column + 0.5, row + 0.5, 1) for row, column in places])

    def _further(
        self,
        points: tuple[Tensor, Tensor] | None,
        found: NDArray[np.bool_],
        wanted: NDArray[np.bool_],
        inside: list[tuple[int, int]],
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor]:
        clicks = [
            _on_the_rim(one[:rows, :columns], rng)
            if rng.random() < RIM_SHARE
            else correction(mask[:rows, :columns], one[:rows, :columns], rng)
            for mask, one, (rows, columns) in zip(found, wanted, inside, strict=True)
        ]
        places, labels = self._points(clicks)
        return (
            (places, labels)
            if points is None
            else (torch.cat([points[0], places], 1), torch.cat([points[1], labels], 1))
        )

    def _points(self, clicks: list[tuple[float, float, int]]) -> tuple[Tensor, Tensor]:
        """Return clicks on dots of the answer as places (B, 1, 2) in the input, and labels (B, 1)."""
        found = torch.tensor(clicks, dtype=torch.float32, device=self._device)
        return found[:, None, :2] * DOT, found[:, 2:].int()

    def _boxes(self, wanted: NDArray[np.bool_], rng: np.random.Generator) -> Tensor:
        boxes = []
        for one in wanted:
            box = DOT * np.array(box_of(one), np.float32)
            sides = np.tile(box[2:] - box[:2], 2)
            boxes.append(box + rng.normal(0, BOX_NOISE * sides).clip(-MOST_BOX_NOISE, MOST_BOX_NOISE))
        return torch.from_numpy(np.stack(boxes).astype(np.float32)).to(self._device)

    def _keep(self) -> None:
        """Keep where it stands, whole or not at all."""
        state = {
            "recipe": asdict(self.recipe),
            "lessons": len(self.lessons),
            "history": [asdict(epoch) for epoch in self.history],
            "head": self.head.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        part = self._file.with_name(f"epoch-{os.getpid()}.part")  # a process that lost the job may still write its own
        torch.save(state, part)
        part.replace(self._file)

    def _go_on(self, kept: dict[str, Any]) -> None:
        if kept.get("recipe") != asdict(self.recipe) or kept.get("lessons") != len(self.lessons):
            return  # of another run: begin anew
        self.head.load_state_dict(kept["head"])
        self._optimiser.load_state_dict(kept["optimiser"])
        self.history = [Epoch(**epoch) for epoch in kept["history"]]


def turn_of(number: int, count: int, recipe: Recipe) -> list[int]:
    """Return which of `count` lessons an epoch goes through.

    Lessons lie in one random order after another, and an epoch begins where the one before ended.
    """
    size = min(recipe.lessons, count)
    places = range((number - 1) * size, number * size)
    rounds = {place // count for place in places}
    orders = {one: np.random.default_rng((recipe.seed, 0, one)).permutation(count) for one in rounds}
    return [int(orders[place // count][place % count]) for place in places]


def _on_the_rim(truth: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float, int]:
    """Return a click (x, y, label) close to an object's outline, on either side of it.

    Who corrects a mask that is nearly right clicks there, within less than a dot of the answer: that must not undo it.
    """
    pixels = truth.astype(np.uint8)
    around = np.ones((3, 3), np.uint8)
    places = np.argwhere((cv2.dilate(pixels, around) > 0) & (cv2.erode(pixels, around, borderValue=0) == 0))
    row, column = places[int(rng.integers(len(places)))]
    return column + float(rng.random()), row + float(rng.random()), int(truth[row, column])


def loss_of(head: Head, logits: Tensor, scores: Tensor, truth: Tensor, inside: list[tuple[int, int]]) -> Tensor:
    """Return the loss of four masks (B, 4, h, w) and their scores (B, 4): of the closest candidate, and of mask 0.

    Padding counts as background that nobody looks at: it is left out.
    """
    valid = torch.zeros_like(truth)
    for one, (rows, columns) in enumerate(inside):
        valid[one, :, :rows, :columns] = 1
    both = FOCAL_WEIGHT * focal_loss(logits, truth, valid) + dice_loss(logits, truth, valid)
    masks = both[:, 1:].amin(1) + both[:, 0]
    actual = true_iou(torch.where(valid > 0, logits, -1.0), truth.expand_as(logits))
    return (masks + head.score_loss(scores, actual)).mean()
