"""Batch work on a library: whoever works, the database comes to hold the same; cancelled or killed, it goes on."""

import os
import pickle
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from benchmarks.targets import target_photo
from core import balancing, job_process, jobs, projects, searching
from core import library as looking
from core.checking import check_library
from core.covering import survey_library
from core.crew.alone import Alone
from core.crew.local import Processes
from core.crew.on_ray import RayCrew
from core.crew.protocol import Crew
from core.encoding import encode_library, keep, sight_of
from core.errors import Conflict, Forbidden, InvalidInput, ModelUnavailable
from core.importing import import_bytes
from core.masks import encode
from core.segmentation.cache import KIND, EmbeddingCache, cache_key
from core.segmentation.catalogue import STARTER, TINY, SegmenterSpec, load_segmenter
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Point, Prompt, Segmenter
from core.segmentation.sight import Sight, seen
from core.segmentation.travelling import Model
from core.training.duels import duel, made_scenes
from core.training.lessons import Page, taught
from core.training.replay import Given, replayed
from core.training.replay import Page as ReplayPage
from core.workshop import Library, choose_model, open_library
from storage import jobs as job_queries
from storage import surveys
from storage.errors import StorageError
from storage.models import Job
from storage.rows import JobRow
from storage.types import now
from tests.conftest import png, settings_of, square
from tests.core.conftest import accept
from tests.core.privacy.photos import marked

PHOTOS = 3


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sums are taken in one order only where one thread takes them; workers have one."""
    monkeypatch.setenv("MASKSMITH_DETECTOR", "tests.core.privacy.photos:marks")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def varied(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of small photos, two with a mark, some with masks that checks have something to say of."""
    data = tmp_path_factory.mktemp("varied") / "data"
    shutil.copytree(empty, data)
    library = open_library(settings_of(data), samples=False)
    projects.change_settings(library, {"blur": False})
    photos = [target_photo(seed) for seed in range(PHOTOS - 2)]
    uploads = [(f"{seed}.png", png(photo.image[:240, :320])) for seed, photo in enumerate(photos)]
    uploads += [("marked-1.png", marked(1)), ("marked-2.png", marked(2))]
    import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    for image_id in (2, 3):
        accept(library, f"edge-{image_id}", square(0, 20, 30), image_id)
        accept(library, f"small-{image_id}", square(60, 40, 5), image_id)
    library.close()
    return data


def work_on(data: Path, segmenters: tuple[Segmenter, Segmenter], crew: Crew) -> dict[str, Any]:
    """Check, survey, encode and search a library; return what its database and files hold then."""
    starter, tiny = segmenters
    library = open_library(settings_of(data), samples=False)
    check_library(library, crew=crew)
    survey_library(library, starter, crew=crew, limit=2)
    encode_library(library, tiny, crew=crew)
    searching.search_library(library, crew=crew)
    held = held_by(library)
    library.close()
    return held


def held_by(library: Library) -> dict[str, Any]:
    tables = ("flag", "survey", "region", "search", "image")
    with library.engines.read.connect() as connection:
        found = {
            table: [
                {name: value for name, value in row.items() if not name.endswith("_at")}
                for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1").mappings()
            ]
            for table in tables
        }
    files = sorted(path for path in library.files.root.rglob("*") if path.is_file() and "originals" not in path.parts)
    return {**found, "files": {path.name: path.read_bytes() for path in files}}


@pytest.fixture(scope="module")
def segmenters() -> tuple[Segmenter, Segmenter]:
    return load_segmenter(SegmenterSpec(STARTER, device="cpu")), load_segmenter(SegmenterSpec(TINY, device="cpu"))


def test_whoever_works_the_library_comes_to_hold_the_same(
    varied: Path, segmenters: tuple[Segmenter, Segmenter], cluster: RayCrew, tmp_path: Path
) -> None:
    held = {}
    with Processes(2) as processes:
        for name, crew in {"alone": Alone(), "processes": processes, "ray": cluster}.items():
            shutil.copytree(varied, tmp_path / name)
            held[name] = work_on(tmp_path / name, segmenters, crew)
    assert [len(held["alone"][table]) for table in ("survey", "search")] == [2, PHOTOS]
    assert len(held["alone"]["flag"]) >= 4
    assert len(held["alone"]["region"]) == 2
    assert held["processes"] == held["alone"]
    assert held["ray"] == held["alone"]


