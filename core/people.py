"""Who belongs to the team: adding people, their roles and passwords, closing their accounts. Owners only."""

from core import passwords
from core.errors import Conflict
from core.names import email_address, person_name
from core.roles import check_role, require
from core.workshop import Library
from storage import events, leases, people, sign_ins
from storage.engine import Session
from storage.rows import PersonRow
from storage.types import now


def every(library: Library) -> list[PersonRow]:
    """Return everybody, deactivated or not, oldest account first."""
    require(library, "people")
    with library.engines.reading() as session:
        return people.every(session=session)


def named(library: Library, name: str) -> PersonRow:
    """Return the person of a name.

    Raises
    ------
    Conflict
        If there is none.
    """
    with library.engines.reading() as session:
        found = people.by_name(person_name(name), session=session)
    if found is None:
        raise Conflict(f"somebody of this name must be on the team, but there is none: {name[:80]!r}")
    return found


def check_new(library: Library, name: str, role: str) -> None:
    """Refuse what `add` would refuse of a name and a role, before anybody is asked for a password."""
    require(library, "people")
    check_role(role)
    with library.engines.reading() as session:
        _check_free(person_name(name), session)


def add(
    library: Library, name: str, role: str, password: str | None = None, *, email: str | None = None
) -> tuple[int, str | None]:
    """Add a person; return their id and, unless a password is given, a made-up one that they must change.

    Who has an e-mail address signs in by the provider, and none is made up for them.

    Raises
    ------
    InvalidInput
        If the name, role, password or address cannot be one.
    Conflict
        If somebody has this name, or somebody active this address.
    """
    require(library, "people")
    name, role = person_name(name), check_role(role)
    email = None if email is None else email_address(email)
    first = None
    if password is None and email is None:
        first = password = passwords.made_up()
    if password is not None:
        passwords.check(password)
    hashed = None if password is None else passwords.hashed(password)
    with library.engines.writing() as session:
        _check_free(name, session)
        _check_email_free(email, session)
        person_id = people.get_or_create(name, role=role, session=session).id
        if hashed is not None:
            people.set_password(person_id, hashed, must_change=first is not None, session=session)
        people.set_email(person_id, email, session=session)
        _note(library, "person_added", person_id, session, name=name, role=role)
    return person_id, first


def set_role(library: Library, person_id: int, role: str) -> None:
    """Give a person another role; it holds with their next request.

    Raises
    ------
    Conflict
        If no owner who can sign in would be left.
    """
    require(library, "people")
    role = check_role(role)
    with library.engines.writing() as session:
        person = people.get(person_id, session=session)
        if role == person.role:
            return
        _keep_an_owner(person, session)
        people.set_role(person_id, role, session=session)
        _note(library, "role", person_id, session, name=person.name, role=role, before=person.role)


def set_password(library: Library, person_id: int, password: str | None = None) -> str | None:
    """Give a person a password and sign them out everywhere; without one, return a made-up one that they must change.

    Raises
    ------
    InvalidInput
        If the password cannot be one.
    """
    require(library, "people")
    first = None
    if password is None:
        first = password = passwords.made_up()
    passwords.check(password)
    hashed = passwords.hashed(password)
    with library.engines.writing() as session:
        person = people.get(person_id, session=session)
        people.set_password(person_id, hashed, must_change=first is not None, session=session)
        sign_ins.revoke_all(person_id, at=now(), session=session)
        _note(library, "password", person_id, session, name=person.name)
    return first


def set_email(library: Library, person_id: int, email: str | None) -> None:
    """Give a person the e-mail address that they have at the provider, or none; sign-ins by it end.

    Which account comes with the address is open again.

    Raises
    ------
    InvalidInput
        If it cannot be an address.
    Conflict
        If somebody else who is active has it.
    """
    require(library, "people")
    email = None if email is None else email_address(email)
    with library.engines.writing() as session:
        person = people.get(person_id, session=session)
        if person.deactivated_at is None:
            _check_email_free(email, session, besides=person_id)
        people.set_email(person_id, email, session=session)
        sign_ins.revoke_all(person_id, at=now(), session=session, by_provider=True)
        _note(library, "email" if email else "no_email", person_id, session, name=person.name)


def sign_out(library: Library, person_id: int) -> None:
    """End all sign-ins of a person."""
    require(library, "people")
    with library.engines.writing() as session:
        person = people.get(person_id, session=session)
        sign_ins.revoke_all(person_id, at=now(), session=session)
        _note(library, "signed_out", person_id, session, name=person.name)


def deactivate(library: Library, person_id: int) -> None:
    """Close a person's account and sign them out everywhere; what they made stays.

    Raises
    ------
    Conflict
        If no owner who can sign in would be left.
    """
    require(library, "people")
    with library.engines.writing() as session:
        person = people.get(person_id, session=session)
        if person.deactivated_at is not None:
            return
        _keep_an_owner(person, session)
        people.set_deactivated(person_id, now(), session=session)
        sign_ins.revoke_all(person_id, at=now(), session=session)
        leases.release_all(person_id, session=session)
        _note(library, "deactivated", person_id, session, name=person.name)


def reactivate(library: Library, person_id: int) -> None:
    """Open a person's account again, with the password and the e-mail address it had.

    Raises
    ------
    Conflict
        If somebody else who is active has the address by now.
    """
    require(library, "people")
    with library.engines.writing() as session:
        person = people.get(person_id, session=session)
        if person.deactivated_at is None:
            return
        _check_email_free(person.email, session, besides=person_id)
        people.set_deactivated(person_id, None, session=session)
        _note(library, "reactivated", person_id, session, name=person.name)


def _check_free(name: str, session: Session) -> None:
    if people.by_name(name, session=session) is not None:
        raise Conflict(f"a name must be one person's, but there is somebody named {name!r}")


def _check_email_free(email: str | None, session: Session, *, besides: int | None = None) -> None:
    found = None if email is None else people.by_email(email, session=session)
    if found is not None and found.deactivated_at is None and found.id != besides:
        raise Conflict(f"an e-mail address must be one person's, but {email} is that of {found.name!r}")


def _keep_an_owner(person: PersonRow, session: Session) -> None:
    if person.role == "owner" and not people.others(person.id, roles=("owner",), with_password=True, session=session):
        raise Conflict(f"an owner with a password must be left, but there is none besides {person.name!r}")


def _note(library: Library, kind: str, whom: int, session: Session, **detail: str) -> None:
    events.add(kind, person_id=library.person_id, detail={"whom": whom, **detail}, session=session)
