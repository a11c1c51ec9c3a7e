"""From objects to figures: means, their intervals, and how far predicted IoUs can be trusted."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.statistics import Floats, Interval, intervals, numbered, resamples
from core.training.outcomes import Outcome
from core.training.protocol import CLICKS, TARGETS, clicks_to

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Candidates whose predicted IoU lies from `start` up to, not including, `end` (1 belongs to the last bin).

    `predicted` and `actual` are the means of both IoUs; None in an empty bin.
    """

    start: float
    end: float
    count: int
    predicted: float | None
    actual: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """A segmenter's figures on a data set.

    Attributes
    ----------
    values : dict of str to float or None
        `iou_at_K`, `best3_at_K` (means; None where fewer clicks were allowed), `nocT`, `failuresT` (share of objects
        that never reached IoU T), `box_iou`, `box_best3`, `ece`, `ms_per_click` and `ms_per_encode` (medians),
        `ms_per_click_p95` and `ms_per_encode_p95`.
    intervals : dict of str to (float, float)
        The middle 95 % of each mean and of `ece` over bootstrap resamples of images; of times there are none.
    iou_by_click, best3_by_click : tuple of float
        Means after each of the first ten clicks.
    reliability : tuple of Bin
    objects, images : int
    """

    values: dict[str, float | None]
    intervals: dict[str, tuple[float, float]]
    iou_by_click: tuple[float, ...]
    best3_by_click: tuple[float, ...]
    reliability: tuple[Bin, ...]
    objects: int
    images: int


def score(outcomes: list[Outcome], *, max_clicks: int, seed: int) -> Scores:
    """Return the figures of at least one outcome.

    Intervals come from 2000 resamples, with replacement, of the *images* with all their objects: objects of one
    photo are alike, and drawing them one by one would claim too much. The same seed gives the same intervals.
    """
    columns = per_object(outcomes, max_clicks=max_clicks)
    names = list(columns)
    table = np.stack([columns[name] for name in names], axis=1)
    images = numbered([outcome.image for outcome in outcomes])
    rated = _binned(outcomes, images)
    means, eces = _resampled(table, rated, images, seed)
    values: dict[str, float | None] = {f"{kind}_at_{clicks}": None for kind in ("iou", "best3") for clicks in CLICKS}
    values |= {name: float(mean) for name, mean in zip(names, table.mean(axis=0), strict=True)}
    values["ece"] = float(_ece(rated.sum(axis=0)[None])[0])
    values |= _times("ms_per_click", [ms for outcome in outcomes for ms in outcome.click_ms])
    values |= _times("ms_per_encode", [outcome.encode_ms for outcome in outcomes if outcome.encode_ms is not None])
    bounds = np.percentile(np.concatenate([means, eces[:, None]], axis=1), [2.5, 97.5], axis=0)
    intervals = {name: (float(low), float(high)) for name, low, high in zip([*names, "ece"], *bounds, strict=True)}
    shown = min(CLICKS[-1], max_clicks)
    return Scores(
        values,
        intervals,
        tuple(_after_each([outcome.iou for outcome in outcomes], shown).mean(axis=0).tolist()),
        tuple(_after_each([outcome.best3 for outcome in outcomes], shown).mean(axis=0).tolist()),
        tuple(_curve(rated.sum(axis=0))),
        len(outcomes),
        int(images.max()) + 1,
    )


def differences(model: list[Outcome], baseline: list[Outcome], *, max_clicks: int, seed: int) -> dict[str, Interval]:
    """Return for each mean how much more the model has than the baseline on the same objects, and the middle 95 %.

    The resamples are of images, the same ones for both (a paired bootstrap): what is hard for both does not blur the
    difference.
    """
    if [outcome.object for outcome in model] != [outcome.object for outcome in baseline]:
        raise ValueError("both must be outcomes of the same objects in the same order")
    ours, theirs = (per_object(outcomes, max_clicks=max_clicks) for outcomes in (model, baseline))
    table = np.stack([ours[name] - theirs[name] for name in ours], axis=1)
    found = intervals(table, [outcome.image for outcome in model], seed=seed)
    return dict(zip(ours, found, strict=True))


