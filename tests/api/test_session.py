"""Signing in and out over HTTP: cookies that hold and ones that do not, and what is answered without one."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx
import pytest
from sqlalchemy import event
from starlette.requests import Request

from api.session import address_of
from core import people, sign_in
from core.workshop import SIGN_INS_OF_ADDRESS, SIGN_INS_OF_NAME, Workshop
from storage import sign_ins
from storage.types import now
from tests.api import people as team
from tests.api.conftest import client_of, listed, refused, save

COOKIE = sign_in.COOKIE


@pytest.fixture
def ids(shop: Workshop) -> dict[str, int]:
    return team.put_in(shop)


@pytest.fixture
def other(shop: Workshop, portal: anyio.from_thread.BlockingPortal) -> Iterator[httpx.Client]:
    """Another browser."""
    with client_of(lambda: shop, portal) as made:
        yield made


def statements(shop: Workshop, client: httpx.Client, path: str) -> list[str]:
    """Return what the database is asked while a path is answered."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    for engine in (shop.engines.read, shop.engines.write):
        event.listen(engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        for engine in (shop.engines.read, shop.engines.write):
            event.remove(engine, "before_cursor_execute", note)
    return asked


def test_alone_nobody_signs_in(client: httpx.Client) -> None:
    told = client.get("/api/session").json()
    assert told == {"person": {"id": 1, "name": "owner"}, "role": "owner", "signed_in": False}
    save(client)
    assert client.delete("/api/masks/mask-1").status_code == 204
    assert COOKIE not in client.cookies


def test_the_first_password_of_anybody_closes_the_doors_of_a_running_server(
    client: httpx.Client, shop: Workshop
) -> None:
    assert client.get("/api/images").status_code == 200
    people.add(shop, "Ada", "annotator", "a long password")
    assert "you must be signed in" in refused(client.get("/api/images"), 401)
    assert "you must be signed in" in refused(client.get("/api/session"), 401)
    assert client.get("/healthz").status_code == 200


def test_the_setting_alone_closes_them_too(shop: Workshop, portal: anyio.from_thread.BlockingPortal) -> None:
    from dataclasses import replace

    closed = replace(shop, settings=replace(shop.settings, sign_in=True))
    with client_of(lambda: closed, portal) as client:
        refused(client.get("/api/images"), 401)
        refused(team.sign_in(client, "owner"), 401)


def test_who_signs_in_works_in_their_own_name_until_they_sign_out(
    client: httpx.Client, ids: dict[str, int], shop: Workshop
) -> None:
    answer = team.sign_in(client, " reviewer ")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get("/api/session").json() == {
        "person": {"id": ids["reviewer"], "name": "reviewer"},
        "role": "reviewer",
        "signed_in": True,
        "must_change": False,
    }
    assert client.get("/api/project").json()["person"]["name"] == "reviewer"
    save(client)
    with shop.engines.reading() as session:
        from storage import masks

        assert masks.get("mask-1", session=session).person_id == ids["reviewer"]
    token = client.cookies[COOKIE]
    out = client.delete("/api/session")
    assert out.status_code == 204
    assert f'{COOKIE}=""' in out.headers["set-cookie"]
    client.cookies.set(COOKIE, token)
    refused(client.get("/api/images"), 401)  # the token is dead, not only its cookie gone


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client: httpx.Client, ids: dict[str, int]) -> None:
    said = team.sign_in(client, "owner").headers["set-cookie"].lower()
    assert said.startswith(f"{COOKIE}=")
    for part in ("httponly", "samesite=strict", "path=/", "max-age=604800"):
        assert f"; {part}" in said
    assert "secure" not in said
    body = {"name": "owner", "password": team.PASSWORD}
    said = client.post("/api/session", json=body, headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"].lower()
    assert "; secure" in said


def test_the_database_holds_no_token(client: httpx.Client, ids: dict[str, int], shop: Workshop) -> None:
    team.sign_in(client, "owner")
    token = client.cookies[COOKIE]
    assert len(token) == 43
    with shop.engines.read.connect() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM sign_in").all()
    assert len(kept) == 1
    assert token not in str(kept)


@pytest.mark.parametrize(
    ("name", "password"),
    [("owner", "wrong password"), ("nobody", team.PASSWORD), ("owner", ""), ("", ""), ("OWNER", team.PASSWORD)],
)
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
    client: httpx.Client, ids: dict[str, int], name: str, password: str
) -> None:
    answer = team.sign_in(client, name, password)
    assert "they do not fit" in refused(answer, 401)
    assert "set-cookie" not in answer.headers