def test_lessons_and_measurements_are_the_same_wherever_they_are_made(
    segmenters: tuple[Segmenter, Segmenter], tmp_path: Path
) -> None:
    starter = segmenters[0]
    photo = target_photo(0)
    masks = tuple(encode(mask) for mask in photo.masks[:3])
    pages = [Page(Sight(png(photo.image)), masks, (0, 0, number)) for number in range(3)]
    models, scenes = (starter, load_segmenter(SegmenterSpec(TINY, device="cpu"))), made_scenes(3)
    given = (Given(900, point=Point(320.0, 240.0, 1)), Given(1500, box=(200.0, 150.0, 400.0, 300.0)))
    replays = [ReplayPage(page.sight, ((page.masks[number], given),)) for number, page in enumerate(pages)]
    made, duels, spent = {}, {}, {}
    with Processes(2) as processes:
        for name, crew in {"alone": Alone(), "processes": processes}.items():
            outcomes = [outcome.result() for _, outcome in crew.each(taught, pages, lambda page: page, Model(starter))]
            made[name] = [lesson for outcome in outcomes for lesson in outcome.lessons]
            duels[name] = duel(*models, scenes, tmp_path / name, crew=crew)
            both = (Model(starter), Model(starter))
            spent[name] = [one.result() for _, one in crew.each(replayed, replays, lambda page: page, both)]
    assert len(made["alone"]) >= 9
    for one, other in zip(made["alone"], made["processes"], strict=True):
        assert (one.side, one.inside_hw) == (other.side, other.inside_hw)
        np.testing.assert_array_equal(one.features, other.features)
        np.testing.assert_array_equal(one.truth, other.truth)
    assert spent["alone"] == spent["processes"]
    assert all(one.champion == one.challenger and len(one.champion) == 1 for one in spent["alone"])
    assert duels["alone"].differences.keys() == duels["processes"].differences.keys()
    for name, interval in duels["alone"].differences.items():
        assert name.startswith("ms_") or duels["processes"].differences[name] == interval


@pytest.mark.parametrize("name", [STARTER, TINY])
def test_a_model_that_travelled_answers_alike(name: str, segmenters: tuple[Segmenter, Segmenter]) -> None:
    segmenter = segmenters[0] if name == STARTER else segmenters[1]
    copy = pickle.loads(pickle.dumps(Model(segmenter))).segmenter
    assert (copy.name, copy.title, copy.encoder_key, copy.content_hash) == (
        segmenter.name,
        segmenter.title,
        segmenter.encoder_key,
        segmenter.content_hash,
    )
    image = target_photo(1).image
    prompt = Prompt((Point(320.0, 240.0, 1),))
    ours, theirs = (one.decode(one.encode(image), prompt) for one in (segmenter, copy))
    assert [one.predicted_iou for one in ours] == [one.predicted_iou for one in theirs]
    assert all(np.array_equal(one.mask(), other.mask()) for one, other in zip(ours, theirs, strict=True))


def test_no_weights_travel_where_there_are_none_and_no_gpu_is_made_up() -> None:
    assert isinstance(pickle.loads(pickle.dumps(Model(GrabCutSegmenter()))).segmenter, GrabCutSegmenter)
    segmenter = load_segmenter(SegmenterSpec(TINY, device="cpu"))
    segmenter.device = "cuda"  # type: ignore[misc]
    sent = pickle.dumps(Model(segmenter))
    assert Model(segmenter).on_gpu
    if not torch.cuda.is_available():
        with pytest.raises(ModelUnavailable, match="a worker must have a GPU for Random weights"):
            pickle.loads(sent)


def test_an_embedding_made_on_the_way_is_kept_and_travels_in_place_of_the_photo(
    stocked: Library, segmenters: tuple[Segmenter, Segmenter]
) -> None:
    cache, sha256 = EmbeddingCache(stocked.files, memory_bytes=0), looking.image(stocked, 1).working_sha256
    for segmenter in segmenters:
        sight = sight_of(stocked, segmenter, cache, sha256)
        assert (sight.photo is None, sight.embedding) == (False, None)
        first = seen(segmenter, sight)
        keep(cache, segmenter, sha256, first.made)
        again = sight_of(stocked, segmenter, cache, sha256)
        second = seen(segmenter, again)
        assert (first.made is not None, again.photo is None) == (segmenter.keeps_embeddings, segmenter.keeps_embeddings)
        assert second.made is None or not segmenter.keeps_embeddings
        assert second.embedding.to_bytes() == first.embedding.to_bytes()


