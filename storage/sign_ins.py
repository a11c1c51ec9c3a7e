"""Queries about sign-ins: which browser is whose, and until when."""

from datetime import datetime

from sqlalchemy import and_, delete, select, update
from sqlmodel import Session, col

from storage.models import Person, SignIn
from storage.rows import SignInRow


def add(
    token_sha256: str,
    person_id: int,
    *,
    at: datetime,
    expires_at: datetime,
    session: Session,
    by_provider: bool = False,
) -> None:
    """Note that a person is signed in where the token is."""
    session.add(
        SignIn(
            token_sha256=token_sha256,
            person_id=person_id,
            created_at=at,
            seen_at=at,
            expires_at=expires_at,
            by_provider=by_provider,
        )
    )
    session.flush()


def find(token_sha256: str, *, at: datetime, session: Session) -> SignInRow | None:
    """Return the sign-in of a token, or None if it is unknown, over, revoked, or of somebody deactivated."""
    query = (
        select(
            col(SignIn.id),
            col(Person.id),
            col(Person.name),
            col(Person.role),
            # Who did not sign in with a password need not change it.
            and_(col(Person.must_change), col(SignIn.by_provider).is_(False)),
            col(SignIn.created_at),
            col(SignIn.seen_at),
        )
        .join(Person, col(Person.id) == col(SignIn.person_id))
        .where(
            col(SignIn.token_sha256) == token_sha256,
            col(SignIn.revoked_at).is_(None),
            col(SignIn.expires_at) > at,
            col(Person.deactivated_at).is_(None),
        )
    )
    found = session.execute(query).one_or_none()
    return None if found is None else SignInRow(*found)


def seen(sign_in_id: int, *, at: datetime, expires_at: datetime, session: Session) -> None:
    """Note that a sign-in was used, and until when it holds now."""
    query = update(SignIn).where(col(SignIn.id) == sign_in_id)
    session.execute(query.values(seen_at=at, expires_at=expires_at))


def revoke(token_sha256: str, *, at: datetime, session: Session) -> int | None:
    """End the sign-in of a token; return whose it was, or None if it did not hold."""
    found = session.scalars(
        select(SignIn).where(col(SignIn.token_sha256) == token_sha256, col(SignIn.revoked_at).is_(None))
    ).one_or_none()
    if found is None:
        return None
    found.revoked_at = at
    session.flush()
    return found.person_id


def revoke_all(person_id: int, *, at: datetime, session: Session, by_provider: bool = False) -> None:
    """End all sign-ins of a person, or those by a provider alone."""
    query = update(SignIn).where(col(SignIn.person_id) == person_id, col(SignIn.revoked_at).is_(None))
    if by_provider:
        query = query.where(col(SignIn.by_provider).is_(True))
    session.execute(query.values(revoked_at=at))


def forget(person_id: int, *, before: datetime, session: Session) -> None:
    """Delete a person's sign-ins that were last used before a moment."""
    session.execute(delete(SignIn).where(col(SignIn.person_id) == person_id, col(SignIn.seen_at) < before))
