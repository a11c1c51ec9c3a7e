"""The process that does a job: it holds the job's lease, and says in the database how far it is."""

import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from core.errors import FORESEEN
from core.jobs import folder_of
from core.retraining import Progress, retrain
from core.segmentation.catalogue import load_segmenter
from core.settings import from_environment
from core.training.recipe import Cancelled, Recipe
from core.workshop import Library, chosen_spec, open_library, version_of
from storage import jobs
from storage.errors import StorageError
from storage.rows import JobRow

log = logging.getLogger(__name__)

RENEW_S: Final = 2.0
NICE: Final = 15


def work(library: Library, job_id: int, report: Callable[[Progress], None] | None = None) -> JobRow:
    """Do a job in this process, unless another holds it, and return how it ended."""
    with library.engines.writing() as session:
        mine = jobs.claim(job_id, session=session)
    with library.engines.reading() as session:
        job = jobs.get(job_id, session=session)
    if not mine:
        return job
    lease, folder = _Lease(library, job_id, report), folder_of(library, job_id)
    try:
        spec = chosen_spec(library)
        segmenter = load_segmenter(spec)
        made = retrain(
            library,
            segmenter,
            version_of(library, segmenter, spec),
            folder,
            recipe=Recipe(**job.asked["recipe"]),
            report=lease,
        )
        lease.end("done", made.detail["verdict"]["reason"], version_id=made.id)
    except Cancelled:
        lease.end("cancelled", None)
    except KeyboardInterrupt:
        lease.end("cancelled", None)
        raise
    except FORESEEN as error:
        lease.end("failed", str(error))
    except Exception:
        log.exception("retraining failed")
        lease.end("failed", "retraining must go through, but something unforeseen happened; see the log")
        raise
    finally:
        # The job has ended, so nobody goes on with it; a process that is killed does not come here.
        shutil.rmtree(folder, ignore_errors=True)
    with library.engines.reading() as session:
        return jobs.get(job_id, session=session)


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


def main() -> None:
    """Do the job whose id is given."""
    logging.basicConfig(level=logging.INFO)
    _give_way()
    library = open_library(from_environment(), samples=False)
    try:
        work(library, int(sys.argv[1]))
    finally:
        library.close()


def _give_way() -> None:
    """Let people's clicks go first: this process runs where nothing else wants to."""
    os.nice(NICE)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    main()
