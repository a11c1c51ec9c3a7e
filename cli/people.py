"""`masksmith people`: who is on the team, with which role; passwords, signing out, closing accounts.

Whoever may run this can read the library's files, and acts as its owner.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from cli.screen import AsJson, console, opened_library, print_json, say
from core import people, sign_in
from core.errors import InvalidInput
from core.roles import ROLES
from core.workshop import Library

app = typer.Typer(help="Who is on the team, with which role.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person's name, as they sign in.")]
_ROLES = f"{', '.join(ROLES[:-1])} or {ROLES[-1]}."


@app.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List everybody with their role, and say who cannot sign in."""
    with opened_library() as library:
        found = people.every(library)
        required = sign_in.required(library)
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "role": one.role,
            "has_password": one.password_hash is not None,
            "must_change": one.must_change,
            "email": one.email,
            "deactivated_at": one.deactivated_at.isoformat() if one.deactivated_at else None,
        }
        for one in found
    ]
    if as_json:
        print_json({"sign_in_required": required, "people": rows})
        return
    table = Table(show_header=False, box=None)
    for row in rows:
        closed = "deactivated" if row["deactivated_at"] else "" if row["has_password"] else "no password"
        table.add_row(str(row["name"]), str(row["role"]), str(row["email"] or ""), closed)
    console.print(table)


@app.command("add")
def add_person(
    name: Name,
    role: Annotated[str, typer.Option("--role", help=_ROLES)] = "annotator",
    email: Annotated[str | None, typer.Option("--email", help="Their address at the identity provider.")] = None,
) -> None:
    """Add somebody; the password is asked twice, or read from standard input. With --email none is needed."""
    with opened_library() as library:
        was_required = sign_in.required(library)
        people.check_new(library, name, role)
        people.add(library, name, role, _asked() if email is None else None, email=email)
        say(f"{name} can sign in {'' if email is None else 'by the provider '}as {role}.")
        _say_what_changes(library, was_required)


@app.command("role")
def set_role(name: Name, role: Annotated[str, typer.Argument(help=_ROLES)]) -> None:
    """Give somebody another role; it holds at once."""
    _do(name, lambda library, person_id: people.set_role(library, person_id, role), f"is {role} now.")


@app.command("password")
def set_password(name: Name) -> None:
    """Give somebody another password, and sign them out everywhere."""
    with opened_library() as library:
        was_required = sign_in.required(library)
        person = people.named(library, name)
        people.set_password(library, person.id, _asked())
        say(f"{person.name} can sign in with the new password.")
        _say_what_changes(library, was_required)


@app.command("email")
def set_email(name: Name, address: Annotated[str, typer.Argument(help="Leave it out to take it away.")] = "") -> None:
    """Give somebody the e-mail address that they have at the identity provider; sign-ins by it end."""
    said = "can sign in by the provider." if address else "cannot sign in by the provider."
    _do(name, lambda library, person_id: people.set_email(library, person_id, address or None), said)


@app.command("sign-out")
def sign_out(name: Name) -> None:
    """Sign somebody out everywhere."""
    _do(name, people.sign_out, "is signed out everywhere.")


@app.command("deactivate")
def deactivate(name: Name) -> None:
    """Close somebody's account; their masks and history stay."""
    _do(name, people.deactivate, "cannot sign in any more; their masks stay.")


@app.command("reactivate")
def reactivate(name: Name) -> None:
    """Open somebody's account again, with the password it had."""
    _do(name, people.reactivate, "can sign in again.")


def _do(name: str, action: Callable[[Library, int], None], said: str) -> None:
    with opened_library() as library:
        person = people.named(library, name)
        action(library, person.id)
    say(f"{person.name} {said}")


def _asked() -> str:
    """Return a password typed twice without being shown, or from a script the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password, 12 characters or more", hide_input=True, confirmation_prompt="Once more"))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidInput("a password must come on the first line of standard input, got none")
    return line


def _say_what_changes(library: Library, was_required: bool) -> None:
    if was_required or not sign_in.required(library):
        return
    say("From now on everybody signs in.")
    if not any(one.role == "owner" and one.password_hash for one in people.every(library)):
        say("No owner has a password yet; `masksmith people password owner` gives them one.")
