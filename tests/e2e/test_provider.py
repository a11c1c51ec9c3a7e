"""Signing in by an identity provider in real Chromium: land where one wanted to go, work, sign out, be signed out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess, free_port
from core import people
from core.segmentation.catalogue import GRABCUT
from core.workshop import open_library
from storage import masks
from tests.conftest import settings_of
from tests.e2e.conftest import Bench, settled
from tests.e2e.test_sign_in import PASSWORD, sign_in, sign_out
from tests.identity_provider import Account, IdentityProvider, running_provider


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with running_provider() as made:
        yield made


@pytest.fixture(scope="module")
def office(provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """A server that knows the provider, with an owner who has a password and anna who has none."""
    folder, port = tmp_path_factory.mktemp("office"), free_port()
    library = open_library(settings_of(folder / "data"), samples=False)
    people.set_password(library, library.person_id, PASSWORD)
    people.add(library, "anna", "annotator", email="anna@example.org")
    library.close()
    environment = provider.secrets(folder, f"http://127.0.0.1:{port}")
    with AppProcess(folder / "data", {"MASKSMITH_MODEL": GRABCUT, **environment}, port=port) as running:
        yield running


def test_one_comes_from_the_provider_to_the_page_that_was_asked_for_works_and_leaves(
    page: Page, office: AppProcess, provider: IdentityProvider
) -> None:
    provider.account = Account(email="anna@example.org")
    page.goto(f"{office.url}/?image=2")
    page.get_by_role("button", name="Sign in with Example ID").click()
    page.get_by_role("link", name="Go on").click()  # at the provider
    page.locator(".st-key-account summary", has_text="anna").wait_for()
    assert page.url == f"{office.url}/?image=2"
    bench = Bench(page, office.url)
    bench.until("s.phase === 'ready'")
    bench.prompted(lambda: bench.click(200, 200))
    made = bench.accept()
    library = open_library(settings_of(office.data), samples=False)
    with library.engines.reading() as session:
        assert masks.get(made["mask_id"], session=session).person_id == people.named(library, "anna").id
    library.close()
    kept = {one["name"]: one for one in page.context.cookies(office.url)}
    assert (kept["masksmith_session"]["httpOnly"], kept["masksmith_session"]["sameSite"]) == (True, "Strict")
    assert not [name for name in kept if name.startswith("_streamlit_user")]
    page.locator(".st-key-account summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert page.get_by_role("button", name="Change password").count() == 0  # there is none to change
    page.locator(".st-key-account summary").click()
    sign_out(page)
    page.go_back()
    page.get_by_role("link", name="Go on").click()  # the same answer again
    page.get_by_role("alert").filter(has_text="What the provider answers must hold").wait_for()
    page.goto(f"{office.url}/own")
    page.get_by_role("form", name="Sign in").wait_for()
    assert page.request.get(f"{office.url}/api/images").status == 401


def test_a_stranger_is_told_why_and_comes_back_to_the_form(
    page: Page, office: AppProcess, provider: IdentityProvider
) -> None:
    provider.account = Account(sub="eve", email="eve@example.org")
    page.goto(f"{office.url}/metrics")
    page.get_by_role("button", name="Sign in with Example ID").click()
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("alert").filter(has_text="nobody there has eve@example.org").wait_for()
    page.get_by_role("link", name="Back to signing in").click()
    page.get_by_role("form", name="Sign in").wait_for()
    assert page.url == f"{office.url}/metrics"


def test_an_owner_gives_addresses_on_the_team_page(page: Page, office: AppProcess) -> None:
    page.goto(f"{office.url}/team")
    sign_in(page, "owner")
    page.get_by_role("button", name="Invite somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Bo")
    dialog.get_by_role("textbox", name="E-mail address").fill("Anna@example.org")
    dialog.get_by_role("button", name="Invite", exact=True).click()
    dialog.get_by_text("must be one person's, but anna@example.org is that of 'anna'").wait_for()
    dialog.get_by_role("textbox", name="E-mail address").fill("Bo@example.org")
    dialog.get_by_role("button", name="Invite", exact=True).click()
    dialog.get_by_text("can sign in by the provider").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("cell", name="bo@example.org", exact=True).wait_for()
    settled(page)
    page.get_by_role("button", name="Change somebody").click()
    field = dialog.get_by_role("textbox", name="E-mail address at the provider")
    field.fill("owner@example.org")
    field.press("Enter")
    dialog.get_by_role("button", name="Set address").click()
    dialog.get_by_text("owner can sign in by the provider with this address").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("cell", name="owner@example.org", exact=True).wait_for()
