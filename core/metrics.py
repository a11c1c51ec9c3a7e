"""The figures of the Metrics page, each with its definition; all but quality come from counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeVar

import numpy as np

from core.statistics import Interval, ratio_of_means
from core.workshop import Library
from storage import images, masks, model_versions, people, surveys, tallies
from storage.narrowing import MaskRanges, Narrow
from storage.rows import MaskRow, Progress
from storage.tallies import Tallies
from storage.tally_sums import CENTRES, FLAGS, Ints

K = TypeVar("K", int, date)
TIMES: Final = ("waiting", "thinking", "prompting", "painting")
BANDS: Final = (10, 30)
"""Seconds at which a mask begins to be of medium and of complex effort."""
LEAST: Final = 5
"""Fewer masks are told as a number, not drawn."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the figures are of: days (both included), people, model versions; nothing chosen means all."""

    since: date | None = None
    until: date | None = None
    people: tuple[int, ...] = ()
    versions: tuple[int, ...] = ()

    def narrow(self) -> Narrow:
        """Return it as queries take it: days begin and end at midnight, UTC."""
        since = None if self.since is None else datetime.combine(self.since, time(), UTC)
        until = None if self.until is None else datetime.combine(self.until + timedelta(days=1), time(), UTC)
        return Narrow(since, until, self.people, self.versions)

    def before(self) -> "Chosen":
        """Return the period as long as this one that ends the day before it; itself, if it has no beginning or end."""
        if self.since is None or self.until is None:
            return self
        length = self.until - self.since + timedelta(days=1)
        return Chosen(self.since - length, self.since - timedelta(days=1), self.people, self.versions)


@dataclass(frozen=True, slots=True)
class Effort:
    """What masks took.

    Attributes
    ----------
    masks, assisted, by_hand : int
    seconds : dict of str to float
        Mean active seconds of an assisted mask that went into waiting, thinking, prompting and painting.
    median : float, optional
        Of active seconds of assisted masks, to the second; 60 stands for a minute or more.
    prompts : float
        A mask with a model's help, mean.
    unchanged, edited : float
        Shares: of assisted masks, the first candidate after one prompt, not painted on; of all, painted on.
    easy, medium, complex : int
        Masks below 10, from 10 to 30, and from 30 seconds on.
    """

    masks: int
    assisted: int
    by_hand: int
    seconds: dict[str, float]
    median: float | None
    prompts: float
    unchanged: float
    edited: float
    easy: int
    medium: int
    complex: int

    @property
    def active(self) -> float:
        """Mean active seconds of an assisted mask."""
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class SpeedUps:
    """How many times longer a mask takes by hand than with a model's help: means of active time, with 95 % intervals.

    Attributes
    ----------
    overall : Interval
    by_version : dict of int to Interval
        Of those with enough masks, 0 for none.
    by_chance : bool
        Whether only objects are compared that chance has assigned to be made by hand, or not.
    by_hand, assisted : int
        How many masks are compared.
    """

    overall: Interval
    by_version: dict[int, Interval]
    by_chance: bool
    by_hand: int
    assisted: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures that come from counters.

    Attributes
    ----------
    progress : Progress
        Of the whole library, whatever was chosen.
    per_image : dict of int to int
        Images by their number of live masks, likewise.
    surveyed, coverage : int, float
        Images that have a survey, and their mean coverage score: masks as a share of masks and what is left.
    days : dict of date to int
        Masks a day.
    shares : tuple of int
        Masks below 1 %, from 1 to 10 %, and from 10 % of their image on.
    sizes, predicted, concavity : ndarray of int
        Histograms over [0, 1]: sqrt(area / image area), predicted IoU, concavity.
    centres : ndarray of int, shape (12, 12)
    flags : dict of str to tuple of int
        Of each check that said something: how many are open, fixed and kept.
    speed_ups : SpeedUps, optional
    """

    progress: Progress
    per_image: dict[int, int]
    surveyed: int
    coverage: float
    days: dict[date, int]
    shares: tuple[int, int, int]
    sizes: Ints
    predicted: Ints
    concavity: Ints
    centres: Ints
    effort: Effort
    flags: dict[str, tuple[int, int, int]]
    speed_ups: SpeedUps | None
    by_person: dict[int, Effort]
    by_version: dict[int, Effort]
    by_week: dict[date, Effort]


def figures(library: Library, chosen: Chosen) -> Figures:
    """Return the figures of what was chosen. Cost: counters' rows, and one look at the images' own counts."""
    with library.engines.reading() as session:
        counted = tallies.read(
            library.project_id,
            session=session,
            since=chosen.since,
            until=chosen.until,
            people=chosen.people,
            versions=chosen.versions,
        )
        progress = images.progress(library.project_id, session=session)
        per_image = tallies.per_image(library.project_id, session=session)
        surveyed, coverage = surveys.coverage(library.project_id, session=session)
    days: dict[date, int] = {}
    for day, made in zip(counted.days, counted.of("masks")[:, 0].tolist(), strict=True):
        days[day] = days.get(day, 0) + made
    low, middle, high = (int(value) for value in counted.of("shares").sum(axis=0))
    return Figures(
        progress=progress,
        per_image=per_image,
        surveyed=surveyed,
        coverage=coverage,
        days=days,
        shares=(low, middle, high),
        sizes=counted.of("sizes").sum(axis=0),
        predicted=counted.of("predicted").sum(axis=0),
        concavity=counted.of("concavity").sum(axis=0),
        centres=counted.of("centres").sum(axis=0).reshape(CENTRES, CENTRES),
        effort=effort(counted),
        flags=_flags(counted),
        speed_ups=speed_ups(counted),
        by_person=_split(counted, counted.people.tolist()),
        by_version=_split(counted, counted.versions.tolist()),
        by_week=_split(counted, [monday(day) for day in counted.days]),
    )


def _flags(counted: Tallies) -> dict[str, tuple[int, int, int]]:
    opened, fixed, kept = (counted.of(f"flags_{answer}").sum(axis=0).tolist() for answer in ("open", "fixed", "kept"))
    said = zip(FLAGS, zip(opened, fixed, kept, strict=True), strict=True)
    return {name: answers for name, answers in said if any(answers)}


def monday(day: date) -> date:
    """Return the first day of a week."""
    return day - timedelta(days=day.weekday())


def _split(counted: Tallies, keys: Sequence[K]) -> dict[K, Effort]:
    """Return the effort of the rows of each key, in the keys' order."""
    wanted = {key: np.array([one == key for one in keys]) for key in dict.fromkeys(sorted(keys))}
    found = {key: effort(counted.chosen(rows)) for key, rows in wanted.items()}
    return {key: one for key, one in found.items() if one.masks}


