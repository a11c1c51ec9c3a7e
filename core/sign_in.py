"""Signing in: from a name and a password to a token, and from a token to the library in its person's hands.

A token is 256 random bits. Its browser keeps it; the database keeps its hash, so that neither a backup nor a look into
the database signs anybody in.
"""

import hashlib
import ipaddress
import logging
import math
import secrets
from datetime import datetime, timedelta
from typing import Final, TypeVar

from core import passwords
from core.errors import Forbidden, InvalidInput, NotSignedIn, PasswordDue, TooManyAttempts
from core.names import person_name
from core.roles import check_role
from core.settings import Settings
from core.workshop import Library, open_library
from storage import events, leases, people, sign_ins
from storage.engine import Session
from storage.errors import StorageError
from storage.rows import PersonRow, SignInRow
from storage.types import now

log = logging.getLogger(__name__)

L = TypeVar("L", bound=Library)

IDLE: Final = timedelta(hours=12)
LONGEST: Final = timedelta(days=7)
COOKIE: Final = "masksmith_session"
"""Carries a token, for routes and pages alike."""
NOTED_EVERY: Final = timedelta(minutes=1)
"""A sign-in in use is written down this often, not with each request."""
REMEMBERED: Final = timedelta(days=90)


def required(library: Library) -> bool:
    """Return whether people must sign in: the settings say so, a provider is set up, or somebody has a password.

    Once it was so it stays so until the server stops, and is not looked up again.
    """
    if not library.sign_in_required:
        settings = library.settings
        library.sign_in_required = settings.sign_in or settings.provider or anybody_can(library)
    return library.sign_in_required


def anybody_can(library: Library) -> bool:
    """Return whether anybody has a password, or an e-mail address where a provider is set up."""
    with library.engines.reading() as session:
        if people.any_password(session=session):
            return True
        return library.settings.provider and people.any_email(session=session)


def has_password(library: Library) -> bool:
    """Return whether the person at work has a password, and does not sign in by a provider alone."""
    with library.engines.reading() as session:
        return people.get(library.person_id, session=session).password_hash is not None


def whose(library: L, token: str | None) -> L:
    """Return the library in the hands of the person whose token this is; alone on a machine, as it is.

    Raises
    ------
    NotSignedIn
        If sign-in is required and the token is missing, unknown, over or revoked, or its person deactivated.
    PasswordDue
        If that person must choose a password of their own first.
    """
    if not required(library):
        return library
    found = _found(library, token)
    if found.must_change:
        raise PasswordDue("you must choose a password of your own first, but still have the one made for you")
    return library.for_person(found.person_id, check_role(found.role))


def holder(library: Library, token: str | None) -> SignInRow | None:
    """Return who is signed in, a password being due or not; None alone on a machine.

    Raises
    ------
    NotSignedIn
        As `whose`.
    """
    return _found(library, token) if required(library) else None


def sign_in(library: Library, name: str, password: str, *, address: str) -> str:
    """Return a new token for a person, once their name and password fit.

    An unknown name takes as long as a wrong password and gets the same answer.

    Raises
    ------
    NotSignedIn
        If they do not fit, or the person is deactivated.
    TooManyAttempts
        If too many attempts failed under this name, or from this address, within the last minutes.
    """
    person = _proved(library, name, password, address)
    if person is None:
        raise NotSignedIn("name and password must be those of somebody on the team, but they do not fit")
    with library.engines.writing() as session:
        events.add("sign_in", person_id=person.id, session=session)
        return begin(person.id, session)


def begin(person_id: int, session: Session, *, by_provider: bool = False) -> str:
    """Return the token of a new sign-in of somebody who has proved who they are; old ones are forgotten."""
    at, token = now(), secrets.token_urlsafe(32)
    sign_ins.forget(person_id, before=at - REMEMBERED, session=session)
    sign_ins.add(_hash(token), person_id, at=at, expires_at=at + IDLE, session=session, by_provider=by_provider)
    return token


def sign_out(library: Library, token: str | None) -> None:
    """End the sign-in of a token; one that does not hold changes nothing."""
    if token is None:
        return
    with library.engines.writing() as session:
        person_id = sign_ins.revoke(_hash(token), at=now(), session=session)
        if person_id is not None:
            leases.release_all(person_id, session=session)
            events.add("sign_out", person_id=person_id, session=session)


