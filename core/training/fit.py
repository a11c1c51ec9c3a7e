"""Training the starter: scenes made beside it, rounds of clicks answered and corrected, an average of weights kept."""

import contextlib
import copy
import json
import logging
import math
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.segmentation.starter import put_weights
from core.segmentation.starter_network import PromptEncoder, build_starter
from core.training.episodes import Practice, correction, practice
from core.training.losses import closest_loss, mask_loss, nesting_loss, true_iou
from core.training.materials import Materials
from core.training.scenes import Scene, SceneMaker

log = logging.getLogger(__name__)
ROUNDS = (0.4, 0.35, 0.25)
BOX_SHARE = 0.12
CLOSEST_WEIGHT = 0.4
POOL = 3000
"""Scenes kept to be seen again in other views: making one takes as long as learning from it. Makers wait when
there are so many and one has not been taken."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training.

    Attributes
    ----------
    sides : tuple of int
        Input sides, one of which is drawn for each step.
    images : int
        Images a step at the smallest side; at larger ones half as many at twice the side.
    minutes : float
    first_rate, last_rate : float
        The learning rate it begins and ends with.
    """

    sides: tuple[int, ...]
    images: int
    minutes: float
    first_rate: float
    last_rate: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How the starter is trained.

    Attributes
    ----------
    phases : sequence of Phase
    objects : int
        First clicks an image.
    seed : int
        Of scenes, weights and order. Minutes are of a clock, so two machines do not take the same steps.
    makers : int
        Processes that make scenes.
    """

    phases: tuple[Phase, ...]
    objects: int = 3
    seed: int = 0
    makers: int = 1


def plan_of(minutes: float, *, seed: int = 0, goes_on: bool = False) -> Plan:
    """Return a plan for so many minutes: small pictures first, which teach most for their cost, then larger ones.

    Parameters
    ----------
    goes_on : bool
        Whether it starts from trained weights, which need no small pictures and a gentler rate.
    """
    if goes_on:
        return Plan((Phase((256,), 6, 0.7 * minutes, 9e-4, 3e-4), _last(0.3 * minutes)), seed=seed)
    first = Phase((128,), 12, 0.3 * minutes, 3e-3, 2e-3)
    return Plan((first, Phase((256,), 6, 0.5 * minutes, 1.5e-3, 3e-4), _last(0.2 * minutes)), seed=seed)


def _last(minutes: float) -> Phase:
    """Return the last phase, at the sides at which the app looks: at the whole photo, and closely."""
    return Phase((256, 512), 6, minutes, 3e-4, 1e-5)


class Trainer:
    """Learns from scenes, and keeps a moving average of what it has learnt.

    Parameters
    ----------
    plan : Plan
    materials : Materials
    out : Path
        Where the average's weights are written every few minutes (starter.pt) with what was done (training.json).
    """

    def __init__(self, plan: Plan, materials: Materials, out: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.out = out
        self.rng = np.random.default_rng(plan.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network: Any = build_starter(plan.phases[0].sides[0]).to(self.device)
        self.average: Any = copy.deepcopy(self.network)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), plan.phases[0].first_rate, weight_decay=0.02)
        self.steps = self.images = 0
        self.history: list[dict[str, float]] = []
        self.materials = {
            "cutouts": len(materials.cutouts),
            "photos": len(materials.photos),
            "known": len(materials.known),
        }
        self._scenes = _Scenes(plan, materials)

    def run(self, report: Callable[[str], None] = log.info) -> Path:
        """Train all phases and return the weights' file."""
        self.out.mkdir(parents=True, exist_ok=True)
        try:
            for phase in self.plan.phases:
                self._run_phase(phase, report)
        finally:
            self.close()
        return self.save()

    def close(self) -> None:
        """Stop making scenes."""
        self._scenes.close()

    def save(self) -> Path:
        """Write the average's weights in half precision, whole or not at all, and what was done."""
        path = self.out / "starter.pt"
        weights = {name: _halved(value) for name, value in self.average.state_dict().items()}
        torch.save(weights, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        done = {
            "plan": asdict(self.plan),
            "materials": self.materials,
            "steps": self.steps,
            "images": self.images,
            "history": self.history,
        }
        (self.out / "training.json").write_text(json.dumps(done, indent=1), encoding="utf-8")
        return path

    def load(self, path: Path) -> None:
        """Go on from weights.

        Raises
        ------
        ModelUnavailable
            If the file is missing, damaged, or holds others.
        """
        for network in (self.network, self.average):
            put_weights(network, path)

    def _run_phase(self, phase: Phase, report: Callable[[str], None]) -> None:
        begun = told = saved = time.monotonic()
        sums: dict[str, list[float]] = {}
        while (gone := (time.monotonic() - begun) / 60) < phase.minutes:
            share = gone / phase.minutes
            rate = phase.last_rate + (phase.first_rate - phase.last_rate) * 0.5 * (1 + math.cos(math.pi * share))
            rate *= min(1.0, (self.steps + 1) / 150)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            side = int(self.rng.choice(phase.sides))
            self._resize(side)
            images = max(1, phase.images * min(phase.sides) // side)
            batch = self._scenes.batch(images, side, self.plan.objects, self.rng)
            for name, value in self._step(batch).items():
                sums.setdefault(name, []).append(value)
            now = time.monotonic()
            if now - told > 30:
                told = now
                means = {name: round(float(np.mean(values)), 4) for name, values in sums.items()}
                self.history.append({"steps": self.steps, "side": max(phase.sides), **means})
                report(f"{max(phase.sides)} px, {gone:.1f} min, step {self.steps}, {self.images} images: {means}")
                sums = {}
            if now - saved > 180:
                saved = now
                self.save()

    def _resize(self, side: int) -> None:
        """Let both networks take another input side; no weight depends on it."""
        if self.network.image_encoder.img_size == side:
            return
        for network in (self.network, self.average):
            network.prompt_encoder = PromptEncoder(side).to(self.device)
            network.image_encoder.img_size = side

    def _step(self, batch: list[Practice]) -> dict[str, float]:
        network = self.network.train()
        images = torch.from_numpy(np.stack([one.image for one in batch])).to(self.device).permute(0, 3, 1, 2).float()
        valid = torch.from_numpy(np.stack([one.valid for one in batch])).to(self.device)[:, None]
        answers = torch.from_numpy(np.concatenate([one.answers for one in batch])).to(self.device).float()
        meant = torch.from_numpy(np.concatenate([one.meant for one in batch])).to(self.device)
        clicks = torch.from_numpy(np.concatenate([one.clicks for one in batch])).to(self.device)
        side = images.shape[-1]
        pixels = ((images - network.pixel_mean) / network.pixel_std) * valid
        embedding = network.image_encoder(pixels.contiguous(memory_format=torch.channels_last))
        truth = functional.interpolate(answers, size=(side // 4, side // 4), mode="area")
        target = truth[torch.arange(len(meant)), meant][:, None]
        points, labels = clicks[:, None], torch.ones(len(clicks), 1, device=self.device)
        boxes = self._boxes(answers, meant) if self.rng.random() < BOX_SHARE else None
        rounds = 1 if boxes is not None else 1 + int(self.rng.choice(len(ROUNDS), p=ROUNDS))
        before, total, told = None, torch.zeros((), device=self.device), {}
        for turn in range(rounds):
            given = None if boxes is not None else (points, labels)
            sparse, maps = network.prompt_encoder(points=given, boxes=boxes, masks=before)
            masks, scores = network.mask_decoder.predict(embedding, sparse, maps)
            iou = true_iou(masks, target.expand_as(masks))
            if turn == 0 and boxes is None:
                wanted = torch.cat([target, truth], 1)
                levels = mask_loss(masks, wanted)
                loss = levels.mean() + 0.1 * nesting_loss(masks[:, 1:]).mean()
                loss = loss + CLOSEST_WEIGHT * closest_loss(masks[:, 1:], target).mean()
                told["whole"] = float(true_iou(masks[:, 3:], truth[:, 2:]).mean())
                told["best3"] = float(iou[:, 1:].amax(1).mean())
            else:
                loss = mask_loss(masks, target.expand_as(masks)).mean()
            total = total + loss + functional.binary_cross_entropy_with_logits(scores, iou)
            best = scores[:, 1:].argmax(1) + 1
            told[f"iou{turn + 1}" if boxes is None else "box"] = float(iou.gather(1, best[:, None]).mean())
            if turn + 1 < rounds:
                before = masks[torch.arange(len(best)), best][:, None].detach()
                points, labels = self._corrected(points, labels, before, answers, meant)
                if self.rng.random() < 0.1:
                    before = None
        total = total / rounds
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        self.optimiser.step()
        self._average()
        self.steps += 1
        self.images += len(batch)
        return {"loss": float(total.detach()), **told}

    def _boxes(self, answers: Tensor, meant: Tensor) -> Tensor:
        """Return a box around each object that is meant, with corners as inexact as a hand's."""
        boxes = []
        for one, level in zip(answers.cpu().numpy(), meant.cpu().numpy(), strict=True):
            rows, columns = np.nonzero(one[level] > 0.5)
            box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
            spread = 0.05 * max(box[2] - box[0], box[3] - box[1])
            boxes.append(box + self.rng.normal(0, spread, 4))
        return torch.from_numpy(np.stack(boxes).astype(np.float32)).to(self.device)

    def _corrected(
        self, points: Tensor, labels: Tensor, before: Tensor, answers: Tensor, meant: Tensor
    ) -> tuple[Tensor, Tensor]:
        side = answers.shape[-1]
        masks = functional.interpolate(before, size=(side, side), mode="bilinear", align_corners=False)[:, 0] > 0
        clicks = [
            correction(mask, one[level] > 0.5, self.rng)
            for mask, one, level in zip(masks.cpu().numpy(), answers.cpu().numpy(), meant.cpu().numpy(), strict=True)
        ]
        found = torch.tensor(clicks, dtype=torch.float32, device=self.device)
        return torch.cat([points, found[:, None, :2]], 1), torch.cat([labels, found[:, 2:]], 1)

    def _average(self) -> None:
        """Move the average towards the weights; early on quickly, else it would hold the untrained ones for long."""
        keep = min(0.998, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
                if kept.dtype.is_floating_point:
                    kept.lerp_(new, 1 - keep)
                else:
                    kept.copy_(new)


def _halved(value: Tensor) -> Tensor:
    """Return values in half precision, or as they are where it cannot hold them: variances grow beyond 65504."""
    fits = value.dtype.is_floating_point and bool((value.abs() < torch.finfo(torch.half).max).all())
    return value.half() if fits else value


class _Scenes:
    """A pool of scenes that other processes fill, and views of them."""

    def __init__(self, plan: Plan, materials: Materials) -> None:
        side = max(side for phase in plan.phases for side in phase.sides)
        context = multiprocessing.get_context("fork")
        self._queue: Any = context.Queue(64)
        self._pool: list[Scene] = []
        self._next = 0
        self._makers = [
            context.Process(
                target=_make, args=(materials, plan.seed + 1000 * (number + 1), side, self._queue), daemon=True
            )
            for number in range(plan.makers)
        ]
        for maker in self._makers:
            maker.start()

    def batch(self, images: int, side: int, objects: int, rng: np.random.Generator) -> list[Practice]:
        self._take(images)
        found: list[Practice] = []
        while len(found) < images:
            one = practice(self._pool[int(rng.integers(len(self._pool)))], side=side, objects=objects, rng=rng)
            if one is not None:
                found.append(one)
        return found

    def _take(self, least: int) -> None:
        """Take what has been made, one at a time once there are many; wait only while there are too few to begin."""
        while len(self._pool) < POOL:
            try:
                few = len(self._pool) < 2 * least
                self._pool.append(self._queue.get(timeout=60) if few else self._queue.get_nowait())
            except Empty:
                return
        with contextlib.suppress(Empty):
            self._pool[self._next] = self._queue.get_nowait()
            self._next = (self._next + 1) % POOL

    def close(self) -> None:
        for maker in self._makers:
            maker.terminate()
            maker.join()


def _make(materials: Materials, seed: int, side: int, queue: Any) -> None:
    os.nice(5)
    torch.set_num_threads(1)
    maker = SceneMaker(materials, seed)
    while True:
        queue.put(maker.make(side))
