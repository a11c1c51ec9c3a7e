"""From what a provider says to a sign-in of ours, e-mail addresses of people, and a role that is one of four."""

import time
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from core import people, provider, sign_in, team
from core.errors import Conflict, Forbidden, InvalidInput, NotSignedIn
from core.names import email_address
from core.workshop import Library
from storage.types import now

pytestmark = pytest.mark.both_databases

ADA = "ada@example.org"


def claims(**changes: Any) -> dict[str, Any]:
    made = {"iss": "https://id.example", "sub": "1", "aud": "here", "iat": time.time()}
    return {**made, "email": ADA, "email_verified": True, **changes}


def came(library: Library, **changes: Any) -> int:
    """Return who is signed in by claims."""
    token = provider.sign_in(library, claims(**changes), client_id="here")
    return sign_in.whose(library, token).person_id


@pytest.fixture
def ada(library: Library) -> int:
    people.set_password(library, library.person_id, "a long password")
    return people.add(library, "Ada", "annotator", email="  Ada@Example.ORG ")[0]


def test_an_address_is_kept_in_lower_case_and_fits_however_it_is_written(library: Library, ada: int) -> None:
    assert people.named(library, "Ada").email == ADA
    assert came(library, email="ADA@example.org") == ada


@pytest.mark.parametrize("audience", ["here", ["here"], ["another", "here"]])
def test_claims_are_for_this_server_if_it_is_among_those_they_are_for(
    library: Library, ada: int, audience: object
) -> None:
    assert came(library, aud=audience) == ada


@pytest.mark.parametrize("audience", ["hereafter", "", None, [], ["another"], {"here": 1}, 7])
def test_claims_for_others_are_not_taken(library: Library, ada: int, audience: object) -> None:
    with pytest.raises(NotSignedIn, match="must be meant for this server, but is meant for another"):
        came(library, aud=audience)


@pytest.mark.parametrize("issued", [None, True, "1", 0, -1e30, 1e400, float("nan"), 1_700_000_000])
def test_old_claims_are_not_taken(library: Library, ada: int, issued: object) -> None:
    with pytest.raises(NotSignedIn, match="must be said just now, but is not"):
        came(library, iat=issued)


def test_accounts_of_two_providers_are_two(library: Library, ada: int) -> None:
    assert came(library) == ada
    with pytest.raises(NotSignedIn, match=r"must be the one that first came with ada@example.org, but is another"):
        came(library, iss="https://other.example")
    people.set_email(library, ada, ADA)  # opens it again
    assert came(library, iss="https://other.example") == ada
    with pytest.raises(NotSignedIn, match="but is another"):
        came(library)


def test_a_refused_account_is_bound_to_nobody(library: Library, ada: int) -> None:
    people.deactivate(library, ada)
    with pytest.raises(NotSignedIn, match=r"but that of ada@example.org was closed"):
        came(library, sub="2")
    people.reactivate(library, ada)
    assert came(library) == ada


def test_an_address_is_one_active_persons(library: Library, ada: int) -> None:
    with pytest.raises(Conflict, match=r"must be one person's, but ada@example.org is that of 'Ada'"):
        people.add(library, "Bea", "annotator", email="ADA@example.org")
    assert [one.name for one in people.every(library)] == ["owner", "Ada"]
    people.deactivate(library, ada)
    bea, _ = people.add(library, "Bea", "annotator", email=ADA)
    assert came(library) == bea
    with pytest.raises(Conflict, match=r"but ada@example.org is that of 'Bea'"):
        people.reactivate(library, ada)
    people.set_email(library, bea, "bea@example.org")
    people.reactivate(library, ada)
    assert came(library, sub="2") == ada


def test_an_account_is_one_active_persons(library: Library, ada: int) -> None:
    assert came(library) == ada
    people.deactivate(library, ada)
    bea, _ = people.add(library, "Bea", "annotator", email=ADA)
    assert came(library) == bea
    people.set_email(library, ada, "old@example.org")  # takes the account of who is gone away too
    people.reactivate(library, ada)
    assert came(library, sub="2", email="old@example.org") == ada


def test_with_an_address_no_password_is_made(library: Library, ada: int) -> None:
    _, first = people.add(library, "Bea", "annotator", email="bea@example.org")
    assert first is None
    for password in ("", "a long password"):
        with pytest.raises(NotSignedIn):
            sign_in.sign_in(library, "Bea", password, address="here")
    found = {one.person.name: one.person for one in team.members(library, at=now())}
    assert (found["Bea"].email, found["Bea"].has_password) == ("bea@example.org", False)


def test_a_password_that_is_due_keeps_out_only_who_used_it(library: Library, ada: int) -> None:
    first = people.set_password(library, ada)
    assert first is not None
    by_password = sign_in.sign_in(library, "Ada", first, address="here")
    found = sign_in.holder(library, by_password)
    assert found is not None
    assert found.must_change
    assert came(library) == ada


def test_only_owners_set_addresses(library: Library, ada: int) -> None:
    with pytest.raises(Forbidden):
        people.set_email(library.for_person(ada, "manager"), ada, None)


@pytest.mark.parametrize(
    "text", ["", "ada", "@", "a@", "@b", "a@b@c", "a b@c", "a\n@b", "\N{KELVIN SIGN}@b", "x" * 253 + "@b"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="an e-mail address must be name@host"):
        email_address(text)


@pytest.mark.parametrize(("column", "value"), [("role", "king"), ("role", "Owner"), ("email", "Ada@example.org")])
def test_the_database_takes_no_other_role_and_no_other_spelling(
    library: Library, ada: int, column: str, value: str
) -> None:
    with pytest.raises(IntegrityError, match=f"ck_person_{column}"), library.engines.write.begin() as connection:
        connection.exec_driver_sql(f"UPDATE person SET {column} = '{value}' WHERE id = {ada}")