def change_password(library: Library, token: str | None, old: str, new: str, *, address: str) -> str:
    """Give whoever is signed in another password, end all their sign-ins, and return a token for a new one.

    Raises
    ------
    NotSignedIn
        If nobody is signed in.
    Forbidden
        If the old password is not right.
    InvalidInput
        If the new one is too short, too long, or the old one.
    TooManyAttempts
        As `sign_in`.
    """
    found = _found(library, token)
    if _proved(library, found.name, old, address) is None:
        raise Forbidden("the present password must be right, but is not")
    passwords.check(new)
    if new == old:
        raise InvalidInput("a new password must be another one than before, got the same")
    hashed = passwords.hashed(new)
    with library.engines.writing() as session:
        people.set_password(found.person_id, hashed, must_change=False, session=session)
        sign_ins.revoke_all(found.person_id, at=now(), session=session)
        events.add("own_password", person_id=found.person_id, session=session)
        return begin(found.person_id, session)


def refuse_open_doors(settings: Settings, address: str | None) -> None:
    """Refuse to serve whom nobody knows: an address that others can reach, while nobody must sign in.

    Whoever serves otherwise, past this, is held by `api.gate`.

    Parameters
    ----------
    address : str, optional
        What the server listens on; None is every address.

    Raises
    ------
    InvalidInput
        If it is not this machine's own, or a proxy's names are set.
    """
    if is_loopback(address) and not settings.hosts:
        return
    library = open_library(settings, samples=False)
    try:
        if required(library):
            return
    finally:
        library.close()
    how = "give the owner a password with `masksmith people password owner`, or set MASKSMITH_SIGN_IN=on"
    if not is_loopback(address):
        raise InvalidInput(
            f"the server must listen on 127.0.0.1 until people must sign in, got {address or 'every address'}; {how}"
        )
    names = ", ".join(settings.hosts)
    raise InvalidInput(f"people must sign in on a server with names in MASKSMITH_HOSTS, got {names}; {how}")


def is_loopback(address: str | None) -> bool:
    """Return whether an address is this machine's own, which nobody else reaches.

    Examples
    --------
    >>> [is_loopback(one) for one in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.168.7.9", "", None)]
    [True, True, True, False, False, False, False]
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _proved(library: Library, name: str, password: str, address: str) -> PersonRow | None:
    """Return whose name and password these are, None if nobody's; every attempt is counted before it is looked at."""
    try:
        name = person_name(name)
    except InvalidInput:
        name = ""  # nobody's, and answered like one
    for attempts, key in ((library.attempts_of_address, address), (library.attempts_of_name, name)):
        if wait := attempts.take(key):
            minutes = math.ceil(wait / 60)
            said = "1 minute" if minutes == 1 else f"{minutes} minutes"
            raise TooManyAttempts(f"signing in must wait {said}, as it failed too often", wait)
    with library.engines.reading() as session:
        person = people.by_name(name, session=session)
    right = passwords.matches(password, person.password_hash if person else None)
    if person is None or not right or person.deactivated_at is not None:
        log.warning("signing in failed")
        return None
    library.attempts_of_name.forget(name)
    library.attempts_of_address.forgive(address)
    return person


def _found(library: Library, token: str | None) -> SignInRow:
    at = now()
    found = None
    if token is not None:
        with library.engines.reading() as session:
            found = sign_ins.find(_hash(token), at=at, session=session)
    if found is None:
        raise NotSignedIn("you must be signed in for this, but are not, or no longer")
    if at - found.seen_at >= NOTED_EVERY:
        _note(library, found, at)
    return found


def _note(library: Library, found: SignInRow, at: datetime) -> None:
    try:
        with library.engines.writing() as session:
            until = min(at + IDLE, found.created_at + LONGEST)
            sign_ins.seen(found.id, at=at, expires_at=until, session=session)
    except StorageError:
        # The next request notes it; what was asked for needs no writing.
        log.warning("a sign-in could not be noted as used", exc_info=True)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
