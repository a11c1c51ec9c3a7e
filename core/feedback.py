"""What an annotator is told of their own work: how reviews went, week by week, and their commonest errors."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from core.auditing import is_good
from core.statistics import Interval, wilson
from core.workshop import Library
from storage import people, reviews
from storage.rows import ReviewRow

WEEKS: Final = 8
COMMONEST: Final = 3
EXAMPLES: Final = 4


@dataclass(frozen=True, slots=True)
class Week:
    """A week, from Monday on, and what reviewers found: verdicts, share of good masks, mean rating."""

    monday: datetime
    reviewed: int
    good: Interval
    rating: float | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """An error's code, on how many masks it was found, and the newest of them."""

    code: str
    count: int
    examples: tuple[ReviewRow, ...]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is told: the last weeks that had reviews, oldest first, and the commonest errors of all of them."""

    weeks: tuple[Week, ...]
    mistakes: tuple[Mistake, ...]


def everybody(library: Library) -> dict[int, str]:
    """Return the names of all people, by id."""
    with library.engines.reading() as session:
        return people.names(session=session)


def feedback(library: Library, person_id: int, *, today: datetime) -> Feedback:
    """Return what reviews of the last eight weeks say of a person's masks.

    A week's share leaves out masks that are to be fixed and are not yet. Intervals are Wilson's.
    """
    since = monday_of(today) - timedelta(weeks=WEEKS - 1)
    with library.engines.reading() as session:
        found = reviews.of_author(library.project_id, person_id, since=since, session=session)
    by_week: defaultdict[datetime, list[ReviewRow]] = defaultdict(list)
    by_code: defaultdict[str, list[ReviewRow]] = defaultdict(list)
    for one in found:
        by_week[monday_of(one.created_at)].append(one)
        for code in one.codes:
            by_code[code].append(one)
    counts = Counter({code: len({one.mask_id for one in some}) for code, some in by_code.items()})
    mistakes = (
        Mistake(code, count, tuple(by_code[code][: -EXAMPLES - 1 : -1]))
        for code, count in counts.most_common(COMMONEST)
    )
    return Feedback(tuple(_week(monday, by_week[monday]) for monday in sorted(by_week)), tuple(mistakes))


def monday_of(moment: datetime) -> datetime:
    """Return the midnight with which a moment's week began, in its own zone."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _week(monday: datetime, found: list[ReviewRow]) -> Week:
    settled = [good for good in (is_good(one.verdict, one.iou) for one in found) if good is not None]
    ratings = [one.rating for one in found if one.rating is not None]
    share = sum(settled) / len(settled) if settled else 0.0
    return Week(monday, len(found), wilson(share, len(settled)), float(np.mean(ratings)) if ratings else None)
