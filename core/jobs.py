"""Retraining, surveys, checks, encoding ahead and searches for faces as jobs: processes of their own that outlive the
page, and that a new start goes on with.

The process holds a lease in the database and renews it while it works; whoever finds an open job without one starts
a process for it. What a retraining learned is on disk after each epoch, of the others what each image came to: no more
is lost.
"""

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from core.errors import Conflict
from core.roles import require
from core.segmentation.catalogue import GRABCUT, keeps_embeddings
from core.settings import Settings
from core.training.recipe import Recipe
from core.workshop import Library, chosen_spec
from storage import events, jobs
from storage.errors import StorageError, unwritable
from storage.rows import JobRow

RETRAIN: Final = "retrain"
COVERAGE: Final = "coverage"
LEASE_S: Final = jobs.LEASE.total_seconds()
"""How long after its process was killed a job can be taken up."""
BLUR: Final = "blur"
CHECK: Final = "check"
ENCODE: Final = "encode"
KINDS: Final = {
    RETRAIN: "retraining",
    COVERAGE: "survey",
    BLUR: "search for faces",
    CHECK: "check of all masks",
    ENCODE: "run of encoding ahead",
}


def newest(library: Library, kind: str = RETRAIN) -> JobRow | None:
    """Return the job of a kind that was asked for last, or None."""
    with library.engines.reading() as session:
        return jobs.newest(kind, session=session)


def begin(library: Library, recipe: Recipe | None = None, *, start: bool = True) -> int:
    """Ask for a retraining, let a process begin it, and return its id.

    Raises
    ------
    Conflict
        If one is open already, or the model that answers has nothing that learns.
    Forbidden
        If the person may not.
    """
    require(library, "models")
    if (name := chosen_spec(library).name) == GRABCUT:
        raise Conflict(f"a model must have weights to be retrained, but {name} has none")
    return _add(library, RETRAIN, {"recipe": asdict(recipe or Recipe())}, start=start)


def begin_survey(library: Library, limit: int | None = None, *, start: bool = True) -> int:
    """Ask for surveys of up to `limit` images that have no fresh one, let a process begin, and return the job's id.

    Raises
    ------
    Conflict
        If a survey is at work already, or the model that answers has no weights.
    Forbidden
        If the person may not.
    """
    require(library, "models")
    if (name := chosen_spec(library).name) == GRABCUT:
        raise Conflict(f"a survey needs a model with weights, but {name} has none")
    return _add(library, COVERAGE, {"limit": limit}, start=start)


def begin_blur(library: Library, *, start: bool = True) -> int:
    """Ask for a search of the project's images for faces and plates, let a process begin, and return the job's id.

    Raises
    ------
    Conflict
        If one is at work already.
    Forbidden
        If the person may not.
    """
    require(library, "privacy")
    return _add(library, BLUR, {"project_id": library.project_id}, start=start)


def begin_check(library: Library, *, start: bool = True) -> int:
    """Ask for every check of every mask of the project, let a process begin, and return the job's id.

    Raises
    ------
    Conflict
        If one is at work already.
    Forbidden
        If the person may not.
    """
    require(library, "models")
    return _add(library, CHECK, {"project_id": library.project_id}, start=start)


def begin_encode(library: Library, *, start: bool = True) -> int:
    """Ask for the project's images to be encoded ahead, let a process begin, and return the job's id.

    Raises
    ------
    Conflict
        If one is at work already, or the model that answers keeps no embeddings.
    Forbidden
        If the person may not.
    """
    require(library, "models")
    if not keeps_embeddings(name := chosen_spec(library).name):
        raise Conflict(f"encoding ahead needs a model whose embeddings are kept, but {name} encodes when it is asked")
    return _add(library, ENCODE, {"project_id": library.project_id}, start=start)


def _add(library: Library, kind: str, asked: dict[str, Any], *, start: bool) -> int:
    with library.engines.writing() as session:
        last = jobs.newest(kind, session=session)
        if last is not None and last.is_open:
            raise Conflict(f"a {KINDS[kind]} must end before another begins, but job {last.id} is at work")
        job_id = jobs.add(kind, asked, session=session)
        events.add(kind, person_id=library.person_id, detail={"job_id": job_id}, session=session)
    if start:
        take_up(library)
    return job_id


def cancel(library: Library, job_id: int) -> None:
    """Ask a job to end. Nothing of a retraining is kept; of a survey, the images that are done.

    Raises
    ------
    MissingRow
        If there is none of this id.
    Forbidden
        If the person may not.
    """
    require(library, "models")
    with library.engines.writing() as session:
        jobs.get(job_id, session=session)
        jobs.ask_to_cancel(job_id, session=session)


def take_up(library: Library) -> None:
    """Start a process for each open job that none holds: a new one, or one whose process was killed.

    Raises
    ------
    StorageError
        If a process cannot be started; its job is taken up again once the lease that it was promised is over.
    """
    with library.engines.reading() as session:
        left = [job_id for kind in KINDS for job_id in jobs.unattended(kind, session=session)]
    for job_id in left:
        with library.engines.writing() as session:
            mine = jobs.hand_over(job_id, session=session)
        if mine:
            _start(library.settings, job_id)


def folder_of(library: Library, job_id: int) -> Path:
    """Return where a job keeps what it has learned so far."""
    return library.settings.data / "jobs" / str(job_id)


def _start(settings: Settings, job_id: int) -> None:
    """Start a process that outlives this one; whoever claims the job first does it.

    Raises
    ------
    StorageError
        If there is no room or no process to be had. The job waits, and is taken up later.
    """
    environ = {
        **os.environ,
        "MASKSMITH_DATA": str(settings.data),
        "DATABASE_URL": settings.database_url,
        "MASKSMITH_DEVICE": settings.device,
        "MASKSMITH_FILES": settings.files_url or "",
        "MASKSMITH_WORKERS": str(settings.workers),
        "MASKSMITH_RAY": settings.ray or "",
        **({"MASKSMITH_MODEL": settings.model} if settings.model else {}),
        # One thread: the others are for people's clicks.
        "OMP_NUM_THREADS": "1",
    }
    folder = settings.data / "jobs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log_file = (folder / f"{job_id}.log").open("ab")
    except OSError as error:
        raise unwritable(f"the log of job {job_id}", error) from error
    with log_file:
        try:
            subprocess.Popen(
                [sys.executable, "-m", "core.job_process", str(job_id)],
                cwd=Path(__file__).parent.parent,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=log_file,
                start_new_session=True,
            )
        except OSError as error:
            raise StorageError(f"a process for job {job_id} must be able to start, got: {error.strerror}") from error
