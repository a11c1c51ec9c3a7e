"""Jobs: one process at a time holds one, whoever dies gives it up, an end is an end."""

from datetime import timedelta

import pytest

from storage import jobs
from storage.engine import Engines
from storage.errors import MissingRow
from storage.models import Job
from storage.types import now


def queued(engines: Engines) -> int:
    with engines.writing() as session:
        return jobs.add("retrain", {"epochs": 2}, session=session)


def lapse(engines: Engines, job_id: int) -> None:
    """Let a job's lease have run out, as when its process was killed."""
    with engines.writing() as session:
        job = session.get(Job, job_id)
        assert job is not None
        job.lease_until = now() - timedelta(seconds=1)


def test_a_job_is_claimed_once_until_its_lease_has_lapsed(engines: Engines) -> None:
    job_id = queued(engines)
    with engines.writing() as session:
        assert jobs.unattended("retrain", session=session) == [job_id]
        assert jobs.claim(job_id, session=session)
        assert not jobs.claim(job_id, session=session)
        assert jobs.unattended("retrain", session=session) == []
    lapse(engines, job_id)
    with engines.writing() as session:
        assert jobs.unattended("retrain", session=session) == [job_id]
        assert jobs.claim(job_id, session=session)
        assert jobs.get(job_id, session=session).state == "running"


def test_one_of_many_may_start_the_process_of_a_job(engines: Engines) -> None:
    job_id = queued(engines)
    with engines.writing() as session:
        assert jobs.hand_over(job_id, session=session)
        assert not jobs.hand_over(job_id, session=session)
        assert jobs.unattended("retrain", session=session) == []
        assert jobs.claim(job_id, session=session), "the process that was started takes it"
        assert not jobs.hand_over(job_id, session=session)
    lapse(engines, job_id)
    with engines.writing() as session:
        assert jobs.hand_over(job_id, session=session)
        assert jobs.get(job_id, session=session).state == "queued"
        assert jobs.claim(job_id, session=session)
        assert not jobs.claim(job_id, session=session)


def test_progress_is_kept_and_an_end_is_asked_for(engines: Engines) -> None:
    job_id = queued(engines)
    with engines.writing() as session:
        jobs.claim(job_id, session=session)
        assert not jobs.renew(job_id, {"share": 0.5}, session=session)
        jobs.ask_to_cancel(job_id, session=session)
        assert jobs.renew(job_id, {"share": 0.6}, session=session)
    with engines.writing() as session:
        job = jobs.get(job_id, session=session)
        assert (job.state, job.progress, job.is_open) == ("running", {"share": 0.6}, True)
        jobs.end(job_id, "cancelled", None, {}, session=session)
        jobs.end(job_id, "done", "too late", {}, session=session)
        jobs.ask_to_cancel(job_id, session=session)
    with engines.reading() as session:
        job = jobs.get(job_id, session=session)
        assert (job.state, job.message, job.is_open) == ("cancelled", None, False)
        assert job.ended_at is not None
        assert jobs.unattended("retrain", session=session) == []


def test_a_job_that_nobody_holds_is_cancelled_at_once(engines: Engines) -> None:
    job_id = queued(engines)
    with engines.writing() as session:
        jobs.ask_to_cancel(job_id, session=session)
        assert not jobs.claim(job_id, session=session)
        assert jobs.get(job_id, session=session).state == "cancelled"


def test_the_newest_is_found_and_none_is_none(engines: Engines) -> None:
    with engines.reading() as session:
        assert jobs.newest("retrain", session=session) is None
        with pytest.raises(MissingRow, match="job 7 must exist"):
            jobs.get(7, session=session)
    _, second = queued(engines), queued(engines)
    with engines.reading() as session:
        found = jobs.newest("retrain", session=session)
        assert found is not None
        assert (found.id, found.asked) == (second, {"epochs": 2})
