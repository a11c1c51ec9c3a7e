"""A whole round: from accepted masks to a version that answers, and back; and what stands in its way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from benchmarks.targets import target_photo
from core import annotating, job_process, jobs, masks, versions
from core.errors import Conflict, InvalidInput, ModelUnavailable
from core.importing import import_bytes
from core.material import Material, choose_material, is_held
from core.retraining import Progress
from core.segmentation.catalogue import GRABCUT, STARTER
from core.segmentation.protocol import Point, Prompt
from core.training.recipe import Recipe
from core.workshop import Library, Workshop, choose_model, open_library, open_workshop
from storage import images as image_queries
from storage import jobs as job_queries
from storage import masks as mask_queries
from storage.models import Job, ModelVersion
from storage.rows import JobRow, LearnableRow
from storage.types import now
from tests.conftest import png, settings_of
from tests.storage.test_jobs import lapse

PHOTOS = 9
RECIPE = Recipe(epochs=2, rounds=2, scenes=2)


@pytest.fixture(scope="module")
def annotated(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of nine photos with two masks each, in which the starter answers."""
    data = tmp_path_factory.mktemp("annotated") / "data"
    shutil.copytree(empty, data)
    library = open_library(settings_of(data), samples=False)
    choose_model(library, STARTER, None)
    photos = [target_photo(seed) for seed in range(PHOTOS)]
    uploads = [(f"{seed}.png", png(photo.image)) for seed, photo in enumerate(photos)]
    report = import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    assert report.imported == PHOTOS
    for image_id, photo in enumerate(photos, start=1):
        for number, mask in enumerate(photo.masks[:2]):
            rows, columns = np.nonzero(mask)
            point = {"kind": "point", "x": float(columns.mean()), "y": float(rows.mean()), "label": 1, "at_ms": 900}
            accepted = annotating.Accepted(masks.encode(mask), f"object-{image_id}-{number}", prompts=[point])
            annotating.accept(library, image_id, f"key-{image_id}-{number}", accepted)
    library.close()
    return data


def ask(library: Library, recipe: Recipe = RECIPE) -> int:
    return jobs.begin(library, recipe, start=False)


