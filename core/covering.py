"""Surveys of the library: what is left on each image, kept beside it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from core import masks as pixels
from core.crew.alone import Alone
from core.crew.protocol import Crew
from core.encoding import keep, sight_of
from core.errors import FORESEEN
from core.mask_rows import rle_of
from core.masks import Rle
from core.paging import by_page, check_limit
from core.proposals import accepted_of
from core.quality.balance import summary
from core.quality.coverage import Coverage, Proposal, band, place, survey
from core.segmentation.cache import EmbeddingCache
from core.segmentation.proposing import plan_of, proposals
from core.segmentation.protocol import Mask, RgbImage, Segmenter, coarse_size
from core.segmentation.sight import Sight, seen
from core.segmentation.travelling import Model
from core.workshop import Library
from storage import images, surveys
from storage import masks as mask_queries
from storage.rows import ImageRow, MaskRow, NewSurvey

MOST_KEPT: Final = 60
"""Outlines of what is left that a survey keeps; all are counted."""
MOST_COUNTS: Final = 1500
"""Characters of one kept outline; a longer one is kept as its box."""
SHOWN_SIDE: Final = 480
_PAGE: Final = 50
Report = Callable[[int, int], None]
"""Called with (images surveyed, of how many)."""


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """What a run came to: images surveyed, those that could not be read (with why), and those that still wait.

    `left` is what is left on the surveyed ones.
    """

    surveyed: int
    left: int
    failed: tuple[tuple[int, str], ...]
    waiting: int

    def sentence(self) -> str:
        """Return the result in words."""
        one = self.surveyed == 1
        said = f"{self.surveyed} image{'' if one else 's'} surveyed, about {self.left} objects left on "
        said += f"{'it' if one else 'them'}; {self.waiting} still to be surveyed."
        return said if not self.failed else f"{said} {len(self.failed)} could not be read."


@dataclass(frozen=True, slots=True)
class _Before:
    """An image and its accepted masks as they were when its survey began."""

    image: ImageRow
    rows: tuple[MaskRow, ...]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a survey of an image came to, the summary of its features as bytes, and its embedding if it was made now."""

    coverage: Coverage
    summary: bytes | None
    made: bytes | None


def survey_library(
    library: Library,
    segmenter: Segmenter,
    *,
    limit: int | None = None,
    report: Report | None = None,
    crew: Crew | None = None,
) -> SurveyReport:
    """Survey images that have no fresh survey by this model, in the order of import; return what it came to.

    One image is one transaction, so a run that is cut off loses nothing, and the next goes on where it ended. A survey
    is fresh while the image has the masks it was made beside. Memory holds a few images for each worker.

    Parameters
    ----------
    limit : int, optional
        How many images at most.
    report : callable, optional
        Told how far it is after each image; what it raises ends the run.
    crew : Crew, optional
        Who looks at the images; this process if not given.

    Raises
    ------
    InvalidInput
        If the limit is not at least 1.
    ModelUnavailable
        If the model has no weights.
    """
    check_limit(limit)
    plan_of(segmenter)
    # What is encoded here is seldom opened next; the files of those that were opened are read.
    cache = EmbeddingCache(library.files, memory_bytes=0)
    with library.engines.reading() as session:
        waiting = surveys.count_to_do(library.project_id, segmenter.content_hash, session=session)
    total = waiting if limit is None else min(waiting, limit)
    done, left, failed = 0, 0, list[tuple[int, str]]()
    began: dict[int, _Before] = {}

    def load(image_id: int) -> tuple[Sight, list[Rle]]:
        began[image_id] = before = _before(library, image_id)
        return _sent(library, segmenter, before, cache)

    model = Model(segmenter)
    wanted = _to_survey(library, segmenter, total)
    for image_id, outcome in (crew or Alone()).each(surveyed, wanted, load, model, gpu=model.on_gpu):
        try:
            found = outcome.result()
            _keep(library, segmenter, began[image_id], found, cache)
            left += len(found.coverage.left)
            done += 1
        except FORESEEN as error:  # a photo that is damaged must not keep the others from being surveyed
            failed.append((image_id, str(error)))
        finally:
            began.pop(image_id, None)
        if report is not None:
            report(done + len(failed), total)
    return SurveyReport(done, left, tuple(failed), max(0, waiting - done))


