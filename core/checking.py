"""Going over a library with every check, and what annotators made of what checks said."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core import auditing
from core import masks as pixels
from core.crew.alone import Alone
from core.crew.protocol import Crew
from core.mask_rows import rle_of
from core.masks import Rle
from core.paging import by_page
from core.projects import settings
from core.proposals import ORIGIN
from core.quality.checks import LIBRARY_CHECKS, ExistingMask, Flag, Limits, Prediction, validate_mask
from core.segmentation.catalogue import CHECKPOINTS
from core.workshop import Library
from storage import flags, images, masks, model_versions
from storage.rows import AnswersRow, FlagRow, MaskRow, NewFlag

Progress = Callable[[int, int], None]
Key = tuple[str, int | None]
_PAGE: Final = 500
OURS: Final = frozenset(("empty", *LIBRARY_CHECKS))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many flags of a name and severity there are."""

    name: str
    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What going over a library came to.

    Attributes
    ----------
    images, masks : int
        How many were looked at.
    flagged_images, flagged_masks : int
        How many of them have a flag that counts.
    added, removed : int
        Flags that were not known yet, and open ones that no longer hold.
    tallies : tuple of Tally
        Flags that count, most frequent first.
    """

    images: int
    masks: int
    flagged_images: int
    flagged_masks: int
    added: int
    removed: int
    tallies: tuple[Tally, ...]

    def sentence(self) -> str:
        """Return the result in words."""
        return (
            f"{self.flagged_masks} of {self.masks} masks on {self.flagged_images} of {self.images} images are flagged. "
            f"Flags that are new: {self.added}; that no longer hold: {self.removed}."
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A mask as the checks are asked about it, wherever they run."""

    id: int
    rle: Rle
    bbox: tuple[int, int, int, int]
    prediction: Prediction
    limits: Limits


