"""People for tests of sign-in: one of each role, and a client for each."""

import httpx

from core.passwords import hashed
from core.roles import ROLES
from core.workshop import Workshop
from storage import people

PASSWORD = "correct horse battery"
_HASH = hashed(PASSWORD)


def put_in(shop: Workshop) -> dict[str, int]:
    """Give the owner a password and add one person of each other role, named like it; return their ids by name."""
    with shop.engines.writing() as session:
        found = {name: people.get_or_create(name, role=name, session=session).id for name in ROLES}
        for person_id in found.values():
            people.set_password(person_id, _HASH, must_change=False, session=session)
    return found


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/api/session", json={"name": name, "password": password})
