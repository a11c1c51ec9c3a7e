"""Signing in by an identity provider (OpenID Connect): from what it says of somebody to a sign-in of ours.

What it says is claims that Streamlit has checked: their signature, issuer, nonce and end. Whose they are is decided
here. The first time it is whoever has the verified e-mail address that they name; from then on it is whoever that
account belongs to, whatever address it has. So an address that is given to somebody else opens nothing.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from core.errors import InvalidInput, NotSignedIn
from core.names import email_address
from core.sign_in import begin
from core.workshop import Library
from storage import events, people
from storage.engine import Session
from storage.rows import PersonRow
from storage.types import now

log = logging.getLogger(__name__)

FRESH: Final = timedelta(minutes=10)
"""What a provider said longer ago, or will say so much later, is not taken: clocks differ, but not by that."""
_LONGEST: Final = 255


def sign_in(library: Library, claims: Mapping[str, object], *, client_id: str) -> str:
    """Return a new token for the person that claims are about.

    Parameters
    ----------
    claims : mapping
        Those of an ID token whose signature, issuer, nonce and end were checked.
    client_id : str
        Who this server is at the provider; the claims must have been made for it.

    Raises
    ------
    NotSignedIn
        If they were made for somebody else or long ago, or are about nobody on the team.
    """
    try:
        account = _account(claims, client_id)
        with library.engines.writing() as session:
            person = people.by_subject(account, session=session) or _first_time(claims, account, session)
            events.add("sign_in_by_provider", person_id=person.id, session=session)
            return begin(person.id, session, by_provider=True)
    except NotSignedIn:
        log.warning("signing in by the provider failed")
        raise


def _account(claims: Mapping[str, object], client_id: str) -> str:
    """Return whose account at which provider claims are about."""
    audience = claims.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise NotSignedIn("what the provider says must be meant for this server, but is meant for another")
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or not _is_fresh(issued):
        raise NotSignedIn("what the provider says must be said just now, but is not; begin anew")
    issuer, subject = claims.get("iss"), claims.get("sub")
    for one in (issuer, subject):
        if not isinstance(one, str) or not 1 <= len(one) <= _LONGEST or not one.isprintable():
            raise NotSignedIn("the provider must say who it is and whose account it is, but does not")
    return f"{issuer} {subject}"  # an issuer is an address, which holds no blank


def _is_fresh(issued: float) -> bool:
    try:
        return abs(now() - datetime.fromtimestamp(issued, UTC)) <= FRESH
    except (ValueError, OverflowError, OSError):
        return False


def _first_time(claims: Mapping[str, object], account: str, session: Session) -> PersonRow:
    """Return the person with the e-mail address of claims, who has this account from now on."""
    said = claims.get("email")
    if not isinstance(said, str) or not said:
        raise NotSignedIn("the provider must say an e-mail address, but says none")
    if claims.get("email_verified") is not True:
        raise NotSignedIn(f"the provider must have verified the e-mail address, but does not say so of {said[:254]}")
    try:
        email = email_address(said)
    except InvalidInput as error:
        raise NotSignedIn(str(error)) from error
    person = people.by_email(email, session=session)
    if person is None:
        raise NotSignedIn(f"the e-mail address must be that of somebody on the team, but nobody there has {email}")
    if person.deactivated_at is not None:
        raise NotSignedIn(f"the account on the team must be open, but that of {email} was closed")
    if person.subject is not None:
        raise NotSignedIn(
            f"the provider's account must be the one that first came with {email}, but is another; an owner can set "
            "the address anew"
        )
    people.set_subject(person.id, account, session=session)
    return person
