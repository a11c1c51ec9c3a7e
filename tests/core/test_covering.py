"""Surveys of a library by the starter, and what follows from them: shares, ranks, the queue."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

from core import annotating, balancing, covering, job_process, jobs, projects
from core import library as looking
from core.errors import Conflict, InvalidInput, ModelUnavailable
from core.evaluating import library_dataset
from core.importing import import_bytes
from core.importing_masks import import_masks
from core.quality.coverage import Coverage
from core.segmentation.catalogue import STARTER, SegmenterSpec, load_segmenter
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Segmenter
from core.workshop import Library, choose_model, open_workshop
from storage import images, surveys
from storage import jobs as job_queries
from storage import masks as mask_queries
from storage.models import Job
from storage.rows import NewSurvey
from storage.types import now
from tests.conftest import HEIGHT, WIDTH, png
from tests.core.conftest import accept, said_by_writers
from tests.core.test_importing_masks import coco
from tests.storage.test_jobs import lapse

CENTRES = ((30, 30), (90, 25), (60, 65))
RADIUS = 14


def disk(x: int, y: int) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 < RADIUS**2)


def three_disks() -> bytes:
    pixels = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    for (x, y), colour in zip(CENTRES, ((220, 60, 40), (40, 180, 220), (230, 210, 60)), strict=True):
        pixels[disk(x, y)] = colour
    return png(pixels)


@pytest.fixture(scope="module")
def starter() -> Segmenter:
    return load_segmenter(SegmenterSpec(STARTER, device="cpu"))


@pytest.fixture
def disks(library: Library) -> Library:
    """A library of one photo with three disks."""
    import_bytes(
        [("disks.png", three_disks())], engines=library.engines, files=library.files, project_id=library.project_id
    )
    choose_model(library, STARTER, None)
    return library


def overlap(found: Coverage, centre: tuple[int, int]) -> float:
    """Return the best IoU of what is left with a disk."""
    truth = disk(*centre)
    return max(((one.mask & truth).sum() / (one.mask | truth).sum() for one in found.left), default=0.0)


def test_disks_without_a_mask_are_left_and_those_with_one_are_not(disks: Library, starter: Segmenter) -> None:
    before = covering.survey_image(disks, starter, 1)
    assert [overlap(before, centre) > 0.8 for centre in CENTRES] == [True] * 3
    assert (before.masks, before.score, before.uncovered) == (0, 0.0, 1.0)
    accept(disks, "first", disk(*CENTRES[0]))
    after = covering.survey_image(disks, starter, 1)
    assert [overlap(after, centre) > 0.5 for centre in CENTRES] == [False, True, True]
    assert after.uncovered == pytest.approx(1 - disk(*CENTRES[0]).sum() / (HEIGHT * WIDTH), abs=0.005)
    with disks.engines.reading() as session:
        kept = surveys.some([1], session=session)[1]
        detail = surveys.detail(1, session=session)
        assert surveys.coverage(1, session=session) == (1, pytest.approx(after.score))
        assert surveys.coverage(2, session=session) == (0, 0.0)
    assert (kept.left_over, kept.masks, kept.is_fresh) == (len(after.left), 1, True)
    assert detail is not None
    assert len(detail["left"]) == len(after.left)
    row = looking.image(disks, 1)
    drawn = covering.picture_of_left(disks, row).astype(int) - disks.working_pixels(row.working_sha256)
    assert np.abs(drawn[disk(90, 25)]).max() > 50, "outlined"
    assert not drawn[26:34, 26:34].any(), "has its mask"


def test_an_imported_mask_covers_nothing_until_somebody_accepts_it(
    disks: Library, starter: Segmenter, tmp_path: Path
) -> None:
    file = coco(tmp_path / "a.json", disk(*CENTRES[0]), name="disks.png")
    assert import_masks(disks, file, format="coco").masks == 1
    found = covering.survey_image(disks, starter, 1)
    assert [overlap(found, centre) > 0.8 for centre in CENTRES] == [True] * 3
    row = looking.image(disks, 1)
    assert library_dataset(disks).entries == ()
    with disks.engines.reading() as session:
        assert surveys.some([1], session=session)[1].is_fresh
        (flag,) = mask_queries.of_image(1, session=session)[0].flags
        assert surveys.mask_spread(1, (0.01, 0.1), session=session) == []
    left = covering.left_now(disks, row).count
    annotating.resolve_flag(disks, flag.id, "kept")
    assert covering.left_now(disks, row).count == left - 1
    assert len(library_dataset(disks).entries) == 1
    with disks.engines.reading() as session:
        assert not surveys.some([1], session=session)[1].is_fresh
        assert len(surveys.mask_spread(1, (0.01, 0.1), session=session)) == 1
    assert overlap(covering.survey_image(disks, starter, 1), CENTRES[0]) < 0.5


def test_a_run_surveys_what_is_not_fresh_and_goes_on_where_it_was_cut_off(stocked: Library, starter: Segmenter) -> None:
    class CutOff(Exception):
        pass

    def cut(done: int, _total: int) -> None:
        if done == 2:
            raise CutOff

    with pytest.raises(CutOff):
        covering.survey_library(stocked, starter, report=cut)
    told: list[tuple[int, int]] = []
    rest = covering.survey_library(stocked, starter, report=lambda *said: told.append(said))
    assert (rest.surveyed, rest.waiting, told) == (1, 0, [(1, 1)])
    accept(stocked, "k", disk(60, 45), image_id=2)
    assert covering.survey_library(stocked, starter, limit=5).surveyed == 1
    assert covering.survey_library(stocked, starter).surveyed == 0


def test_a_damaged_photo_is_told_and_the_others_are_surveyed(stocked: Library, starter: Segmenter) -> None:
    stocked.files.path("working", looking.image(stocked, 1).working_sha256).unlink()
    with stocked.engines.writing() as session:
        images.soft_delete([3], session=session)
    report = covering.survey_library(stocked, starter)
    assert (report.surveyed, [image_id for image_id, _ in report.failed], report.waiting) == (1, [1], 1)
    assert "is missing" in report.failed[0][1]
    assert report.sentence().endswith("1 could not be read.")


def test_what_cannot_be_meant_is_refused(stocked: Library, starter: Segmenter) -> None:
    with pytest.raises(InvalidInput, match="at least 1, got 0"):
        covering.survey_library(stocked, starter, limit=0)
    with pytest.raises(ModelUnavailable, match="needs a model with weights, but grabcut has none"):
        covering.survey_library(stocked, GrabCutSegmenter())
    with pytest.raises(Conflict, match="needs a model with weights"):
        jobs.begin_survey(stocked)
    with pytest.raises(InvalidInput, match="as imported, even out, most left first, got 'backwards'"):
        projects.change_settings(stocked, {"next_order": "backwards"})


@pytest.mark.both_databases
def test_a_job_surveys_orders_and_goes_on_after_it_was_killed(stocked: Library) -> None:
    choose_model(stocked, STARTER, None)
    job_id = jobs.begin_survey(stocked, 2, start=False)
    with pytest.raises(Conflict, match="a survey must end before another begins"):
        jobs.begin_survey(stocked)
    with stocked.engines.writing() as session:  # as when its process was killed after one image
        job = session.get(Job, job_id)
        assert job is not None
        job.state, job.progress, job.lease_until = "running", {"done": 1, "total": 2}, now()
    ended = job_process.work(stocked, job_id)
    assert (ended.state, ended.progress) == ("done", {"done": 2, "total": 2})
    found = balancing.totals(stocked)
    assert (found.images, found.surveyed) == (3, 1)
    assert balancing.newest(stocked) is not None


def test_a_cancelled_survey_keeps_what_it_has(stocked: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "RENEW_S", 0.01)
    choose_model(stocked, STARTER, None)
    job_id = jobs.begin_survey(stocked, start=False)

    def lease_until() -> datetime | None:
        with stocked.engines.reading() as session:
            return job_queries.get(job_id, session=session).lease_until

    def cancel(_done: int, _total: int) -> None:
        jobs.cancel(stocked, job_id)
        for _ in range(2):  # once more than the lease needs to see it
            seen = lease_until()
            while lease_until() == seen:
                pass

    ended = job_process.work(stocked, job_id, surveyed=cancel)
    assert ended.state == "cancelled"
    assert balancing.totals(stocked).surveyed == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("survey", [1, 3])
def test_a_job_that_another_took_is_neither_ended_nor_swept(survey: int, stocked: Library) -> None:
    choose_model(stocked, STARTER, None)
    job_id = jobs.begin_survey(stocked, start=False)
    kept, takers = jobs.folder_of(stocked, job_id) / "kept", list[str | None]()

    def take(done: int, _total: int) -> None:
        if done == survey:
            lapse(stocked.engines, job_id)
            with stocked.engines.writing() as session:
                takers.append(job_queries.claim(job_id, session=session))
            kept.parent.mkdir(parents=True)
            kept.touch()

    with pytest.raises(Conflict, match=f"job {job_id} must stay with the process that does it"):
        job_process.work(stocked, job_id, surveyed=take)
    assert kept.exists()
    with stocked.engines.writing() as session:
        job = job_queries.get(job_id, session=session)
        assert (job.state, job.message, job.ended_at) == ("running", None, None)
        assert takers[0] is not None
        assert job_queries.end(job_id, takers[0], "done", None, {}, session=session)


@pytest.fixture
def varied(library: Library) -> Library:
    """Twelve images with made surveys: nine that look alike, three of another kind; one of the nine is annotated."""
    uploads = [(f"{n}.png", png(np.full((HEIGHT, WIDTH, 3), 10 + 9 * n, np.uint8))) for n in range(12)]
    import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    with library.engines.writing() as session:
        for image_id in range(1, 13):
            kind = float(image_id > 9)
            vector = np.array([kind * 50 + image_id * 0.01, 1 - kind], "<f2").tobytes()
            spread = {"bands": [0, image_id, 0], "places": [0, 0, 0, 0, image_id, 0, 0, 0, 0]}
            made = NewSurvey(1, image_id, "m", "e", (), 9, image_id, 0.5, 0.5, {"left": []}, spread, vector)
            surveys.put(made, session=session)
    accept(library, "k", disk(60, 45), image_id=1)
    return library


def queue(library: Library) -> list[int]:
    shop = open_workshop(library.settings, samples=False)
    first = looking.page(shop, limit=5, after=None, state=None)
    rest = looking.page(shop, limit=50, after=first.next, state=None)
    shop.close()
    return [entry.image.id for entry in (*first.images, *rest.images)]


@pytest.mark.both_databases
def test_clusters_are_told_with_how_they_are_represented(varied: Library) -> None:
    report = balancing.arrange(varied)
    assert balancing.newest(varied) == report
    assert [(one.images, one.masks, one.share.counted) for one in report.clusters] == [(9, 1, 1), (3, 0, 0)]
    assert {one.share.reading for one in report.clusters} == {"even"}, "one image is no finding"
    assert [row.id for row in balancing.samples(varied, 1)] == [10, 11, 12]
    assert [(group.masks, group.left) for group in report.bands] == [(0, 0), (1, 78), (0, 0)]
    assert sum(group.masks for group in report.places) == 1


@pytest.mark.both_databases
def test_arranging_holds_the_write_lock_only_to_write_what_changes(varied: Library) -> None:
    projects.change_settings(varied, {"next_order": "even out"})
    with said_by_writers(varied) as first:
        balancing.arrange(varied)
    assert sum(one.startswith(("UPDATE survey", "UPDATE image")) for one in first) == 2
    assert not [one for one in first if "mask" in one]
    kept = queue(varied)
    with said_by_writers(varied) as again:
        balancing.arrange(varied)
    assert not [one for one in again if one.startswith(("UPDATE survey", "UPDATE image"))]
    assert queue(varied) == kept


@pytest.mark.both_databases
def test_what_is_chosen_while_an_order_is_computed_holds(varied: Library) -> None:
    projects.change_settings(varied, {"next_order": "even out"})
    meanwhile = [lambda: projects.change_settings(varied, {"next_order": "most left first"})]

    def before_writing(*_: object) -> None:
        if meanwhile:
            meanwhile.pop()()

    event.listen(varied.engines.write, "engine_connect", before_writing)
    balancing.arrange(varied)
    event.remove(varied.engines.write, "engine_connect", before_writing)
    assert not meanwhile
    assert queue(varied) == list(range(12, 0, -1))


@pytest.mark.both_databases
def test_the_queue_follows_the_projects_setting(varied: Library) -> None:
    balancing.arrange(varied)
    assert queue(varied) == list(range(1, 13))
    projects.change_settings(varied, {"next_order": "most left first"})
    assert queue(varied) == list(range(12, 0, -1))
    projects.change_settings(varied, {"next_order": "even out"})
    # 3 of another kind, none annotated, against 9 of which one is: by the smaller part, then by what is left.
    assert queue(varied) == [12, 9, 8, 11, 7, 6, 5, 10, 4, 3, 2, 1]
    with varied.engines.writing() as session:
        images.set_state(12, "done", session=session)
    assert queue(varied)[0] == 12, "an image keeps its place until the order is computed anew"
    balancing.arrange(varied)
    assert queue(varied) == [9, 8, 11, 7, 6, 5, 10, 4, 3, 2, 1, 12]
    projects.change_settings(varied, {"next_order": "as imported"})
    assert queue(varied) == list(range(1, 13))
