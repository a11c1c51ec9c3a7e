"""Signing in by an identity provider, in the real server with a real provider: who gets in, and all who do not."""

import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from itsdangerous import URLSafeTimedSerializer
from joserfc.jwk import RSAKey

from benchmarks.app_process import AppProcess, free_port
from core import people, team
from core.segmentation.catalogue import GRABCUT
from core.sign_in import COOKIE
from core.workshop import Library, open_library
from tests.api.conftest import refused
from tests.conftest import settings_of
from tests.identity_provider import COOKIE_SECRET, SECRET, Account, IdentityProvider, Visitor, running_provider

PASSWORD = "correct horse battery"
ADA, CLOSED = "ada@example.org", "closed@example.org"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running_provider() as made:
        yield made


@pytest.fixture
def provider(running: IdentityProvider) -> IdentityProvider:
    running.reset()
    return running


@pytest.fixture(scope="module")
def office(running: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """A server that knows the provider; nobody in it has a password."""
    folder, port = tmp_path_factory.mktemp("office"), free_port()
    environment = running.secrets(folder, f"http://127.0.0.1:{port}")
    with AppProcess(folder / "data", {"MASKSMITH_MODEL": GRABCUT, **environment}, port=port) as started:
        yield started


@pytest.fixture(scope="module")
def library(office: AppProcess) -> Iterator[Library]:
    """The server's own library, opened beside it, with Ada on the team and somebody who has left it."""
    opened = open_library(settings_of(office.data), samples=False)
    people.add(opened, "Ada", "reviewer", email=ADA.title())
    gone, _ = people.add(opened, "Gone", "annotator", email=CLOSED)
    people.deactivate(opened, gone)
    yield opened
    opened.close()


@pytest.fixture
def ada(library: Library) -> int:
    """Ada, whom no account at the provider belongs to yet."""
    found = people.named(library, "Ada").id
    people.set_email(library, found, ADA)
    return found


@pytest.fixture
def visitor(office: AppProcess) -> Iterator[Visitor]:
    with Visitor(office.url) as opened:
        yield opened


def told(answer: httpx.Response, status: int = 403) -> str:
    """Return the sentence of a refusal that gave nobody a cookie that opens anything."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert not [one for one in answer.headers.get_list("set-cookie") if one.startswith((COOKIE, "_streamlit_user"))]
    assert answer.text.count('role="alert"') == 1
    return unescape(answer.text.split('role="alert">')[1].split("<")[0])


def outside(visitor: Visitor) -> bool:
    return "you must be signed in" in refused(visitor.get("/api/images"), 401)


def test_a_provider_alone_closes_the_doors(visitor: Visitor) -> None:
    assert outside(visitor)
    assert "you must be signed in" in refused(visitor.get("/auth/logout"), 401)


def test_who_comes_back_is_signed_in_like_everybody_else(
    visitor: Visitor, provider: IdentityProvider, ada: int, library: Library
) -> None:
    answer = visitor.sign_in(f"{visitor.server_url}/review?image=3")
    assert (answer.status_code, answer.headers["location"]) == (302, "/review?image=3")
    cookies = answer.headers.get_list("set-cookie")
    (ours,) = [one.lower() for one in cookies if one.startswith(f"{COOKIE}=")]
    for part in ("httponly", "samesite=strict", "path=/", "max-age=604800"):
        assert f"; {part}" in ours
    assert not any("_streamlit_user" in one for one in cookies)
    assert answer.headers["cache-control"] == "no-store"
    assert visitor.get("/api/session").json() == {
        "person": {"id": ada, "name": "Ada"},
        "role": "reviewer",
        "signed_in": True,
        "must_change": False,
    }
    assert visitor.get("/api/images").status_code == 200
    assert (team.happened(library, limit=1)[0].kind, team.happened(library, limit=1)[0].person) == (
        "sign_in_by_provider",
        "Ada",
    )


@pytest.mark.parametrize("end", ["sign_out", "team", "deactivate", "email"])
def test_a_sign_in_by_the_provider_ends_like_every_other(
    visitor: Visitor, provider: IdentityProvider, ada: int, library: Library, end: str
) -> None:
    back = visitor.there()
    assert visitor.get(back).status_code == 302
    kept = dict(visitor.cookies)
    if end == "sign_out":
        assert visitor.delete("/api/session").status_code == 204
    elif end == "team":
        people.sign_out(library, ada)
    elif end == "deactivate":
        people.deactivate(library, ada)
    else:
        people.set_email(library, ada, None)
    visitor.cookies.update(kept)
    assert outside(visitor)
    told(visitor.get(back))
    assert outside(visitor)
    people.reactivate(library, ada)


def test_whoever_is_signed_in_by_a_password_stays_so_when_their_address_changes(
    visitor: Visitor, provider: IdentityProvider, ada: int, library: Library, office: AppProcess
) -> None:
    people.set_password(library, ada, PASSWORD)
    assert visitor.post("/api/session", json={"name": "Ada", "password": PASSWORD}).status_code == 204
    with Visitor(office.url) as other:
        assert other.sign_in().status_code == 302
        people.set_email(library, ada, "ada@elsewhere.example")
        assert outside(other)
    assert visitor.get("/api/images").status_code == 200


def test_a_first_password_is_not_asked_of_who_comes_by_the_provider(
    visitor: Visitor, provider: IdentityProvider, ada: int, library: Library
) -> None:
    people.set_password(library, ada)
    assert visitor.sign_in().status_code == 302
    assert visitor.get("/api/session").json()["must_change"] is False
    assert visitor.get("/api/images").status_code == 200


def test_the_account_counts_once_it_has_come_with_the_address(
    visitor: Visitor, provider: IdentityProvider, ada: int, office: AppProcess
) -> None:
    assert visitor.sign_in().status_code == 302
    provider.account = Account(email="married@example.org", email_verified=False)
    with Visitor(office.url) as later:
        assert later.sign_in().status_code == 302
        assert later.get("/api/session").json()["person"]["name"] == "Ada"
    provider.account = Account(sub="account-2")
    with Visitor(office.url) as another:
        said = told(another.sign_in())
        assert said.startswith("The provider's account must be the one that first came with ada@example.org")
        assert outside(another)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (
            Account(email="eve@example.org"),
            "must be that of somebody on the team, but nobody there has eve@example.org",
        ),
        (Account(email="Eve<b>@example.org"), "but nobody there has eve<b>@example.org"),
        (Account(email=CLOSED), "The account on the team must be open, but that of closed@example.org was closed"),
        (Account(email_verified=False), "must have verified the e-mail address, but does not say so of ada@"),
        (Account(email_verified=None), "must have verified the e-mail address, but does not say so of ada@"),
        (Account(email_verified="true"), "must have verified the e-mail address, but does not say so of ada@"),
        (Account(email=None), "The provider must say an e-mail address, but says none"),
        (Account(email=["ada@example.org"]), "The provider must say an e-mail address, but says none"),
        (
            Account(email="\N{LATIN SMALL LETTER A}da\N{KELVIN SIGN}@example.org"),
            "must be name@host in at most 254 ASCII",
        ),
        (Account(sub=""), "must say who it is and whose account it is, but does not"),
        (Account(sub="x" * 256), "must say who it is and whose account it is, but does not"),
    ],
)
def test_who_is_not_on_the_team_is_told_why_and_gets_nothing(
    visitor: Visitor, provider: IdentityProvider, ada: int, library: Library, account: Account, said: str
) -> None:
    provider.account = account
    before = len(people.every(library))
    answer = visitor.sign_in()
    assert said in told(answer)
    assert "<b>" not in answer.text
    assert outside(visitor)
    assert len(people.every(library)) == before


NOT_MEANT = "What the provider answers must hold, be meant for this browser and come once, but does not."


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"nonce": "another nonce of somebody else"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": "another-client", "azp": "masksmith-here"},
        {"aud": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 1_700_000_000},
        {"iat": "now"},
        {"sub": None},
        "another key",
    ],
    ids=str,
)
def test_an_answer_that_is_not_meant_for_this_browser_now_opens_nothing(
    visitor: Visitor, provider: IdentityProvider, ada: int, claims: Any
) -> None:
    if claims == "another key":
        provider.signed_with = RSAKey.generate_key(2048, parameters={"kid": "one"})
    else:
        provider.claims = claims
    said = told(visitor.sign_in())
    assert said == NOT_MEANT or said.startswith("What the provider says must be")
    assert outside(visitor)


def test_what_will_have_been_said_later_is_not_taken_either(
    visitor: Visitor, provider: IdentityProvider, ada: int
) -> None:
    provider.claims = {"iat": int(time.time()) + 3600}
    told(visitor.sign_in())
    assert outside(visitor)


def test_an_answer_counts_once(visitor: Visitor, provider: IdentityProvider, ada: int, office: AppProcess) -> None:
    provider.lenient = True
    back = visitor.there()
    noted = dict(visitor.cookies)  # with which Streamlit knows who was sent away
    assert visitor.get(back).status_code == 302
    visitor.delete("/api/session")
    told(visitor.get(back))
    with Visitor(office.url) as thief:
        thief.cookies.update(noted)
        assert told(thief.get(back)) == NOT_MEANT
        assert outside(thief)
    assert outside(visitor)


def test_an_answer_counts_in_the_browser_that_asked(
    visitor: Visitor, provider: IdentityProvider, ada: int, office: AppProcess
) -> None:
    back = visitor.there()
    with Visitor(office.url) as victim:
        assert told(victim.get(back)) == NOT_MEANT
        victim.there()  # who has asked themself is not taken in either
        assert told(victim.get(back)) == NOT_MEANT
        assert outside(victim)
    assert visitor.get(back).status_code == 302


@pytest.mark.parametrize("query", ["", "?code=1", "?code=1&state=2", "?state=", "?state=a_b_c_d&code=" + "x" * 5000])
def test_a_made_up_answer_opens_nothing(visitor: Visitor, ada: int, query: str) -> None:
    assert told(visitor.get(f"/oauth2callback{query}")) == NOT_MEANT
    assert outside(visitor)


def test_a_provider_that_lets_nobody_in_is_not_quoted(visitor: Visitor) -> None:
    answer = visitor.get("/oauth2callback?error=access_denied&error_description=Call+0800+555")
    assert told(answer) == "The provider must let you in, but did not."
    assert "0800" not in answer.text


@pytest.mark.parametrize("secret", [COOKIE_SECRET, "a guess"])
def test_streamlits_cookie_opens_nothing_even_if_it_is_signed(visitor: Visitor, ada: int, secret: str) -> None:
    claims = {
        "sub": "account-1",
        "email": ADA,
        "email_verified": True,
        "origin": visitor.server_url,
        "is_logged_in": True,
        "provider": "default",
        "iss": "x",
        "aud": "masksmith-here",
        "iat": int(time.time()),
    }
    import json

    signed = URLSafeTimedSerializer(secret, salt="_streamlit_user").dumps(json.dumps(claims))
    visitor.cookies.set("_streamlit_user", signed)
    assert outside(visitor)
    assert told(visitor.get("/oauth2callback?code=1&state=2")) == NOT_MEANT
    assert outside(visitor)


@pytest.mark.parametrize(
    ("referer", "lands"),
    [
        ("", "/"),
        ("{here}/annotate?image=2", "/annotate?image=2"),
        ("{here}//evil.example/", "/"),
        ("{here}/\\evil.example/", "/"),
        ("https://evil.example/review", "/"),
        ("javascript:alert(1)", "/"),
        ("http://[", "/"),
        ("{here}/oauth2callback?code=1", "/"),
        ("{here}/" + "x" * 3000, "/"),
    ],
)
def test_one_lands_on_a_page_of_this_server(
    visitor: Visitor, provider: IdentityProvider, ada: int, referer: str, lands: str
) -> None:
    answer = visitor.sign_in(referer.format(here=visitor.server_url))
    assert (answer.status_code, answer.headers["location"]) == (302, lands)


@pytest.mark.parametrize("planted", ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"])
def test_a_planted_cookie_leads_nowhere_else(
    visitor: Visitor, provider: IdentityProvider, ada: int, planted: str
) -> None:
    back = visitor.there()
    noted = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items() if name != "masksmith_next")
    visitor.cookies.clear()
    answer = visitor.get(back, headers={"cookie": f"{noted}; masksmith_next={planted}"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/")


def test_who_turned_back_often_can_still_come(visitor: Visitor, provider: IdentityProvider, ada: int) -> None:
    for _ in range(9):
        assert visitor.leave().status_code == 302
        assert len(visitor.cookies["_streamlit_session"]) < 4000  # browsers drop a longer one
    assert visitor.sign_in().status_code == 302


def test_without_streamlits_word_nobody_is_sent_away(visitor: Visitor) -> None:
    for token in ("", "nonsense"):
        answer = visitor.get("/auth/login", params={"provider": token})
        assert (answer.status_code, answer.headers["location"]) == (302, "/")


def test_a_provider_that_is_down_is_told_and_passwords_go_on(
    provider: IdentityProvider, ada: int, library: Library, tmp_path: Path
) -> None:
    people.set_password(library, ada, PASSWORD)
    silent, port = IdentityProvider(free_port()), free_port()
    environment = silent.secrets(tmp_path, f"http://127.0.0.1:{port}")
    environment |= {"MASKSMITH_MODEL": GRABCUT, "DATABASE_URL": library.settings.database_url}
    with AppProcess(tmp_path / "data", environment, port=port) as app, Visitor(app.url) as visitor:
        said = told(visitor.leave(), 503)
        assert said == "The provider must answer, but cannot be reached; others sign in with a password."
        with silent.answering():
            back = visitor.there()
        assert told(visitor.get(back)) == NOT_MEANT
        assert visitor.post("/api/session", json={"name": "Ada", "password": PASSWORD}).status_code == 204
        assert visitor.get("/api/images").status_code == 200
        with silent.answering():
            assert visitor.sign_in().status_code == 302


def test_no_log_and_no_event_holds_an_address_a_code_or_a_secret(
    visitor: Visitor, provider: IdentityProvider, ada: int, office: AppProcess, library: Library
) -> None:
    provider.account = Account(email="eve@example.org")
    back = visitor.there()
    told(visitor.get(back))
    provider.reset()
    provider.claims = {"nonce": "wrong"}
    told(visitor.sign_in())
    provider.reset()
    assert visitor.sign_in().status_code == 302
    log = office.log.read_text()
    assert "signing in by the provider failed" in log
    code = back.split("code=")[1].split("&")[0]
    secrets = (SECRET, COOKIE_SECRET, code, visitor.cookies[COOKIE], *provider.tokens)
    for held in ("@example.org", *secrets):
        assert held not in log
    events = team.happened(library, limit=500)
    assert {"email", "sign_in_by_provider"} <= {one.kind for one in events}
    assert "@" not in str([one.detail for one in events])