def test_images_are_encoded_once_and_a_run_goes_on(stocked: Library, segmenters: tuple[Segmenter, Segmenter]) -> None:
    tiny = segmenters[1]
    told: list[tuple[int, int]] = []
    first = encode_library(stocked, tiny, limit=1, report=lambda *said: told.append(said))
    assert (first.encoded, first.known, told) == (1, 0, [(1, 3)])
    row = looking.image(stocked, 2)
    stocked.files.path("working", row.working_sha256).unlink()
    second = encode_library(stocked, tiny)
    assert (second.encoded, second.known, [image_id for image_id, _ in second.failed]) == (1, 1, [2])
    assert second.sentence() == "1 image encoded, 1 were already. 1 could not be encoded."
    sha256 = looking.image(stocked, 1).working_sha256
    kept = stocked.files.get_named(KIND, cache_key(sha256, tiny.encoder_key))
    assert kept == tiny.encode(stocked.working_pixels(sha256)).to_bytes()
    with pytest.raises(InvalidInput, match="the number of images must be at least 1, got 0"):
        encode_library(stocked, tiny, limit=0)
    with pytest.raises(ModelUnavailable, match="needs a model whose embeddings are kept, but starter encodes when"):
        encode_library(stocked, segmenters[0])


def test_checks_and_encoding_are_jobs(stocked: Library) -> None:
    accept(stocked, "edge", square(0, 20, 30))
    with pytest.raises(Conflict, match="encoding ahead needs a model whose embeddings are kept, but grabcut encodes"):
        jobs.begin_encode(stocked, start=False)
    choose_model(stocked, TINY, None)
    with pytest.raises(Forbidden):
        jobs.begin_check(stocked.for_person(stocked.person_id, "reviewer"), start=False)
    ended = job_process.work(stocked, jobs.begin_check(stocked, start=False))
    assert (ended.state, ended.progress) == ("done", {"done": 3, "total": 3})
    assert ended.message == (
        "1 of 1 masks on 1 of 3 images are flagged. Flags that are new: 1; that no longer hold: 0."
    )
    ended = job_process.work(stocked, jobs.begin_encode(stocked, start=False))
    assert (ended.state, ended.message) == ("done", "3 images encoded, 0 were already.")


def test_a_crew_that_cannot_be_had_fails_the_job_in_a_sentence(stocked: Library) -> None:
    stocked.settings = replace(stocked.settings, ray="somewhere")
    ended = job_process.work(stocked, jobs.begin_check(stocked, start=False))
    assert (ended.state, ended.message) == ("failed", "MASKSMITH_RAY must be auto, local or HOST:PORT, got 'somewhere'")


@pytest.mark.parametrize("workers", ["processes", "ray"])
def test_a_job_that_is_cancelled_in_the_middle_keeps_what_it_has(
    workers: str, stocked: Library, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_process, "RENEW_S", 0.01)
    if workers == "ray":
        request.getfixturevalue("cluster")
    changes: dict[str, Any] = {"workers": 2} if workers == "processes" else {"ray": "local"}
    stocked.settings = replace(stocked.settings, **changes)
    choose_model(stocked, STARTER, None)
    job_id = jobs.begin_survey(stocked, start=False)

    def cancel(_done: int, _total: int) -> None:
        jobs.cancel(stocked, job_id)
        for _ in range(2):  # once more than the lease needs to see it
            seen = job_of(stocked, job_id).lease_until
            while job_of(stocked, job_id).lease_until == seen:
                pass

    assert job_process.work(stocked, job_id, surveyed=cancel).state == "cancelled"
    assert balancing.totals(stocked).surveyed == 1


def job_of(library: Library, job_id: int) -> JobRow:
    with library.engines.reading() as session:
        return job_queries.get(job_id, session=session)


def surveyed(library: Library) -> int:
    with library.engines.reading() as session:
        return surveys.totals(library.project_id, session=session).surveyed


def test_a_job_whose_process_is_killed_goes_on_and_leaves_no_worker(stocked: Library) -> None:
    choose_model(stocked, STARTER, None)
    job_id = jobs.begin_survey(stocked, start=False)
    environ = {**os.environ, "MASKSMITH_DATA": str(stocked.settings.data), "MASKSMITH_WORKERS": "2"}
    process = psutil.Popen([sys.executable, "-m", "core.job_process", str(job_id)], env=environ)
    workers: list[psutil.Process] = []
    while process.poll() is None and not surveyed(stocked):
        workers = process.children() or workers
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = surveyed(stocked)
    assert kept >= 1
    assert len(workers) == 2
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
    with stocked.engines.writing() as session:
        row = session.get(Job, job_id)
        assert row is not None
        row.lease_until = now()  # as after half a minute
    ended = job_process.work(stocked, job_id)
    assert ended.state == "done"
    assert surveyed(stocked) == 3
    assert ended.message is not None
    assert ended.message.startswith(f"{3 - kept} image")


def test_a_job_whose_process_cannot_be_started_waits_and_says_why(stocked: Library) -> None:
    (stocked.settings.data / "jobs").touch()  # where its folder must be
    with pytest.raises(StorageError, match=r"the log of job 1 must be writable, got: "):
        jobs.begin_check(stocked)
    assert job_of(stocked, 1).state == "queued"
