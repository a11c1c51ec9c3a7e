"""Coverage in real Chromium: a survey by the job, the order by what is left, the badge, the picture, the balance."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess
from core.segmentation.catalogue import TINY
from core.settings import Settings
from core.workshop import Library, open_library
from storage import images, surveys
from tests.e2e.conftest import settled
from tests.e2e.photos import put_in


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app of its own, in which the starter answers."""
    with AppProcess(tmp_path_factory.mktemp("surveyed") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def library(shelf: AppProcess) -> Iterator[Library]:
    """The app's library, with two photos and no sample."""
    data = shelf.data
    opened = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)
    with opened.engines.writing() as session:
        images.soft_delete([row.id for row in images.page(1, session=session, limit=99)], session=session)
    for name in ("one.png", "two.png"):
        put_in(shelf, opened, name)
    yield opened
    opened.close()


def test_a_survey_tells_what_is_left_and_orders_the_library(page: Page, shelf: AppProcess, library: Library) -> None:
    page.goto(f"{shelf.url}/images")
    settled(page)
    page.get_by_text("Most left first").click()
    page.get_by_text("No image is surveyed yet.").wait_for()
    page.get_by_text("Coverage", exact=True).click()
    page.get_by_text("0 of 2").wait_for()
    page.get_by_text("nothing can be said about balance").wait_for()
    page.get_by_role("button", name="Survey", exact=True).click()
    page.get_by_text("2 of 2", exact=True).wait_for(timeout=180_000)
    page.get_by_text("2 images are too few to divide").wait_for(timeout=30_000)
    page.get_by_text("Every image is surveyed").wait_for()
    with library.engines.reading() as session:
        left = {row.image_id: row.left_over for row in surveys.some([*range(99)], session=session).values()}
    assert len(left) == 2
    page.get_by_text("Library", exact=True).click()
    settled(page)
    expect(page.get_by_role("button", name="left", exact=False)).to_have_count(2)
    page.get_by_text("Most left first").click()
    page.get_by_text("2 images with a survey").wait_for()
    badges = page.get_by_role("button", name="left", exact=False)
    expect(badges).to_have_count(2)
    counts = [int(text.strip("~ left")) for text in badges.all_inner_texts()]
    assert counts == sorted(left.values(), reverse=True)
    badges.first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("img", name="with what is left outlined").wait_for()
    dialog.get_by_text("By the model's guess").wait_for()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app in which a model answers whose embeddings are kept; its work is done by two processes."""
    environ = {"MASKSMITH_MODEL": TINY, "MASKSMITH_WORKERS": "2"}
    with AppProcess(tmp_path_factory.mktemp("kept") / "data", environ) as running:
        yield running


def test_checks_and_encoding_are_begun_here_and_say_how_they_ended(page: Page, kept: AppProcess) -> None:
    page.goto(f"{kept.url}/images")
    settled(page)
    page.get_by_text("Coverage", exact=True).click()
    page.get_by_role("button", name="Check masks").click()
    page.get_by_role("button", name="Encode ahead").click()
    page.get_by_text("0 of 0 masks on 0 of").wait_for(timeout=180_000)
    page.get_by_text("images encoded,").wait_for(timeout=180_000)
    page.get_by_role("button", name="Encode ahead").click()
    page.get_by_text("The last one: 0 images encoded,").wait_for(timeout=180_000)
