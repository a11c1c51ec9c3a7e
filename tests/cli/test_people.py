"""The team from the command line: adding, listing, changing, and passwords from standard input."""

import pytest
from typer.testing import CliRunner

from cli.main import app
from core import sign_in
from core.errors import NotSignedIn
from core.settings import Settings
from core.workshop import open_library
from tests.cli.conftest import Run, told

LONG = "a long password"


@pytest.fixture
def typed(run: Run) -> Run:
    """Runs `masksmith people` with a password on standard input."""
    return lambda *args: CliRunner().invoke(app, ["people", *args], input=f"{LONG}\n")


def test_the_first_person_says_that_everybody_signs_in_now(typed: Run) -> None:
    result = typed("add", "Ada", "--role", "annotator")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Ada can sign in as annotator.",
        "From now on everybody signs in.",
        "No owner has a password yet; `masksmith people password owner` gives them one.",
    ]
    assert typed("password", "owner").stdout.splitlines() == ["owner can sign in with the new password."]
    assert LONG not in result.output


def test_the_list_tells_programs_who_is_there(run: Run, typed: Run) -> None:
    typed("add", "Ada", "--role", "reviewer")
    found = told(run("people", "list", "--json"))
    assert found["sign_in_required"] is True
    assert found["people"][1] == {
        "id": 2,
        "name": "Ada",
        "role": "reviewer",
        "has_password": True,
        "must_change": False,
        "email": None,
        "deactivated_at": None,
    }
    listed = run("people", "list").stdout
    assert "no password" in listed
    assert "$argon2" not in listed + str(found)


def test_who_has_an_address_needs_no_password(run: Run) -> None:
    added = run("people", "add", "Ada", "--role", "manager", "--email", "Ada@example.org")
    assert added.stdout == "Ada can sign in by the provider as manager.\n"
    assert "ada@example.org" in run("people", "list").stdout
    (ada,) = [one for one in told(run("people", "list", "--json"))["people"] if one["name"] == "Ada"]
    assert (ada["email"], ada["has_password"]) == ("ada@example.org", False)
    assert run("people", "email", "owner", "own@example.org").stdout == "owner can sign in by the provider.\n"
    assert run("people", "email", "owner").stdout == "owner cannot sign in by the provider.\n"
    taken = run("people", "email", "owner", "ADA@example.org")
    assert taken.stderr.strip() == "an e-mail address must be one person's, but ada@example.org is that of 'Ada'"


def test_a_person_is_changed_and_put_out(run: Run, typed: Run, settings: Settings) -> None:
    typed("password", "owner")
    typed("add", "Ada")
    library = open_library(settings, samples=False)
    token = sign_in.sign_in(library, "Ada", LONG, address="here")
    assert run("people", "role", "Ada", "manager").stdout == "Ada is manager now.\n"
    assert sign_in.whose(library, token).role == "manager"
    assert run("people", "sign-out", "Ada").stdout == "Ada is signed out everywhere.\n"
    with pytest.raises(NotSignedIn):
        sign_in.whose(library, token)
    assert run("people", "deactivate", "Ada").exit_code == 0
    with pytest.raises(NotSignedIn):
        sign_in.sign_in(library, "Ada", LONG, address="here")
    assert run("people", "reactivate", "Ada").stdout == "Ada can sign in again.\n"
    assert sign_in.sign_in(library, "Ada", LONG, address="here")
    library.close()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("add", "Ada", "--role", "king"), "a role must be annotator, reviewer, manager or owner, got 'king'"),
        (("add", "owner"), "a name must be one person's, but there is somebody named 'owner'"),
        (("role", "Nobody", "owner"), "somebody of this name must be on the team, but there is none: 'Nobody'"),
        (("deactivate", "owner"), "an owner with a password must be left, but there is none besides 'owner'"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(typed: Run, args: tuple[str, ...], said: str) -> None:
    result = typed(*args)
    assert (result.exit_code, result.stderr.strip()) == (1, said)


def test_no_password_is_no_password(run: Run) -> None:
    result = CliRunner().invoke(app, ["people", "add", "Ada"], input="")
    assert (result.exit_code, result.stderr.strip()) == (
        1,
        "a password must come on the first line of standard input, got none",
    )