def _to_survey(library: Library, segmenter: Segmenter, total: int) -> Iterator[int]:
    """Return the ids of `total` images that have no fresh survey, by page."""

    def ask(after: int, limit: int) -> list[int]:
        with library.engines.reading() as session:
            known = (library.project_id, segmenter.content_hash)
            return surveys.to_do(*known, session=session, after=after, limit=limit)

    return by_page(ask, total, size=_PAGE)


def survey_image(
    library: Library, segmenter: Segmenter, image_id: int, *, cache: EmbeddingCache | None = None
) -> Coverage:
    """Ask the model what is on an image, compare with its masks, and keep the outcome in place of an older one.

    Raises
    ------
    StorageError
        If the image is not in the library, or its file is missing or damaged.
    ModelUnavailable
        If the model has no weights.
    """
    before = _before(library, image_id)
    found = surveyed(Model(segmenter), _sent(library, segmenter, before, cache))
    _keep(library, segmenter, before, found, cache)
    return found.coverage


def surveyed(model: Model, sent: tuple[Sight, list[Rle]]) -> Surveyed:
    """Return what is left on an image beside its accepted masks."""
    segmenter, (sight, accepted) = model.segmenter, sent
    photo, has = sight.pixels(), seen(segmenter, sight)
    masks = [reduced(pixels.decode(rle)) for rle in accepted]
    plan = plan_of(segmenter)
    found = survey(proposals(segmenter, photo, has.embedding, masks, plan), masks, plan.limits)
    features = has.embedding.arrays.get("features")
    vector = None if features is None else summary(np.asarray(features, np.float32), has.embedding.size_hw)
    return Surveyed(found, None if vector is None else vector.astype("<f2").tobytes(), has.made)


def _before(library: Library, image_id: int) -> _Before:
    with library.engines.reading() as session:
        image = images.get(image_id, session=session)
        rows = mask_queries.of_image(image_id, session=session)
    return _Before(image, tuple(accepted_of(rows)))


def _sent(
    library: Library, segmenter: Segmenter, before: _Before, cache: EmbeddingCache | None
) -> tuple[Sight, list[Rle]]:
    sight = sight_of(library, segmenter, cache, before.image.working_sha256, with_photo=True)
    return sight, [rle_of(row) for row in before.rows]


def _keep(
    library: Library, segmenter: Segmenter, before: _Before, made: Surveyed, cache: EmbeddingCache | None
) -> None:
    keep(cache, segmenter, before.image.working_sha256, made.made)
    found = made.coverage
    with library.engines.writing() as session:
        surveys.put(
            NewSurvey(
                project_id=library.project_id,
                image_id=before.image.id,
                content_hash=segmenter.content_hash,
                encoder_hash=segmenter.encoder_key,
                # Masks that came meanwhile are not among them, and so the survey is not fresh.
                mask_ids=tuple(row.id for row in before.rows),
                proposals=found.proposals,
                left_over=len(found.left),
                coverage=found.score,
                uncovered=found.uncovered,
                detail=_detail(found),
                spread=_spread(found),
                summary=made.summary,
            ),
            session=session,
        )


def coarse_of(row: MaskRow) -> Mask:
    """Return an accepted mask at the size of coarse masks; a dot is in it if half of its pixels are."""
    return reduced(pixels.decode(rle_of(row)))


def reduced(mask: Mask) -> Mask:
    """Return a mask (H, W) of a working image at the size of its coarse masks."""
    rows, columns = coarse_size((mask.shape[0], mask.shape[1]))
    share = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5, bool)


def _detail(found: Coverage) -> dict[str, Any]:
    kept = found.left[:MOST_KEPT]
    size = list(kept[0].mask.shape) if kept else []
    return {"size": size, "left": [_kept(one) for one in kept]}


