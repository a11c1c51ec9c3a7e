"""Is the library annotated evenly, and which image comes next: clusters and shares, kept with the surveys."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from core.project_settings import AS_IMPORTED, MOST_LEFT, ProjectSettings
from core.quality.balance import (
    Candidate,
    Clusters,
    Share,
    Vectors,
    cluster_count,
    clustered,
    most_left_first,
    next_order,
    represented,
)
from core.quality.coverage import BANDS
from core.workshop import Library
from storage import images, projects, settings_store, surveys
from storage.engine import Session
from storage.rows import ImageRow, StandingRow, SurveyTotals
from storage.types import now

MOST_FITTED: Final = 5000
"""Vectors that clusters are computed from; all are put into one of them."""
SAMPLES: Final = 4


@dataclass(frozen=True, slots=True)
class Cluster:
    """Images that look alike: how many there are, the masks on them, and how they are represented."""

    number: int
    images: int
    masks: int
    share: Share


@dataclass(frozen=True, slots=True)
class Group:
    """Objects of one size band or field: how many have a mask, how many are left by the model's guess."""

    masks: int
    left: int
    share: Share


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """How the surveyed images and their objects are represented, when it was computed.

    `bands` are small, middling and large objects, `places` the nine fields of a photo, row by row.
    """

    made_at: datetime
    clusters: tuple[Cluster, ...]
    bands: tuple[Group, ...]
    places: tuple[Group, ...]


def arrange(library: Library) -> BalanceReport:
    """Divide the surveyed images into clusters, say how each is represented, and order what comes next.

    All is computed of one state of the library, before the one transaction that keeps it: nobody who works waits
    meanwhile, and what they do counts the next time. Memory holds the vectors of 5,000 images at most, and a few
    numbers of each image.
    """
    project = library.project_id
    with library.engines.reading() as session:
        encoder = surveys.newest_encoder(project, session=session)
        belongs = [] if encoder is None else _belongings(library, encoder, session)
        cluster_of = dict(belongs)
        standing = [
            replace(one, cluster=cluster_of.get(one.survey_id, one.cluster))
            for one in surveys.standings(project, session=session)
        ]
        report = _report(project, standing, session)
        order = _order_of(project, session)
    ranked = _ranked(standing, order)
    with library.engines.writing() as session:
        surveys.set_clusters(belongs, session=session)
        settings_store.put(_key(library), _document(report), session=session)
        if (chosen := _order_of(project, session)) == order:
            images.set_places(project, ranked, session=session)
        else:  # somebody chose another order meanwhile
            reorder(project, chosen, session=session)
    return report


def reorder(project_id: int, order: str, *, session: Session) -> None:
    """Give the project's surveyed images their places as the setting `next_order` says; clusters stay as they are.

    Images that are done have no place of their own, and those without a survey neither: they follow as imported.
    """
    standing = [] if order == AS_IMPORTED else surveys.standings(project_id, session=session)
    images.set_places(project_id, _ranked(standing, order), session=session)


def _order_of(project_id: int, session: Session) -> str:
    return ProjectSettings.from_json(projects.get(project_id, session=session).settings).next_order


def _ranked(standing: list[StandingRow], order: str) -> list[int]:
    """Return the images that have a place of their own, in order."""
    if order == AS_IMPORTED:
        return []
    waiting = {one.image_id: one for one in standing if not one.is_done}
    if order == MOST_LEFT:
        return most_left_first(Candidate(one.image_id, 0, one.left_over) for one in waiting.values())
    return _evening_out(standing, waiting)


def _evening_out(standing: list[StandingRow], waiting: dict[int, StandingRow]) -> list[int]:
    """Return images without masks so that clusters come evenly; then those begun, most left first."""
    known = [one for one in standing if one.cluster is not None]
    count = 1 + max((one.cluster or 0 for one in known), default=0)
    sizes, annotated = Counter(one.cluster for one in known), Counter(one.cluster for one in known if _is_begun(one))
    fresh = [one for one in known if one.image_id in waiting and not _is_begun(one)]
    begun = [one for one in waiting.values() if _is_begun(one)]
    return [
        *next_order(
            (Candidate(one.image_id, one.cluster or 0, one.left_over) for one in fresh),
            [sizes[number] for number in range(count)],
            [annotated[number] for number in range(count)],
        ),
        *most_left_first(Candidate(one.image_id, 0, one.left_over) for one in begun),
    ]