@pytest.fixture(scope="module")
def retrained(annotated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder after one round."""
    data = tmp_path_factory.mktemp("retrained") / "data"
    shutil.copytree(annotated, data)
    library = open_library(settings_of(data), samples=False)
    told: list[Progress] = []
    job = job_process.work(library, ask(library), told.append)
    assert (job.state, [one["number"] for one in job.progress["history"]]) == ("done", [1, 2])
    stages = list(dict.fromkeys(one.stage for one in told))
    assert stages[:2] == ["Preparing", "Learning"]
    assert len(stages) == 5
    assert not jobs.folder_of(library, job.id).exists(), "what was kept on the way is removed"
    library.close()
    return data


@pytest.fixture
def shop(retrained: Path, tmp_path: Path) -> Iterator[Workshop]:
    shutil.copytree(retrained, tmp_path / "data")
    opened = open_workshop(settings_of(tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture
def library(annotated: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(annotated, tmp_path / "data")
    opened = open_library(settings_of(tmp_path / "data"), samples=False)
    yield opened
    opened.close()


def test_a_version_says_what_it_learned_from_and_how_it_measures(shop: Workshop) -> None:
    new, old = versions.every(shop)
    assert new.parent_id == old.id
    assert new.encoder_hash == old.encoder_hash
    detail = new.detail
    held = detail["holdout"]["objects"]
    assert detail["trained"]["masks"] == 2 * PHOTOS - held
    assert held >= 4
    assert detail["forgetting"]["objects"] == 2
    assert detail["saving"]["objects"] == held
    assert detail["verdict"]["kind"] in ("better", "alike", "worse")
    assert detail["upto"] == 2 * PHOTOS
    assert set(detail["holdout"]["differences"]) >= {"iou_at_1", "noc85"}


def answers(shop: Workshop) -> list[bytes]:
    """Return the masks and scores that a prompt gets on the first image."""
    with shop.engines.reading() as session:
        sha256 = image_queries.get(1, session=session).working_sha256
    found = shop.desk.prompt(sha256, Prompt((Point(320, 240, 1),))).candidates
    return [one.candidate.mask().tobytes() + repr(one.candidate.predicted_iou).encode() for one in found]


def allow(shop: Workshop, version_id: int) -> None:
    """Let a version pass for better, whatever so short a round came to."""
    with shop.engines.writing() as session:
        row = session.get(ModelVersion, version_id)
        assert row is not None
        row.detail = {**row.detail, "verdict": {"kind": "better", "reason": "as told"}}


def test_promoting_swaps_in_without_encoding_again_and_rolling_back_restores_every_bit(shop: Workshop) -> None:
    new, old = versions.every(shop)
    allow(shop, new.id)
    before = answers(shop)
    encoded: list[int] = []
    encode = shop.desk.segmenter.encode
    versions.promote(shop, new.id)
    assert versions.answering(shop).id == new.id
    shop.desk.segmenter.encode = lambda image: encoded.append(1) or encode(image)  # type: ignore[method-assign]
    assert answers(shop) != before
    assert not encoded, "the cached embedding serves both"
    versions.roll_back(shop)
    assert versions.answering(shop).id == old.id
    assert answers(shop) == before
    with pytest.raises(Conflict, match="must have been made of another one to be rolled back"):
        versions.roll_back(shop)


def test_a_promoted_version_answers_after_a_restart_and_masks_name_it(shop: Workshop) -> None:
    new = versions.every(shop)[0]
    allow(shop, new.id)
    versions.promote(shop, new.id)
    promoted = answers(shop)
    shop.close()
    again = open_workshop(shop.settings)
    assert again.trouble is None
    assert answers(again) == promoted
    rle = masks.encode(target_photo(0).masks[3])
    model = f"{new.name}@{new.content_hash[:12]}"
    saved = annotating.accept(again, 1, "another", annotating.Accepted(rle, "object-x", model=model))
    with again.engines.reading() as session:
        assert mask_queries.get(saved.mask_id, session=session).model_version_id == new.id
    again.close()


def test_a_version_that_is_worse_is_not_promoted(shop: Workshop) -> None:
    new, old = versions.every(shop)
    with shop.engines.writing() as session:
        row = session.get(ModelVersion, new.id)
        assert row is not None
        row.detail = {**row.detail, "verdict": {"kind": "worse", "reason": "IoU after 1 click fell by 0.100"}}
    with pytest.raises(Conflict, match=r"must not be worse to be promoted, but IoU after 1 click fell by 0\.100"):
        versions.promote(shop, new.id)
    assert versions.answering(shop).id == old.id


def test_damaged_or_foreign_weights_are_refused_and_the_old_version_goes_on(shop: Workshop) -> None:
    new, old = versions.every(shop)
    allow(shop, new.id)
    path = shop.files.path("checkpoints", new.detail["head"])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnavailable, match="must be whole and hold weights only"):
        versions.promote(shop, new.id)
    torch.save({"another": torch.zeros(2)}, path)
    with pytest.raises(ModelUnavailable, match="must match their hash, but were changed"):
        versions.promote(shop, new.id)
    foreign = shop.files.put("checkpoints", path.read_bytes())
    with shop.engines.writing() as session:
        row = session.get(ModelVersion, new.id)
        assert row is not None
        row.detail = {**row.detail, "head": foreign}
    with pytest.raises(ModelUnavailable, match="retrained weights must be of Starter"):
        versions.promote(shop, new.id)
    path.unlink()
    assert versions.answering(shop).id == old.id


def test_the_next_round_needs_masks_that_are_new(shop: Workshop) -> None:
    new = versions.every(shop)[0]
    allow(shop, new.id)
    versions.promote(shop, new.id)
    job = job_process.work(shop, ask(shop))
    assert job.state == "failed"
    assert job.message == "retraining must have at least 10 masks accepted since the last round, got 0"


def test_images_are_kept_for_measuring_for_good_and_older_masks_come_along() -> None:
    rows = [LearnableRow(number, number // 2, f"{number // 2 * 7919:064x}"[::-1]) for number in range(1, 401)]
    found = choose_material(rows, after=200, seed=0)
    assert all(is_held(row.working_sha256) for row in found.held)
    taught = (*found.new, *found.older)
    assert not {row.image_id for row in taught} & {row.image_id for row in found.held}
    assert all(row.mask_id > 200 for row in found.new)
    assert len(found.older) == round(0.3 * len(found.new))
    assert found.upto == 400
    assert choose_material(rows, after=200, seed=0) == found
    with pytest.raises(InvalidInput, match="must have at least 10 masks accepted, got 3"):
        choose_material([row for row in rows if not is_held(row.working_sha256)][:3], after=0, seed=0)
    with pytest.raises(InvalidInput, match="at least 4 masks must lie on the images kept for measuring"):
        choose_material([row for row in rows if not is_held(row.working_sha256)], after=0, seed=0)
    assert isinstance(found, Material)


def test_of_many_masks_so_many_are_chosen_from_all_over() -> None:
    def many() -> Iterator[LearnableRow]:
        return (LearnableRow(number, number, f"{number * 7919 % 4096:08x}") for number in range(1, 30_001))

    found = choose_material(many(), after=15_000, seed=3)
    assert (len(found.new), len(found.older), len(found.held), found.upto) == (2_000, 600, 60, 30_000)
    for side, low, high in ((found.new, 15_000, 30_000), (found.older, 0, 15_000), (found.held, 0, 30_000)):
        ids = [row.mask_id for row in side]
        assert ids == sorted(set(ids))
        # Each tenth of the masks is there in its share: a sample by chance is not once in a million farther from it.
        counts, _ = np.histogram(ids, bins=10, range=(low, high))
        assert chisquare(counts).pvalue > 1e-6
    assert choose_material(many(), after=15_000, seed=4).new != found.new


def test_an_empty_library_and_a_model_without_weights_are_told_in_a_sentence(stocked: Library) -> None:
    with pytest.raises(Conflict, match="must have weights to be retrained, but grabcut has none"):
        jobs.begin(stocked)
    choose_model(stocked, STARTER, None)
    job = job_process.work(stocked, ask(stocked))
    assert (job.state, job.message) == ("failed", "retraining must have at least 10 masks accepted, got 0")
    choose_model(stocked, GRABCUT, None)


def test_one_retraining_at_a_time_and_one_that_waits_is_cancelled_at_once(library: Library) -> None:
    first = ask(library)
    with pytest.raises(Conflict, match=f"must end before another begins, but job {first} is at work"):
        ask(library)
    jobs.cancel(library, first)
    newest = jobs.newest(library)
    assert newest is not None
    assert newest.state == "cancelled"
    assert ask(library) == first + 1


def test_cancelling_keeps_nothing(library: Library) -> None:
    job_id = ask(library, replace(RECIPE, epochs=50))
    shown: list[str] = []

    def cancel_while_learning(progress: Progress) -> None:
        if progress.stage == "Learning" and "Learning" not in shown:
            jobs.cancel(library, job_id)
        shown.append(progress.stage)

    assert job_process.work(library, job_id, cancel_while_learning).state == "cancelled"
    assert len(versions.every(library)) == 1


def wait_for(library: Library, job_id: int, epochs: int, process: "subprocess.Popen[bytes]") -> JobRow:
    """Return the job once so many epochs are done."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with library.engines.reading() as session:
            job = job_queries.get(job_id, session=session)
        if len(job.progress.get("history", [])) >= epochs or not job.is_open:
            return job
        assert process.poll() is None, "the process ended before the job"
        time.sleep(0.1)
    raise AssertionError("no epoch was done in two minutes")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_loses_one_epoch_at_most(library: Library, how: signal.Signals) -> None:
    job_id = ask(library, replace(RECIPE, epochs=40))
    environ = {**os.environ, "MASKSMITH_DATA": str(library.settings.data), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "core.job_process", str(job_id)], env=environ)
    done = wait_for(library, job_id, 1, process)
    process.send_signal(how)
    process.wait()
    assert done.state == "running"
    with library.engines.writing() as session:
        row = session.get(Job, job_id)
        assert row is not None
        if how == signal.SIGKILL:
            row.lease_until = now()  # as after half a minute
        else:
            assert (row.state, row.lease_until) == ("queued", None), "who is asked to end gives the job back"
            assert len(row.progress["history"]) >= 1
    steps: list[Progress] = []

    def stop_when_it_learns(progress: Progress) -> None:
        steps.append(progress)
        if progress.stage == "Learning":
            jobs.cancel(library, job_id)

    assert job_process.work(library, job_id, stop_when_it_learns).state == "cancelled"
    first = next(step for step in steps if step.stage == "Learning")
    assert len(first.history) >= len(done.progress["history"]), "the epochs done are not done again"


def test_a_process_that_slept_through_its_lease_leaves_the_job_to_who_took_it(library: Library) -> None:
    job_id = ask(library, replace(RECIPE, epochs=40))
    environ = {**os.environ, "MASKSMITH_DATA": str(library.settings.data), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "core.job_process", str(job_id)], env=environ)
    done = wait_for(library, job_id, 1, process)
    assert done.state == "running"
    process.send_signal(signal.SIGSTOP)
    lapse(library.engines, job_id)
    with library.engines.writing() as session:
        assert job_queries.hand_over(job_id, session=session)
        taker = job_queries.claim(job_id, session=session)
    assert taker is not None
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == os.EX_TEMPFAIL
    with library.engines.writing() as session:
        job = job_queries.get(job_id, session=session)
        assert (job.state, job.message) == ("running", None)
        assert job_queries.renew(job_id, taker, {}, session=session) is False
    assert (jobs.folder_of(library, job_id) / "epoch.pt").exists()