def test_an_unknown_name_costs_a_hash_too(
    client: httpx.Client, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import passwords

    seen: list[str] = []
    verify = passwords._HASHES.verify

    def counted(password: str, password_hash: str) -> bool:
        seen.append(password_hash)
        return verify(password, password_hash)

    monkeypatch.setattr(passwords._HASHES, "verify", counted)
    team.sign_in(client, "nobody")
    team.sign_in(client, "owner", "wrong password")
    unknown, known = seen
    # The same kind and costs of argon2id, another salt.
    assert unknown.split("$")[:4] == known.split("$")[:4]
    assert unknown != known


def forged(token: str) -> list[str]:
    return ["", "x", token[:-1], token + "A", token.swapcase(), "0" * 43, "\xe9" * 43, "' OR 1=1 --", token.upper()]


def test_a_forged_cookie_is_none(client: httpx.Client, ids: dict[str, int]) -> None:
    team.sign_in(client, "owner")
    for made in forged(client.cookies[COOKIE]):
        answer = client.get("/api/images", headers={"Cookie": f"{COOKIE}={made}".encode("latin-1")})
        assert "you must be signed in" in refused(answer, 401), made


def sign_in_rows(shop: Workshop, **changes: Any) -> None:
    with shop.engines.write.begin() as connection:
        from sqlalchemy import update

        from storage.models import SignIn

        connection.execute(update(SignIn).values(**changes))


def test_a_sign_in_ends_when_it_is_over(client: httpx.Client, ids: dict[str, int], shop: Workshop) -> None:
    team.sign_in(client, "owner")
    sign_in_rows(shop, expires_at=now() - timedelta(seconds=1))
    refused(client.get("/api/images"), 401)


def test_use_keeps_a_sign_in_alive_for_twelve_hours_and_seven_days_at_most(
    client: httpx.Client, ids: dict[str, int], shop: Workshop
) -> None:
    team.sign_in(client, "owner")
    sign_in_rows(shop, seen_at=now() - timedelta(hours=11), expires_at=now() + timedelta(hours=1))
    assert client.get("/api/images").status_code == 200
    assert timedelta(hours=11, minutes=59) < ends(shop) - now() <= timedelta(hours=12)
    begun = now() - timedelta(days=6, hours=20)
    sign_in_rows(shop, created_at=begun, seen_at=now() - timedelta(hours=1))
    assert client.get("/api/images").status_code == 200
    assert ends(shop) == begun + timedelta(days=7)


def ends(shop: Workshop) -> Any:
    from sqlalchemy import select

    from storage.models import SignIn

    with shop.engines.reading() as session:
        return session.scalars(select(SignIn.expires_at)).one()  # type: ignore[call-overload]


def test_who_asks_costs_one_query_and_writes_once_a_minute(
    client: httpx.Client, ids: dict[str, int], shop: Workshop
) -> None:
    path = "/api/images/1/thumbnail"
    team.sign_in(client, "annotator")
    refused(client.get("/api/images/99"), 404)  # that people must sign in has been found out
    asked = statements(shop, client, path)
    assert len([one for one in asked if "FROM sign_in JOIN person" in one]) == 1
    assert len(asked) == 2  # the other is for the image
    sign_in_rows(shop, seen_at=now() - timedelta(seconds=61))
    assert len([one for one in statements(shop, client, path) if one.startswith("UPDATE sign_in")]) == 1
    assert len(statements(shop, client, path)) == 2


def test_a_deactivated_person_is_out_at_once_and_their_masks_stay(
    client: httpx.Client, other: httpx.Client, ids: dict[str, int], shop: Workshop
) -> None:
    team.sign_in(client, "annotator")
    save(client)
    people.deactivate(shop, ids["annotator"])
    refused(client.get("/api/images"), 401)
    assert "they do not fit" in refused(team.sign_in(client, "annotator"), 401)
    team.sign_in(other, "reviewer")
    assert [mask["key"] for mask in listed(other)] == ["mask-1"]
    people.reactivate(shop, ids["annotator"])
    assert team.sign_in(client, "annotator").status_code == 204


def test_a_person_is_signed_out_everywhere(
    client: httpx.Client, other: httpx.Client, ids: dict[str, int], shop: Workshop
) -> None:
    for browser in (client, other):
        team.sign_in(browser, "annotator")
        assert browser.get("/api/images").status_code == 200
    people.sign_out(shop, ids["annotator"])
    for browser in (client, other):
        refused(browser.get("/api/images"), 401)


def test_a_new_role_holds_with_the_next_request(client: httpx.Client, ids: dict[str, int], shop: Workshop) -> None:
    team.sign_in(client, "annotator")
    assert "must be manager or above for this, but it is annotator" in refused(client.get("/api/models"), 403)
    people.set_role(shop, ids["annotator"], "manager")
    assert client.get("/api/models").status_code == 200


def test_too_many_wrong_passwords_of_one_name_must_wait_and_others_need_not(
    client: httpx.Client, ids: dict[str, int]
) -> None:
    for _ in range(SIGN_INS_OF_NAME):
        refused(team.sign_in(client, "owner", "wrong password"), 401)
    answer = team.sign_in(client, "owner")  # the right one, too
    assert "must wait 15 minutes" in refused(answer, 429)
    assert 14 * 60 < int(answer.headers["retry-after"]) <= 15 * 60
    assert team.sign_in(client, "reviewer").status_code == 204


def test_a_right_password_counts_a_name_anew(client: httpx.Client, ids: dict[str, int]) -> None:
    for _ in range(2):
        for _ in range(SIGN_INS_OF_NAME - 1):
            refused(team.sign_in(client, "owner", "wrong password"), 401)
        assert team.sign_in(client, "owner").status_code == 204


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.168.7.9", "192.168.7.9"),
        ("::ffff:192.168.7.9", "192.168.7.9"),
        ("::ffff:192.168.7.10", "192.168.7.10"),
        ("2001:db8::7", "2001:db8::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_counts_for_itself_also_where_the_server_listens_on_both_kinds(host: str, counted: str) -> None:
    assert address_of(Request({"type": "http", "client": (host, 40000), "headers": []})) == counted


def test_too_many_names_from_one_address_must_wait(client: httpx.Client, ids: dict[str, int], shop: Workshop) -> None:
    for _ in range(SIGN_INS_OF_ADDRESS):
        assert shop.attempts_of_address.take("127.0.0.1") == 0
    assert "must wait 15 minutes" in refused(team.sign_in(client, "owner"), 429)


def test_another_sites_page_signs_nobody_in_or_out(client: httpx.Client, ids: dict[str, int]) -> None:
    evil = {"Origin": "http://evil.example"}
    body = {"name": "owner", "password": team.PASSWORD}
    assert "a page of this server" in refused(client.post("/api/session", json=body, headers=evil), 403)
    assert COOKIE not in client.cookies
    team.sign_in(client, "owner")
    assert "a page of this server" in refused(client.delete("/api/session", headers=evil), 403)
    change = {"old": team.PASSWORD, "new": "another long password"}
    assert "a page of this server" in refused(client.put("/api/session/password", json=change, headers=evil), 403)
    assert client.get("/api/images").status_code == 200
    refused(client.post("/api/session", content="name=owner", headers={"Content-Type": "text/plain"}), 422)


def test_a_first_password_opens_nothing_until_it_is_changed(
    client: httpx.Client, other: httpx.Client, ids: dict[str, int], shop: Workshop
) -> None:
    person_id, first = people.add(shop, "Ada Lovelace", "annotator")
    assert first is not None
    for browser in (client, other):
        assert team.sign_in(browser, "Ada Lovelace", first).status_code == 204
        assert "choose a password of your own first" in refused(browser.get("/api/images"), 403)
    assert client.get("/api/session").json()["must_change"] is True
    change = "/api/session/password"
    assert "must be right" in refused(client.put(change, json={"old": "wrong one", "new": "x" * 12}), 403)
    assert "from 12 to 256 characters, got 5" in refused(client.put(change, json={"old": first, "new": "short"}), 422)
    assert "another one than before" in refused(client.put(change, json={"old": first, "new": first}), 422)
    assert client.put(change, json={"old": first, "new": "of my own making"}).status_code == 204
    assert client.get("/api/session").json()["person"] == {"id": person_id, "name": "Ada Lovelace"}
    assert client.get("/api/images").status_code == 200
    refused(other.get("/api/images"), 401)  # what was signed in with the old one is out
    refused(team.sign_in(other, "Ada Lovelace", first), 401)
    assert team.sign_in(other, "Ada Lovelace", "of my own making").status_code == 204


def test_a_page_left_open_by_somebody_else_saves_nothing_in_my_name(client: httpx.Client, ids: dict[str, int]) -> None:
    team.sign_in(client, "annotator")
    headers = {"Masksmith-Person": str(ids["reviewer"])}
    assert "this one is somebody else's" in refused(client.get("/api/images", headers=headers), 401)
    assert client.get("/api/images", headers={"Masksmith-Person": str(ids["annotator"])}).status_code == 200


def test_a_backup_of_the_database_signs_nobody_in(client: httpx.Client, ids: dict[str, int], shop: Workshop) -> None:
    team.sign_in(client, "owner")
    with shop.engines.reading() as session:
        from sqlalchemy import select

        from storage.models import SignIn

        stolen = session.scalars(select(SignIn.token_sha256)).one()  # type: ignore[call-overload]
        assert sign_ins.find(stolen, at=now(), session=session) is not None
    client.cookies.clear()
    client.cookies.set(COOKIE, stolen)
    refused(client.get("/api/images"), 401)


def test_passwords_are_in_no_answer_and_no_log(
    client: httpx.Client, ids: dict[str, int], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for body in ({"name": "owner", "password": "hunter2 " * 200}, {"name": 7, "password": "hunter2"}):
        answer = client.post("/api/session", json=body)
        assert "hunter2" not in refused(answer, 422)
    team.sign_in(client, "owner", "hunter2 hunter2")
    assert "hunter2" not in caplog.text
