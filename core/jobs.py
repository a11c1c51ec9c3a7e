"""Retraining as a job: a process of its own that outlives the page, and that a new start of the server goes on with.

The process holds a lease in the database and renews it while it works; whoever finds an open job without one starts
a process for it. What it learned is on disk after each epoch, so that one is the most that is lost.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from core.errors import FORESEEN, Conflict
from core.retraining import Progress, retrain
from core.segmentation.catalogue import load_segmenter
from core.segmentation.heads import head_of
from core.settings import Settings, from_environment
from core.training.retrain import Cancelled, Recipe
from core.workshop import Library, chosen_spec, open_library, version_of
from storage import jobs
from storage.errors import StorageError
from storage.rows import JobRow

log = logging.getLogger(__name__)

RETRAIN: Final = "retrain"
RENEW_S: Final = 2.0
NICE: Final = 15
"""A job gives way to people's clicks."""


def newest(library: Library) -> JobRow | None:
    """Return the retraining that was asked for last, or None."""
    with library.engines.reading() as session:
        return jobs.newest(RETRAIN, session=session)


def begin(library: Library, recipe: Recipe | None = None, *, start: bool = True) -> int:
    """Ask for a retraining, let a process begin it, and return its id.

    Raises
    ------
    Conflict
        If one is open already.
    ModelUnavailable
        If the model that answers cannot be retrained.
    """
    head_of(load_segmenter(chosen_spec(library)))
    with library.engines.writing() as session:
        last = jobs.newest(RETRAIN, session=session)
        if last is not None and last.is_open:
            raise Conflict(f"a retraining must end before another begins, but job {last.id} is at work")
        job_id = jobs.add(RETRAIN, {"recipe": asdict(recipe or Recipe())}, session=session)
    if start:
        _start(library.settings, job_id)
    return job_id


def cancel(library: Library, job_id: int) -> None:
    """Ask a retraining to end; nothing of it is kept."""
    with library.engines.writing() as session:
        jobs.ask_to_cancel(job_id, session=session)


def take_up(library: Library) -> None:
    """Start a process for each open job that none holds: what a stopped server or a killed process left."""
    with library.engines.reading() as session:
        left = jobs.unattended(RETRAIN, session=session)
    for job_id in left:
        _start(library.settings, job_id)


def work(library: Library, job_id: int, report: Callable[[Progress], None] | None = None) -> JobRow:
    """Do a job in this process, unless another holds it, and return how it ended."""
    with library.engines.writing() as session:
        mine = jobs.claim(job_id, session=session)
    with library.engines.reading() as session:
        job = jobs.get(job_id, session=session)
    if not mine:
        return job
    lease = _Lease(library, job_id, report)
    try:
        spec = chosen_spec(library)
        segmenter = load_segmenter(spec)
        made = retrain(
            library,
            segmenter,
            version_of(library, segmenter, spec),
            folder_of(library, job_id),
            recipe=Recipe(**job.asked["recipe"]),
            report=lease,
        )
        lease.end("done", made.detail["verdict"]["reason"], version_id=made.id)
    except Cancelled:
        lease.end("cancelled", None)
    except FORESEEN as error:
        lease.end("failed", str(error))
    except Exception:
        log.exception("retraining failed")
        lease.end("failed", "retraining must go through, but something unforeseen happened; see the log")
        raise
    with library.engines.reading() as session:
        return jobs.get(job_id, session=session)


def folder_of(library: Library, job_id: int) -> Path:
    """Return where a job keeps what it has learned so far."""
    return library.settings.data / "jobs" / str(job_id)


class _Lease:
    """Keeps a job's lease and progress in the database from a thread of its own; as a report it ends what is cancelled.

    A process that hangs in one computation still lives; one that was killed renews nothing.
    """

    def __init__(self, library: Library, job_id: int, report: Callable[[Progress], None] | None) -> None:
        self._library, self._job_id, self._report = library, job_id, report
        self._progress: dict[str, Any] = {}
        self._cancelled = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="lease")
        self._thread.start()

    def __call__(self, progress: Progress) -> None:
        if self._cancelled:
            raise Cancelled
        if self._report:
            self._report(progress)
        self._progress = {
            "stage": progress.stage,
            "share": round(progress.share, 4),
            "history": [asdict(epoch) for epoch in progress.history],
        }

    def end(self, state: str, message: str | None, **more: Any) -> None:
        self._ended.set()
        self._thread.join()
        with self._library.engines.writing() as session:
            jobs.end(self._job_id, state, message, {**self._progress, **more}, session=session)

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_S):
            try:
                with self._library.engines.writing() as session:
                    self._cancelled = jobs.renew(self._job_id, self._progress, session=session)
            except StorageError as error:  # the database may be back for the next time
                log.warning("a job's lease could not be renewed: %s", error)


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
            [sys.executable, "-m", "core.jobs", str(job_id)],
            cwd=Path(__file__).parent.parent,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
        )


def main() -> None:
    """Do the job whose id is given."""
    logging.basicConfig(level=logging.INFO)
    os.nice(NICE)
    library = open_library(from_environment(), samples=False)
    try:
        work(library, int(sys.argv[1]))
    finally:
        library.close()


if __name__ == "__main__":
    main()
