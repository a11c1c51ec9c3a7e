"""The process that does a job: it holds the job's lease, and says in the database how far it is."""

import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from core import logs
from core.balancing import arrange
from core.checking import check_library
from core.covering import Report, survey_library
from core.crew.chosen import crew_of
from core.crew.protocol import Crew
from core.crew.worker import give_way
from core.encoding import encode_library
from core.errors import FORESEEN, Conflict
from core.jobs import BLUR, CHECK, COVERAGE, ENCODE, KINDS, LEASE_S, RETRAIN, folder_of
from core.retraining import Progress, retrain
from core.searching import search_library
from core.segmentation.catalogue import load_segmenter
from core.settings import from_environment
from core.training.recipe import Cancelled, Recipe
from core.workshop import Library, chosen_spec, open_library, version_of
from storage import jobs
from storage.errors import StorageError
from storage.rows import JobRow

log = logging.getLogger(__name__)

RENEW_S: Final = 2.0


def work(
    library: Library,
    job_id: int,
    report: Callable[[Progress], None] | None = None,
    *,
    surveyed: Report | None = None,
    alone: bool = False,
) -> JobRow:
    """Do a job in this process, unless another holds it, and return how it ended.

    A retraining tells `report` how far it is, a survey `surveyed`. With `alone` this process does nothing else, and
    ends at once when it finds that it lost the job.

    Raises
    ------
    Conflict
        If the job was taken from this process on the way, because its lease was over: as when the machine slept.
        What the job has come to is left to who holds it now.
    """
    with library.engines.writing() as session:
        holder = jobs.claim(job_id, session=session)
    with library.engines.reading() as session:
        job = jobs.get(job_id, session=session)
    if holder is None:
        return job
    lease = _Lease(library, job_id, holder, alone=alone)
    try:
        with crew_of(library.settings) as crew:
            if job.kind == BLUR:
                _blur(library, job, lease, crew)
            elif job.kind == CHECK:
                _check(library, job, lease, crew)
            elif job.kind == COVERAGE:
                _survey(library, job, lease, crew, surveyed)
            elif job.kind == ENCODE:
                _encode(library, job, lease, crew)
            else:
                _retrain(library, job, lease, crew, report)
    except Cancelled:
        lease.end("cancelled", None)
    except KeyboardInterrupt:
        lease.end("cancelled", None)
        raise
    except FORESEEN as error:
        lease.end("failed", str(error))
    except Exception:
        log.exception("a %s failed", KINDS.get(job.kind, job.kind))
        what = "retraining" if job.kind == RETRAIN else f"the {KINDS[job.kind]}"
        lease.end("failed", f"{what} must go through, but something unforeseen happened; see the log")
        raise
    if lease.lost:
        raise Conflict(f"job {job_id} must stay with the process that does it, but its lease was over and it is not")
    with library.engines.reading() as session:
        return jobs.get(job_id, session=session)


def _retrain(
    library: Library, job: JobRow, lease: "_Lease", crew: Crew, report: Callable[[Progress], None] | None
) -> None:
    def tell(progress: Progress) -> None:
        lease.check()
        if report is not None:
            report(progress)
        lease.progress = {
            "stage": progress.stage,
            "share": round(progress.share, 4),
            "history": [asdict(epoch) for epoch in progress.history],
        }

    spec = chosen_spec(library)
    segmenter = load_segmenter(spec)
    version = version_of(library, segmenter, spec)
    recipe = Recipe(**job.asked["recipe"])
    made = retrain(library, segmenter, version, folder_of(library, job.id), recipe=recipe, report=tell, crew=crew)
    lease.end("done", made.detail["verdict"]["reason"], version_id=made.id)


def _survey(library: Library, job: JobRow, lease: "_Lease", crew: Crew, report: Report | None) -> None:
    """Survey images until as many as were asked for are done, those of a process before this one included."""
    begun, limit = int(job.progress.get("done", 0)), job.asked["limit"]
    lease.progress = {"done": begun}

    def tell(done: int, total: int) -> None:
        lease.progress = {"done": begun + done, "total": begun + total}
        if report is not None:
            report(begun + done, begun + total)
        lease.check()

    spec = chosen_spec(library)
    segmenter = load_segmenter(spec)
    version_of(library, segmenter, spec)
    left = None if limit is None else limit - begun
    try:
        if left is None or left > 0:
            said = survey_library(library, segmenter, limit=left, report=tell, crew=crew).sentence()
        else:
            said = f"{begun} images surveyed."
    finally:
        arrange(library)  # what was surveyed counts, however the run ended
    lease.end("done", said)