def _kept(one: Proposal) -> dict[str, Any]:
    counts = pixels.encode(one.mask)["counts"]
    said: dict[str, Any] = {
        "box": [round(value, 4) for value in one.box()],
        "predicted_iou": round(one.predicted_iou, 3),
    }
    return said if len(counts) > MOST_COUNTS else {**said, "counts": counts}


def _spread(found: Coverage) -> dict[str, Any]:
    """Return how many of what is left are of each size band and in each field, as two lists of counts."""
    bands = Counter(band(one.share) for one in found.left)
    boxes = [one.box() for one in found.left]
    fields = Counter(place((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in boxes)
    return {"bands": [bands[index] for index in range(3)], "places": [fields[index] for index in range(9)]}


@dataclass(frozen=True, slots=True)
class LeftNow:
    """What an image's survey says is left on it still: how many objects, and boxes (x, y, width, height) of them."""

    count: int
    boxes: tuple[tuple[float, float, float, float], ...]


NOTHING_LEFT: Final = LeftNow(0, ())


def left_now(library: Library, image: ImageRow) -> LeftNow:
    """Return what is left on an image by its survey; nothing if it has none.

    Of a survey that is older than some accepted masks, what these cover by half is not left any more.
    """
    with library.engines.reading() as session:
        survey_row = surveys.some([image.id], session=session).get(image.id)
        detail = surveys.detail(image.id, session=session)
        if survey_row is None or detail is None or not detail.get("left"):
            return NOTHING_LEFT
        rows = [] if survey_row.is_fresh else accepted_of(mask_queries.of_image(image.id, session=session))
    kept = [_spread_out(one, detail["size"]) for one in detail["left"]]
    if not survey_row.is_fresh:
        covered = np.zeros(detail["size"], bool)
        for row in rows:
            coarse = coarse_of(row).astype(np.uint8)
            covered |= cv2.resize(coarse, covered.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
        kept = [one for one in kept if one[0].sum() > 2 * (one[0] & covered).sum()]
    boxes = tuple(
        (x0 * image.width, y0 * image.height, (x1 - x0) * image.width, (y1 - y0) * image.height)
        for _, (x0, y0, x1, y1) in kept
    )
    return LeftNow(survey_row.left_over if survey_row.is_fresh else len(boxes), boxes)


def _spread_out(one: dict[str, Any], size: list[int]) -> tuple[Mask, list[float]]:
    """Return what is kept of something that is left as a coarse mask, its box filled if it has no outline, and box."""
    if "counts" in one:
        return pixels.decode(pixels.check(size, one["counts"])), one["box"]
    mask = np.zeros(size, bool)
    x0, y0, x1, y1 = np.array(one["box"]) * [size[1], size[0], size[1], size[0]]
    mask[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
    return mask, one["box"]


def picture_of_left(library: Library, image: ImageRow) -> RgbImage:
    """Return an image, reduced, with what its survey says is left outlined; without outlines if it has no survey.

    Raises
    ------
    StorageError
        If the image's file is missing or damaged.
    """
    photo = library.working_pixels(image.working_sha256)
    scale = min(1.0, SHOWN_SIDE / max(photo.shape[:2]))
    size = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
    picture = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    with library.engines.reading() as session:
        detail = surveys.detail(image.id, session=session)
    return picture if detail is None else outlined(picture, detail)


def outlined(picture: RgbImage, detail: dict[str, Any]) -> RgbImage:
    """Return a picture (H, W, 3) of a photo with the outlines, or boxes, of what is left on it."""
    shown = picture.copy()
    height, width = shown.shape[:2]
    for one in detail.get("left", []):
        if "counts" in one:
            rle = pixels.check(detail["size"], one["counts"])
            mask = cv2.resize(pixels.decode(rle).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
            lines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        else:
            x0, y0, x1, y1 = np.array(one["box"]) * [width, height, width, height]
            lines = [np.array([[[x0, y0]], [[x1, y0]], [[x1, y1]], [[x0, y1]]], np.int32)]
        # Dark below bright: seen on any ground.
        cv2.drawContours(shown, lines, -1, (20, 20, 20), 3)
        cv2.drawContours(shown, lines, -1, (255, 190, 40), 1)
    return shown
