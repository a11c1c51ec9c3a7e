"""Retraining as a job: a process of its own that outlives the page, and that a new start of the server goes on with.

The process holds a lease in the database and renews it while it works; whoever finds an open job without one starts
a process for it. What it learned is on disk after each epoch, so that one is the most that is lost.
"""

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from core.errors import Conflict
from core.roles import require
from core.segmentation.catalogue import GRABCUT
from core.settings import Settings
from core.training.recipe import Recipe
from core.workshop import Library, chosen_spec
from storage import events, jobs
from storage.rows import JobRow

RETRAIN: Final = "retrain"


def newest(library: Library) -> JobRow | None:
    """Return the retraining that was asked for last, or None."""
    with library.engines.reading() as session:
        return jobs.newest(RETRAIN, session=session)


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
    with library.engines.writing() as session:
        last = jobs.newest(RETRAIN, session=session)
        if last is not None and last.is_open:
            raise Conflict(f"a retraining must end before another begins, but job {last.id} is at work")
        job_id = jobs.add(RETRAIN, {"recipe": asdict(recipe or Recipe())}, session=session)
        events.add("retrain", person_id=library.person_id, detail={"job_id": job_id}, session=session)
    if start:
        take_up(library)
    return job_id


def cancel(library: Library, job_id: int) -> None:
    """Ask a retraining to end; nothing of it is kept.

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
    """Start a process for each open job that none holds: a new one, or one whose process was killed."""
    with library.engines.reading() as session:
        left = jobs.unattended(RETRAIN, session=session)
    for job_id in left:
        with library.engines.writing() as session:
            mine = jobs.hand_over(job_id, session=session)
        if mine:
            _start(library.settings, job_id)


def folder_of(library: Library, job_id: int) -> Path:
    """Return where a job keeps what it has learned so far."""
    return library.settings.data / "jobs" / str(job_id)


def _start(settings: Settings, job_id: int) -> None:
    """Start a process that outlives this one; whoever claims the job first does it."""
    environ = {
        **os.environ,
        "MASKSMITH_DATA": str(settings.data),
        "DATABASE_URL": settings.database_url,
        "MASKSMITH_DEVICE": settings.device,
        **({"MASKSMITH_MODEL": settings.model} if settings.model else {}),
        # One thread: the others are for people's clicks.
        "OMP_NUM_THREADS": "1",
    }
    logs = settings.data / "jobs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{job_id}.log").open("ab") as log_file:
        subprocess.Popen(
            [sys.executable, "-m", "core.job_process", str(job_id)],
            cwd=Path(__file__).parent.parent,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
        )