def _is_begun(one: StandingRow) -> bool:
    """Return whether an image counts as annotated."""
    return one.is_done or one.masks > 0


def _belongings(library: Library, encoder: str, session: Session) -> list[tuple[int, int | None]]:
    """Return the cluster of each surveyed image that has a vector of this encoder, by the survey's id."""
    total = sum(len(page) for page in surveys.summaries(library.project_id, encoder, session=session))
    every = -(-total // MOST_FITTED)
    sample: list[bytes] = []
    seen = 0
    for page in surveys.summaries(library.project_id, encoder, session=session):
        sample += [vector for place, (_, vector) in enumerate(page, start=seen) if place % every == 0]
        seen += len(page)
    if not sample:
        return []
    found = clustered(_vectors(sample), cluster_count(total))
    belongs: list[tuple[int, int | None]] = []
    for page in surveys.summaries(library.project_id, encoder, session=session):
        belongs += _nearest(found, page)
    return belongs


def _nearest(found: Clusters, page: Sequence[tuple[int, bytes]]) -> list[tuple[int, int | None]]:
    numbers = found.nearest(_vectors([vector for _, vector in page]))
    return [(survey_id, int(number)) for (survey_id, _), number in zip(page, numbers, strict=True)]


def _vectors(kept: Sequence[bytes]) -> Vectors:
    return np.stack([np.frombuffer(one, "<f2") for one in kept]).astype(np.float32)


def _report(project: int, standing: list[StandingRow], session: Session) -> BalanceReport:
    known = [one for one in standing if one.cluster is not None]
    numbers = sorted({one.cluster for one in known if one.cluster is not None})
    sizes = [sum(one.cluster == number for one in known) for number in numbers]
    annotated = [sum(one.cluster == number and _is_begun(one) for one in known) for number in numbers]
    masks = [sum(one.masks for one in known if one.cluster == number) for number in numbers]
    shares = represented(annotated, sizes)
    clusters = tuple(map(Cluster, numbers, sizes, masks, shares))
    drawn = surveys.mask_spread(project, BANDS, session=session)
    left_bands, left_places = np.zeros(3, int), np.zeros(9, int)
    for spread in surveys.spreads(project, session=session):
        left_bands += spread["bands"]
        left_places += spread["places"]
    by_band = [sum(one.masks for one in drawn if one.band == index) for index in range(3)]
    by_place = [sum(one.masks for one in drawn if one.place == index) for index in range(9)]
    return BalanceReport(
        now(), clusters, _groups(by_band, left_bands.tolist()), _groups(by_place, left_places.tolist())
    )


def _groups(masks: list[int], left: list[int]) -> tuple[Group, ...]:
    """Return groups of objects; a group should have as large a part of the masks as of all objects known or guessed."""
    shares = represented(masks, [drawn + guessed for drawn, guessed in zip(masks, left, strict=True)])
    return tuple(map(Group, masks, left, shares))


def newest(library: Library) -> BalanceReport | None:
    """Return the report that was computed last, or None."""
    with library.engines.reading() as session:
        kept = settings_store.get(_key(library), session=session)
    return None if kept is None else _read(kept)


def totals(library: Library) -> SurveyTotals:
    """Return how much of the library is surveyed, and what is left on it in all."""
    with library.engines.reading() as session:
        return surveys.totals(library.project_id, session=session)


def samples(library: Library, cluster: int) -> list[ImageRow]:
    """Return a few images of a cluster."""
    with library.engines.reading() as session:
        ids = surveys.of_cluster(library.project_id, cluster, session=session, limit=SAMPLES)
        return images.some(ids, session=session)


def _key(library: Library) -> str:
    return f"balance-{library.project_id}"


def _document(report: BalanceReport) -> dict[str, Any]:
    return {**asdict(report), "made_at": report.made_at.isoformat()}


def _read(kept: dict[str, Any]) -> BalanceReport:
    return BalanceReport(
        datetime.fromisoformat(kept["made_at"]),
        tuple(Cluster(**{**one, "share": Share(**one["share"])}) for one in kept["clusters"]),
        tuple(Group(**{**one, "share": Share(**one["share"])}) for one in kept["bands"]),
        tuple(Group(**{**one, "share": Share(**one["share"])}) for one in kept["places"]),
    )