def check_library(
    library: Library,
    *,
    limits: Limits | None = None,
    answered: bool = False,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> CheckReport:
    """Let every check look at each live mask and keep what was not known; return what stands.

    A flag is known by its mask, name and the neighbour it speaks of, whatever was answered. An open flag of a check
    that has nothing to say any more is removed, an answered one never. One image is one transaction, so a run that is
    cut off loses nothing, and the next adds only what is missing. No transaction lasts longer than an image is read or
    written. Memory holds the masks of a few images for each worker.

    Parameters
    ----------
    limits : Limits, optional
        Thresholds; those of the project if not given. Stability counts for Meta's models alone, predicted IoU for
        these and, with a limit of its own, for each version that audits have calibrated.
    answered : bool
        Whether flags that annotators have answered count too.
    progress : callable, optional
        Told how many images of how many are done.
    crew : Crew, optional
        Who asks the checks; this process if not given.
    """
    limits = limits or Limits(min_area=settings(library).min_area)
    seen = Counter[str]()
    tallies = Counter[tuple[str, str]]()
    with library.engines.reading() as session:
        total = images.count(library.project_id, session=session)
        meta = {version.id for version in model_versions.every(session=session) if version.name in CHECKPOINTS}
    of_version = _limits_by_version(library, limits, meta)
    said_of = (crew or Alone()).each(checked, _by_image(library, total), lambda rows: _asked(rows, of_version), None)
    for done, (rows, outcome) in enumerate(said_of, start=1):
        found = outcome.result()
        standing, added, removed = _settle(library, found, {row.id: list(row.flags) for row in rows})
        counting = [[flag for flag in kept if answered or flag.resolution is None] for kept in standing.values()]
        tallies.update((flag.name, flag.severity) for kept in counting for flag in kept)
        seen.update(
            images=1,
            masks=len(rows),
            flagged_images=int(any(counting)),
            flagged_masks=sum(map(bool, counting)),
            added=added,
            removed=removed,
        )
        if progress is not None:
            progress(done, total)
    return CheckReport(
        seen["images"],
        seen["masks"],
        seen["flagged_images"],
        seen["flagged_masks"],
        seen["added"],
        seen["removed"],
        tuple(Tally(*key, count) for key, count in sorted(tallies.items(), key=lambda item: (-item[1], item[0]))),
    )


def _by_image(library: Library, total: int) -> Iterator[list[MaskRow]]:
    """Yield the masks of each of `total` live images, in image order, of images without masks too."""

    def ask(after: int, limit: int) -> list[int]:
        with library.engines.reading() as session:
            return images.ids(library.project_id, session=session, after=after, limit=limit)

    for image_id in by_page(ask, total, size=_PAGE):
        with library.engines.reading() as session:
            rows = masks.of_image(image_id, session=session)
        yield rows


def _limits_by_version(library: Library, limits: Limits, meta: set[int]) -> Callable[[int | None], Limits]:
    """Return what gives the limits for answers of a model version.

    What a model says of its answers is judged where it is known to mean something: stability of Meta's models,
    predicted IoU of those and of versions whose answers were audited.
    """
    silent = replace(limits, stability=0.0, predicted_iou=0.0)
    known: dict[int | None, Limits] = dict.fromkeys(meta, limits)
    for version, found in auditing.calibrations(library).items():
        known[version] = replace(known.get(version, silent), predicted_iou=found.limit)
    return lambda version: known.get(version, silent)


def _asked(rows: Sequence[MaskRow], limits_of: Callable[[int | None], Limits]) -> list[_Asked]:
    return [
        _Asked(
            row.id,
            rle_of(row),
            row.bbox,
            Prediction(row.predicted_iou, row.stability_score, row.edited, row.kept_iou),
            limits_of(row.model_version_id),
        )
        for row in rows
    ]


def checked(_given: None, asked: Sequence[_Asked]) -> dict[int, list[Flag]]:
    """Return what all checks say of each of an image's masks, oldest first.

    As at accept a mask is compared with those before it, so what is between two masks is said once, of the later.
    """
    others = [ExistingMask(one.id, one.rle, one.bbox) for one in asked]
    return {
        one.id: list(
            validate_mask(pixels.decode(one.rle), others[:place], limits=one.limits, prediction=one.prediction).flags
        )
        for place, one in enumerate(asked)
    }


def _settle(
    library: Library, found: dict[int, list[Flag]], known: dict[int, list[FlagRow]]
) -> tuple[dict[int, list[FlagRow]], int, int]:
    """Keep what is new and remove what no longer holds; return what stands, and how many were added and removed."""
    if not any(_differences(found, known)):
        return known, 0, 0
    with library.engines.writing() as session:
        # Since the image was read, an annotator may have answered, or another run have added the same.
        new, stale = _differences(found, flags.of_masks(list(found), session=session))
        removed = flags.remove_unanswered(stale, session=session)
        said = {
            mask_id: [NewFlag(flag.name, flag.severity, flag.message, flag.as_detail()) for flag in of_mask]
            for mask_id, of_mask in new.items()
        }
        flags.add(said, session=session)
        standing = flags.of_masks(list(found), session=session)
    return standing, sum(map(len, new.values())), removed


def _differences(
    found: dict[int, list[Flag]], known: dict[int, list[FlagRow]]
) -> tuple[dict[int, list[Flag]], list[int]]:
    """Return the flags of each mask that are not known, and the ids of open ones of ours that were not found."""
    new: dict[int, list[Flag]] = {}
    stale: list[int] = []
    for mask_id, said in found.items():
        kept = known.get(mask_id, [])
        there, holding = {_key(flag) for flag in kept}, {_key(flag) for flag in said}
        missing = [flag for flag in said if _key(flag) not in there]
        if missing:
            new[mask_id] = missing
        stale += [
            flag.id for flag in kept if flag.name in OURS and flag.resolution is None and _key(flag) not in holding
        ]
    return new, stale


def _key(flag: Flag | FlagRow) -> Key:
    return flag.name, flag.detail.get("mask_id")


def precision(library: Library) -> list[AnswersRow]:
    """Return for each check how often it spoke, and how often annotators mended, kept or deleted what it spoke of.

    Flags of masks that were corrected or deleted since count too: most answers end a mask.
    """
    with library.engines.reading() as session:
        said = flags.answers(library.project_id, session=session)
    return [row for row in said if row.name != ORIGIN]  # that a mask was imported no check says
