"""Queries about jobs. A process claims a job by one conditional UPDATE, and keeps it while it renews its lease.

Who claims a job gets a token, and only who has the token of the job may renew it, give it back or end it: a process
that slept through its lease finds that another one holds the job. What a lease is compared with is the database's
clock, where there is a server with one, so that servers whose clocks differ agree on who holds a job.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Update, and_, func, or_, select, update
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Job
from storage.rows import JobRow
from storage.types import UTCDateTime, now

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
    query = select(col(Job.id)).where(col(Job.kind) == kind, *_free(_clock(session))).order_by(col(Job.id))
    return [value for value in session.scalars(query) if value is not None]


def hand_over(job_id: int, *, session: Session) -> bool:
    """Promise a job that nobody holds to a process that is about to start; return whether this call may start it."""
    at = _clock(session)
    query = update(Job).where(col(Job.id) == job_id, *_free(at))
    result: Any = session.execute(query.values(state="queued", lease_until=at + LEASE, holder=None))
    return bool(result.rowcount == 1)


def claim(job_id: int, *, session: Session) -> str | None:
    """Take a job that waits, or that nobody holds any more; return the token of who holds it now, None if another."""
    at, holder = _clock(session), secrets.token_hex(16)
    lapsed = and_(col(Job.state) == "running", *_free(at))
    query = update(Job).where(col(Job.id) == job_id, or_(col(Job.state) == "queued", lapsed))
    result: Any = session.execute(query.values(state="running", lease_until=at + LEASE, holder=holder))
    return holder if result.rowcount == 1 else None


def renew(job_id: int, holder: str, progress: dict[str, Any], *, session: Session) -> bool | None:
    """Keep a job for another while and say how far it is.

    Returns
    -------
    bool or None
        Whether its end is asked for; None if this holder has the job no longer, and nothing was written.
    """
    query = _held(job_id, holder).values(lease_until=_clock(session) + LEASE, progress=progress)
    return session.scalars(query.returning(col(Job.cancel_asked))).first()


def let_go(job_id: int, holder: str, progress: dict[str, Any], *, session: Session) -> None:
    """Give back a job that is not at its end, for whoever starts next, unless another one holds it."""
    session.execute(_held(job_id, holder).values(state="queued", lease_until=None, progress=progress, holder=None))


def ask_to_cancel(job_id: int, *, session: Session) -> None:
    """Ask a job to end. One that nobody holds ends at once; one that has ended stays as it is."""
    free = update(Job).where(col(Job.id) == job_id, *_free(_clock(session)))
    session.execute(free.values(state="cancelled", cancel_asked=True, ended_at=now(), lease_until=None))
    session.execute(update(Job).where(col(Job.id) == job_id, col(Job.state).in_(OPEN)).values(cancel_asked=True))


def end(
    job_id: int, holder: str, state: str, message: str | None, progress: dict[str, Any], *, session: Session
) -> bool:
    """Note how a job ended: "done", "failed" or "cancelled", and what is to be said of it.

    Return False, with nothing written, if this holder has the job no longer.
    """
    said = None if message is None else message[:500]
    query = _held(job_id, holder).values(
        state=state, message=said, progress=progress, ended_at=now(), lease_until=None, holder=None
    )
    result: Any = session.execute(query)
    return bool(result.rowcount == 1)


def _held(job_id: int, holder: str) -> Update:
    return update(Job).where(col(Job.id) == job_id, col(Job.state) == "running", col(Job.holder) == holder)


def _free(at: datetime) -> tuple[Any, Any]:
    lapsed = or_(col(Job.lease_until).is_(None), col(Job.lease_until) < at)
    return col(Job.state).in_(OPEN), lapsed


def _clock(session: Session) -> datetime:
    """Return what time it is for everybody who holds jobs; a SQLite file is on the machine of all of them."""
    if session.get_bind().dialect.name == "sqlite":
        return now()
    # Not when the transaction began: it may have waited for another writer since.
    at: datetime = session.execute(select(func.clock_timestamp(type_=UTCDateTime()))).scalar_one()
    return at


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
