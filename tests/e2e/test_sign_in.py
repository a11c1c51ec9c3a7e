"""A team in real Chromium: sign in, work, be told what is not for one's role, sign out; open pages of who is gone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.app_process import AppProcess
from core import annotating, people, team
from core.masks import Rle, encode
from core.segmentation.catalogue import GRABCUT
from core.workshop import Library, open_library
from storage import images, masks
from storage.types import now
from tests.conftest import settings_of
from tests.e2e.conftest import Bench, settled

PASSWORD = "correct horse battery"


def put_team(data: Path) -> None:
    """Give the owner a password, and put anna the annotator and rita the reviewer on the team."""
    library = open_library(settings_of(data), samples=False)
    people.set_password(library, library.person_id, PASSWORD)
    people.add(library, "anna", "annotator", PASSWORD)
    people.add(library, "rita", "reviewer", PASSWORD)
    library.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app with a team: owner, anna the annotator, rita the reviewer."""
    data = tmp_path_factory.mktemp("office") / "data"
    with AppProcess(data, {"MASKSMITH_MODEL": GRABCUT}) as running:
        put_team(data)
        yield running


@pytest.fixture
def library(office: AppProcess) -> Iterator[Library]:
    opened = open_library(settings_of(office.data), samples=False)
    yield opened
    opened.close()


def disk(library: Library, image_id: int) -> Rle:
    with library.engines.reading() as session:
        image = images.get(image_id, session=session)
    rows, columns = np.mgrid[: image.height, : image.width]
    return encode((rows - 100) ** 2 + (columns - 100) ** 2 < 50**2)


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator(".st-key-account summary", has_text=name).wait_for()


def sign_out(page: Page) -> None:
    page.locator(".st-key-account summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("form", name="Sign in").wait_for()


def test_an_annotator_signs_in_makes_a_mask_and_signs_out(page: Page, office: AppProcess, library: Library) -> None:
    page.goto(f"{office.url}/?image=1")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("not her password")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Name and password must be those of somebody on the team").wait_for()
    assert page.locator(".ms-root").count() == 0
    sign_in(page, "anna")
    bench = Bench(page, office.url)
    bench.until("s.phase === 'ready'")
    bench.prompted(lambda: bench.click(200, 200))
    made = bench.accept()
    anna = people.named(library, "anna")
    with library.engines.reading() as session:
        assert masks.get(made["mask_id"], session=session).person_id == anna.id
    cookie = next(one for one in page.context.cookies() if one["name"] == "masksmith_session")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert "masksmith_session" not in page.evaluate("document.cookie")
    sign_out(page)
    page.reload()
    page.get_by_role("form", name="Sign in").wait_for()


def test_a_page_that_is_not_for_ones_role_says_so_in_one_sentence(page: Page, office: AppProcess) -> None:
    page.goto(f"{office.url}/review")
    sign_in(page, "anna")
    page.get_by_text("Your role must be reviewer or above for this, but it is annotator.").wait_for()
    settled(page)
    assert page.get_by_role("link", name="Review").count() == 0
    for hidden in ("models", "settings", "team"):
        page.goto(f"{office.url}/{hidden}")
        page.get_by_text("Your role must be manager or above for this, but it is annotator.").wait_for()
    page.goto(f"{office.url}/images")
    page.get_by_role("button", name="Open", exact=True).first.wait_for()
    settled(page)
    for name in ("Import photos", "Export masks", "Model"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0


def test_an_open_page_stops_with_its_person(page: Page, office: AppProcess, library: Library) -> None:
    page.goto(f"{office.url}/own")
    sign_in(page, "anna")
    page.get_by_text("No mask was sent back").wait_for()
    settled(page)
    people.sign_out(library, people.named(library, "anna").id)
    page.get_by_role("radio", name="Hard queue").or_(page.get_by_role("button", name="Hard queue")).first.click()
    page.get_by_role("form", name="Sign in").wait_for()
    expect(page.get_by_text("No skipped object waits")).to_have_count(0)


def test_an_owner_invites_somebody_who_chooses_a_password_of_their_own(
    page: Page, browser: Browser, office: AppProcess, library: Library
) -> None:
    page.goto(f"{office.url}/team")
    sign_in(page, "owner")
    page.get_by_role("button", name="Invite somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Bo <b>")
    dialog.get_by_text("manager", exact=True).click()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    first = dialog.locator("code").inner_text()
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    theirs = context.new_page()
    theirs.goto(f"{office.url}/team")
    theirs.get_by_label("Name").fill("Bo <b>")
    theirs.get_by_label("Password").fill(first)
    theirs.get_by_role("button", name="Sign in").click()
    theirs.get_by_text("Hello, Bo <b>").wait_for()
    theirs.get_by_label("Present password").fill(first)
    theirs.get_by_label("New password", exact=True).fill(PASSWORD)
    theirs.get_by_label("New password again").fill("something else again")
    theirs.get_by_role("button", name="Change password").click()
    theirs.get_by_text("must be typed the same twice").wait_for()
    theirs.get_by_label("New password again").fill(PASSWORD)
    theirs.get_by_role("button", name="Change password").click()
    theirs.get_by_role("cell", name="Bo <b>", exact=True).first.wait_for()
    assert theirs.get_by_role("button", name="Invite somebody").count() == 0
    context.close()
    told = [one.kind for one in team.happened(library, limit=3)]
    assert told == ["own_password", "sign_in", "person_added"]
    assert team.members(library, at=now())[-1].person.name == "Bo <b>"


def test_a_mask_of_somebody_else_is_shown_and_left_alone(page: Page, office: AppProcess, library: Library) -> None:
    rita = library.for_person(people.named(library, "rita").id, "reviewer")
    made = annotating.accept(rita, 3, "ritas", annotating.Accepted(disk(library, 3), object_key="o"))
    page.goto(f"{office.url}/?image=3")
    sign_in(page, "anna")
    bench = Bench(page, office.url)
    bench.until("s.phase === 'ready' && s.masks.length === 1")
    row = page.locator("li.mask")
    row.locator(".mask-main").click()
    expect(row).to_contain_text("somebody else's")
    assert row.locator(".mask-tools").is_hidden()
    bench.press("Delete")
    page.get_by_role("status").filter(has_text="Somebody else made this mask").wait_for()
    with library.engines.reading() as session:
        assert [mask.id for mask in masks.of_image(3, session=session)] == [made.mask_id]


def test_what_was_not_saved_before_signing_out_is_saved_in_its_makers_name(
    page: Page, office: AppProcess, library: Library
) -> None:
    page.goto(f"{office.url}/?image=2")
    sign_in(page, "anna")
    bench = Bench(page, office.url)
    bench.until("s.phase === 'ready'")
    bench.prompted(lambda: bench.click(200, 150))
    anna = people.named(library, "anna")
    people.sign_out(library, anna.id)
    bench.press("Enter")
    bench.until("s.unsaved === 1")
    page.reload()
    sign_in(page, "rita")  # at the same browser
    bench.until("s.phase === 'ready'")
    bench.until("s.unsaved === 0")
    sign_out(page)
    with library.engines.reading() as session:
        assert masks.of_image(2, session=session) == []
    sign_in(page, "anna")
    bench.until("s.masks.length === 1 && s.unsaved === 0 && s.masks[0].mask_id")
    with library.engines.reading() as session:
        (saved,) = masks.of_image(2, session=session)
    assert saved.person_id == anna.id