def _blur(library: Library, job: JobRow, lease: "_Lease", crew: Crew) -> None:
    """Search the images that no search has reached, those of a process before this one counted in."""
    tell = _counting(lease, int(job.progress.get("done", 0)))
    said = search_library(library.at(job.asked["project_id"]), report=tell, crew=crew)
    lease.end("done", said.sentence())


def _check(library: Library, job: JobRow, lease: "_Lease", crew: Crew) -> None:
    """Ask all checks of every mask; a process after a killed one begins anew, and adds only what is missing."""
    said = check_library(library.at(job.asked["project_id"]), progress=_counting(lease), crew=crew)
    lease.end("done", said.sentence())


def _encode(library: Library, job: JobRow, lease: "_Lease", crew: Crew) -> None:
    """Encode the images that have no embedding yet."""
    segmenter = load_segmenter(chosen_spec(library))
    there = library.at(job.asked["project_id"])
    said = encode_library(there, segmenter, report=_counting(lease), crew=crew)
    lease.end("done", said.sentence())


def _counting(lease: "_Lease", begun: int = 0) -> Report:
    """Return what notes how many images are done, `begun` of them before, and ends the job if that is asked for."""
    lease.progress = {"done": begun}

    def tell(done: int, total: int) -> None:
        lease.progress = {"done": begun + done, "total": begun + total}
        lease.check()

    return tell


class _Lease:
    """Keeps a job's lease and progress in the database from a thread of its own, and knows of a cancelled one.

    A process that hangs in one computation still lives; one that was killed renews nothing. One that slept through its
    lease may have lost the job to another, and then neither ends it nor touches its folder.
    """

    def __init__(self, library: Library, job_id: int, holder: str, *, alone: bool) -> None:
        self._library, self._job_id, self._holder, self._alone = library, job_id, holder, alone
        self.progress: dict[str, Any] = {}
        self.lost = False
        self._cancelled = False
        self._ended = threading.Event()
        self._stopped = False
        self._asked_at = time.time()  # goes on while the machine sleeps, which a monotonic clock need not
        self._before = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._stop)
        self._thread = threading.Thread(target=self._keep, daemon=True, name="lease")
        self._thread.start()

    def check(self) -> None:
        """Raise Cancelled if somebody asked for an end, or the job is another's."""
        if time.time() - self._asked_at > LEASE_S:
            self._renew()  # the machine slept: the job may be another's, and the thread would tell a moment too late
        if self._cancelled or self.lost:
            raise Cancelled

    def end(self, state: str, message: str | None, **more: Any) -> None:
        """Note how the job ended, and remove what it kept on the way: nobody goes on with it."""
        self._ended.set()
        self._thread.join()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._before)
        progress = {**self.progress, **more}
        with self._library.engines.writing() as session:
            ended = jobs.end(self._job_id, self._holder, state, message, progress, session=session)
        if ended:
            shutil.rmtree(folder_of(self._library, self._job_id), ignore_errors=True)
        else:
            self._lose()

    def _stop(self, *_: object) -> None:
        self._stopped = True
        self._ended.set()

    def _keep(self) -> None:
        while not self.lost and not self._ended.wait(RENEW_S):
            self._renew()
        if self._stopped:
            self._let_go()

    def _renew(self) -> None:
        try:
            with self._library.engines.writing() as session:
                asked = jobs.renew(self._job_id, self._holder, self.progress, session=session)
        except StorageError as error:  # the database may be back for the next time
            log.warning("a job's lease could not be renewed: %s", error)
        else:
            self._cancelled = bool(asked)
            if asked is None:
                self._lose()
        self._asked_at = time.time()

    def _lose(self) -> None:
        self.lost = True
        log.warning("job %d is no longer this process's, which leaves it as it is", self._job_id)
        if self._alone:
            os._exit(os.EX_TEMPFAIL)

    def _let_go(self) -> None:
        """End the process at once: what there is on disk is gone on with by the next, which need not wait."""
        try:
            with self._library.engines.writing() as session:
                jobs.let_go(self._job_id, self._holder, self.progress, session=session)
        except StorageError as error:
            log.warning("a job could not be given back, and is taken up when its lease is over: %s", error)
        os._exit(128 + signal.SIGTERM)


def main() -> None:
    """Do the job whose id is given."""
    settings = from_environment()
    logs.begin(settings.log or "text")
    give_way()
    library = open_library(settings, samples=False)
    try:
        work(library, int(sys.argv[1]), alone=True)
    finally:
        library.close()


if __name__ == "__main__":
    main()
