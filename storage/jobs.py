"""Queries about jobs. A process claims a job by one conditional UPDATE, and keeps it while it renews its lease."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import and_, func, or_, select, update
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Job
from storage.rows import JobRow
from storage.types import now

LEASE: Final = timedelta(seconds=30)
OPEN: Final = ("queued", "running")


def add(kind: str, asked: dict[str, Any], *, session: Session) -> int:
    """Queue a job and return its id."""
    job = Job(kind=kind, asked=asked)
    session.add(job)
    session.flush()
    return job.id or 0


def get(job_id: int, *, session: Session) -> JobRow:
    """Return a job.

    Raises
    ------
    MissingRow
        If there is none.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise MissingRow(f"job {job_id} must exist, but does not")
    return _row(job)


def newest(kind: str, *, session: Session) -> JobRow | None:
    """Return the job of a kind that was asked for last, or None."""
    job = session.scalars(select(Job).where(col(Job.kind) == kind).order_by(col(Job.id).desc()).limit(1)).first()
    return None if job is None else _row(job)


def open_by_state(*, session: Session) -> dict[str, int]:
    """Return how many jobs are queued and how many run."""
    query = select(col(Job.state), func.count()).where(col(Job.state).in_(OPEN)).group_by(col(Job.state))
    return dict.fromkeys(OPEN, 0) | {row[0]: row[1] for row in session.execute(query)}


def unattended(kind: str, *, session: Session) -> list[int]:
    """Return the ids of open jobs that no living process holds, oldest first."""
    query = select(col(Job.id)).where(col(Job.kind) == kind, *_free()).order_by(col(Job.id))
    return [value for value in session.scalars(query) if value is not None]


def hand_over(job_id: int, *, session: Session) -> bool:
    """Promise a job that nobody holds to a process that is about to start; return whether this call may start it."""
    query = update(Job).where(col(Job.id) == job_id, *_free())
    result: Any = session.execute(query.values(state="queued", lease_until=now() + LEASE))
    return bool(result.rowcount == 1)


def claim(job_id: int, *, session: Session) -> bool:
    """Take a job that waits, or that nobody holds any more; return whether this call got it."""
    lapsed = and_(col(Job.state) == "running", *_free())
    query = update(Job).where(col(Job.id) == job_id, or_(col(Job.state) == "queued", lapsed))
    result: Any = session.execute(query.values(state="running", lease_until=now() + LEASE))
    return bool(result.rowcount == 1)


def renew(job_id: int, progress: dict[str, Any], *, session: Session) -> bool:
    """Keep a job for another while and say how far it is; return whether its end is asked for."""
    job = session.get(Job, job_id)
    if job is None:
        return True
    job.lease_until = now() + LEASE
    job.progress = progress
    return job.cancel_asked


def let_go(job_id: int, progress: dict[str, Any], *, session: Session) -> None:
    """Give back a job that is not at its end, for whoever starts next."""
    query = update(Job).where(col(Job.id) == job_id, col(Job.state) == "running")
    session.execute(query.values(state="queued", lease_until=None, progress=progress))


def ask_to_cancel(job_id: int, *, session: Session) -> None:
    """Ask a job to end. One that nobody holds ends at once; one that has ended stays as it is."""
    free = update(Job).where(col(Job.id) == job_id, *_free())
    session.execute(free.values(state="cancelled", cancel_asked=True, ended_at=now(), lease_until=None))
    session.execute(update(Job).where(col(Job.id) == job_id, col(Job.state).in_(OPEN)).values(cancel_asked=True))


def end(job_id: int, state: str, message: str | None, progress: dict[str, Any], *, session: Session) -> None:
    """Note how a job ended: "done", "failed" or "cancelled", and what is to be said of it."""
    query = update(Job).where(col(Job.id) == job_id, col(Job.state).in_(OPEN))
    said = None if message is None else message[:500]
    session.execute(query.values(state=state, message=said, progress=progress, ended_at=now(), lease_until=None))


def _free() -> tuple[Any, Any]:
    lapsed = or_(col(Job.lease_until).is_(None), col(Job.lease_until) < now())
    return col(Job.state).in_(OPEN), lapsed


def _row(job: Job) -> JobRow:
    return JobRow(
        job.id or 0,
        job.kind,
        job.state,
        job.asked,
        job.progress,
        job.message,
        job.cancel_asked,
        job.lease_until,
        job.created_at,
        job.ended_at,
    )