def effort(counted: Tallies) -> Effort:
    """Return what the masks of some counters took."""
    total = counted.sum
    assisted, by_hand = total("prompted"), total("by_hand")
    bins = counted.of("assisted_seconds").sum(axis=0)
    ms = {kind: total(f"{kind}_ms") for kind in TIMES}
    return Effort(
        masks=total("masks"),
        assisted=assisted,
        by_hand=by_hand,
        seconds={kind: spent / 1e3 / assisted if assisted else 0.0 for kind, spent in ms.items()},
        median=float(np.searchsorted(np.cumsum(bins), bins.sum() / 2)) if assisted else None,
        prompts=total("prompts") / assisted if assisted else 0.0,
        unchanged=total("unchanged") / assisted if assisted else 0.0,
        edited=total("edited") / total("masks") if total("masks") else 0.0,
        easy=int(bins[: BANDS[0]].sum()),
        medium=int(bins[BANDS[0] : BANDS[1]].sum()),
        complex=int(bins[BANDS[1] :].sum()),
    )


def speed_ups(counted: Tallies) -> SpeedUps | None:
    """Return how many times longer a mask takes by hand; None below 5 masks of either kind.

    If chance has assigned that many of either kind, those alone are compared, as otherwise whoever outlines the hard
    objects by hand makes the number larger.
    """
    by_chance = min(counted.sum("assigned_by_hand"), counted.sum("assigned_model")) >= LEAST
    by_hand, assisted = ("assigned_by_hand", "assigned_model") if by_chance else ("by_hand", "assisted")

    def spent(of: Tallies, kind: str) -> tuple[int, float, int]:
        count = of.sum("prompted" if kind == "assisted" else kind)
        kinds = [f"{part}_ms" for part in TIMES] if kind == "assisted" else [f"{kind}_ms"]
        return count, sum(of.sum(one) for one in kinds) / 10, of.sum(f"{kind}_cs2")

    baseline, helped = spent(counted, by_hand), spent(counted, assisted)
    if min(baseline[0], helped[0]) < LEAST or (found := ratio_of_means(baseline, helped)) is None:
        return None
    of_version = {
        int(version): spent(counted.chosen(counted.versions == version), assisted)
        for version in np.unique(counted.versions)
    }
    ratios = {version: ratio_of_means(baseline, of) for version, of in of_version.items() if of[0] >= LEAST}
    return SpeedUps(found, {version: one for version, one in ratios.items() if one}, by_chance, baseline[0], helped[0])


def versions(library: Library) -> list[int]:
    """Return the model versions there are, by id."""
    with library.engines.reading() as session:
        return [row.id for row in model_versions.every(session=session)]


def names(library: Library) -> dict[int, str]:
    """Return everybody's name, by id."""
    with library.engines.reading() as session:
        return people.names(session=session)


def behind(library: Library, chosen: Chosen, ranges: MaskRanges, *, limit: int) -> list[MaskRow]:
    """Return the newest masks behind a bar of what was chosen."""
    with library.engines.reading() as session:
        ids = masks.behind(library.project_id, by=chosen.narrow(), ranges=ranges, session=session, limit=limit)
        return [masks.get(mask_id, session=session) for mask_id in ids]