def per_object(outcomes: list[Outcome], *, max_clicks: int) -> dict[str, Floats]:
    """Return each figure that is a mean over objects, as one array of shape (objects,)."""
    iou = _after_each([outcome.iou for outcome in outcomes], max_clicks)
    best3 = _after_each([outcome.best3 for outcome in outcomes], max_clicks)
    columns: dict[str, Floats] = {}
    for clicks in CLICKS:
        if clicks <= max_clicks:
            columns[f"iou_at_{clicks}"] = iou[:, clicks - 1]
            columns[f"best3_at_{clicks}"] = best3[:, clicks - 1]
    for target in TARGETS:
        name = f"{target * 100:.0f}"
        columns[f"noc{name}"] = np.array([clicks_to(target, outcome.iou, max_clicks) for outcome in outcomes], float)
        columns[f"failures{name}"] = np.array([max(outcome.iou) < target for outcome in outcomes], float)
    columns["box_iou"] = np.array([outcome.box_iou for outcome in outcomes])
    columns["box_best3"] = np.array([outcome.box_best3 for outcome in outcomes])
    return columns


def expected_calibration_error(predicted: Floats, actual: Floats) -> float:
    """Return how far predicted IoUs lie from IoUs: the mean over ten bins, weighted by their counts.

    Bins are tenths of the predicted IoU; of each the difference of the means counts (Guo et al., "On Calibration of
    Modern Neural Networks", 2017, with IoU in the place of accuracy). 0 without any prediction.

    Examples
    --------
    >>> round(expected_calibration_error(np.array([0.91, 0.97, 0.25, 0.21]), np.array([1.0, 0.5, 0.2, 0.1])), 3)
    0.135
    """
    return float(_ece(_sums(predicted, actual)[None])[0])


def _after_each(traces: list[tuple[float, ...]], clicks: int) -> Floats:
    """Return the values after each click, shape (objects, clicks); a trace that ended goes on with its last value."""
    return np.array([(trace + trace[-1:] * clicks)[:clicks] for trace in traces], float)


def _sums(predicted: Floats, actual: Floats) -> Floats:
    """Return of each bin the count, the sum of predicted IoUs and the sum of IoUs, shape (10, 3)."""
    bins = np.clip((predicted * BINS).astype(int), 0, BINS - 1)
    weights = (None, predicted, actual)
    return np.stack([np.bincount(bins, weight, minlength=BINS).astype(float) for weight in weights], axis=1)


def _binned(outcomes: list[Outcome], images: NDArray[np.intp]) -> Floats:
    """Return the bins' sums of each image, shape (images, 10, 3)."""
    binned = np.zeros((int(images.max()) + 1, BINS, 3))
    for outcome, image in zip(outcomes, images, strict=True):
        pairs = np.array(outcome.predictions, float).reshape(-1, 2)
        binned[image] += _sums(pairs[:, 0], pairs[:, 1])
    return binned


def _ece(sums: Floats) -> Floats:
    """Return the calibration error of each of N sums of bins, shape (N, 10, 3)."""
    total = np.maximum(sums[..., 0].sum(axis=-1), 1)
    errors: Floats = np.abs(sums[..., 1] - sums[..., 2]).sum(axis=-1) / total
    return errors


def _curve(sums: Floats) -> list[Bin]:
    bins = []
    for number, (count, predicted, actual) in enumerate(sums.tolist()):
        means = (predicted / count, actual / count) if count else (None, None)
        bins.append(Bin(number / BINS, (number + 1) / BINS, int(count), *means))
    return bins


def _resampled(table: Floats, rated: Floats, images: NDArray[np.intp], seed: int) -> tuple[Floats, Floats]:
    """Return the means of each resample, shape (2000, figures), and its calibration errors, shape (2000,)."""
    count = int(images.max()) + 1
    sums = np.zeros((count, table.shape[1]))
    np.add.at(sums, images, table)
    objects = np.bincount(images, minlength=count)
    flat = rated.reshape(count, -1)
    means, eces = [], []
    for weights in resamples(count, seed):
        means.append(weights @ sums / (weights @ objects)[:, None])
        eces.append(_ece((weights @ flat).reshape(-1, BINS, 3)))
    return np.concatenate(means), np.concatenate(eces)


def _times(name: str, milliseconds: list[Any]) -> dict[str, float | None]:
    if not milliseconds:
        return {name: None, f"{name}_p95": None}
    median, high = np.percentile(np.array(milliseconds, float), [50, 95])
    return {name: float(median), f"{name}_p95": float(high)}
