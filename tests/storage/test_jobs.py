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
        holder = jobs.claim(job_id, session=session)
        assert holder is not None
        assert jobs.renew(job_id, holder, {"share": 0.5}, session=session) is False
        jobs.ask_to_cancel(job_id, session=session)
        assert jobs.renew(job_id, holder, {"share": 0.6}, session=session)
    with engines.writing() as session:
        job = jobs.get(job_id, session=session)
        assert (job.state, job.progress, job.is_open) == ("running", {"share": 0.6}, True)
        assert jobs.end(job_id, holder, "cancelled", None, {}, session=session)
        assert not jobs.end(job_id, holder, "done", "too late", {}, session=session)
        jobs.ask_to_cancel(job_id, session=session)
    with engines.reading() as session:
        job = jobs.get(job_id, session=session)
        assert (job.state, job.message, job.is_open) == ("cancelled", None, False)
        assert job.ended_at is not None
        assert jobs.unattended("retrain", session=session) == []


def test_who_slept_through_a_lease_goes_on_only_if_nobody_else_holds_the_job(engines: Engines) -> None:
    job_id = queued(engines)
    with engines.writing() as session:
        sleeper = jobs.claim(job_id, session=session)
    assert sleeper is not None
    lapse(engines, job_id)
    with engines.writing() as session:
        assert jobs.renew(job_id, sleeper, {"share": 0.1}, session=session) is False
    lapse(engines, job_id)
    with engines.writing() as session:
        assert jobs.hand_over(job_id, session=session)
        assert jobs.renew(job_id, sleeper, {"share": 0.2}, session=session) is None
        taker = jobs.claim(job_id, session=session)
        assert taker is not None
        assert taker != sleeper
        assert jobs.renew(job_id, sleeper, {"share": 0.3}, session=session) is None
        jobs.let_go(job_id, sleeper, {"share": 0.4}, session=session)
        assert not jobs.end(job_id, sleeper, "failed", "not to be said", {}, session=session)
    with engines.writing() as session:
        job = jobs.get(job_id, session=session)
        assert (job.state, job.message, job.progress) == ("running", None, {"share": 0.1})
        assert jobs.renew(job_id, taker, {"share": 0.5}, session=session) is False
        assert jobs.end(job_id, taker, "done", "all of it", {"share": 1}, session=session)
    with engines.reading() as session:
        assert jobs.get(job_id, session=session).message == "all of it"


def test_leases_are_compared_by_the_clock_of_a_database_that_has_one(postgresql: Engines) -> None:
    job_id, ahead = queued(postgresql), timedelta(hours=1)
    with postgresql.write.begin() as connection:  # the server's clock is an hour ahead of this machine's
        connection.exec_driver_sql("CREATE SCHEMA ahead")
        connection.exec_driver_sql(
            "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            "$$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$"
        )
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET search_path = ahead, pg_catalog, public')
    postgresql.dispose()
    with postgresql.writing() as session:
        holder = jobs.claim(job_id, session=session)
        assert holder is not None
        assert jobs.unattended("retrain", session=session) == []
    for _ in range(2):  # after it was claimed, and after it was renewed
        with postgresql.writing() as session:
            lease = jobs.get(job_id, session=session).lease_until
            assert lease is not None
            assert lease > now() + ahead - timedelta(minutes=1)
            assert jobs.renew(job_id, holder, {}, session=session) is False
    with postgresql.writing() as session:
        job = session.get(Job, job_id)
        assert job is not None
        job.lease_until = now() + ahead / 2  # over, by the server's clock
    with postgresql.writing() as session:
        assert jobs.unattended("retrain", session=session) == [job_id]
        assert jobs.hand_over(job_id, session=session)


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
