"""Two people, and two tabs, on one library in Chromium: nobody is given or overwrites what is another's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from benchmarks.app_process import AppProcess
from core import annotating, people, projects, queueing
from core.masks import Rle, encode
from core.segmentation.catalogue import GRABCUT
from core.workshop import Library
from storage import images, leases, masks, surveys
from storage.leases import QUIET
from storage.types import now
from tests.e2e.conftest import Bench
from tests.e2e.test_sign_in import disk, library, put_team, sign_in
from tests.storage.test_surveys import new_survey

__all__ = ["library"]

STOPPED = "document.dispatchEvent(new Event('visibilitychange'))"
"""Coming back to a tab is a sign of life: the heartbeat of a minute need not be waited for."""


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app with a team: owner, anna the annotator, rita the reviewer."""
    data = tmp_path_factory.mktemp("office") / "data"
    with AppProcess(data, {"MASKSMITH_MODEL": GRABCUT}) as running:
        put_team(data)
        yield running


@pytest.fixture
def another(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Opens a page in a browser of its own."""
    contexts = []

    def opened() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light"))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def as_(library: Library, name: str, role: str = "reviewer") -> Library:
    return library.for_person(people.named(library, name).id, role)  # type: ignore[arg-type]


def bench_of(page: Page, office: AppProcess, name: str, image: int | None = None) -> Bench:
    page.goto(office.url if image is None else f"{office.url}/?image={image}")
    sign_in(page, name)
    bench = Bench(page, office.url)
    bench.until("s.phase === 'ready'")
    return bench


def square(library: Library, image_id: int, x: int, side: int = 60) -> Rle:
    drawn = disk(library, image_id)
    blank = annotating.pixels.decode(drawn) & False
    blank[40 : 40 + side, x : x + side] = True
    return encode(blank)


def accept(library: Library, image_id: int, key: str, x: int, **more: object) -> int:
    accepted = annotating.Accepted(square(library, image_id, x), object_key=key, **more)  # type: ignore[arg-type]
    return annotating.accept(library, image_id, key, accepted).mask_id


def repaint(bench: Bench) -> None:
    """Edit the first mask, and paint on it; nothing is accepted yet."""
    bench.press(".")
    bench.press("e")
    bench.press("b")
    bench.drag((150, 60), (200, 60))
    bench.until("s.object.edits.length === 1")


def test_two_people_are_given_different_images_and_a_link_to_anothers_only_shows_it(
    page: Page, office: AppProcess, library: Library, another: Callable[[], Page]
) -> None:
    anna = bench_of(page, office, "anna")
    rita = bench_of(another(), office, "rita")
    hers, other = anna.state()["image_id"], rita.state()["image_id"]
    assert hers != other
    rita.page.goto(f"{office.url}/?image={hers}")
    bar = rita.page.locator(".held")
    bar.get_by_text("anna is on this image; you can look at it").wait_for()
    rita.until("s.phase === 'ready'")
    rita.click(200, 200)
    rita.press("b")
    rita.drag((50, 50), (90, 50))
    assert not rita.state()["in_work"]
    expect(bar.get_by_role("button", name="Take over")).to_be_hidden()
    # anna goes on, and the image is rita's as soon as she looks again.
    anna.press("n")
    anna.until(f"s.image_id !== {hers} && s.phase === 'ready'")
    rita.page.wait_for_function(f"() => {{ {STOPPED}; return window.__masksmith.state().held === null; }}", polling=300)
    rita.press("v")
    rita.prompted(lambda: rita.click(200, 200))
    rita.accept()


def test_who_is_quiet_is_taken_over_and_keeps_what_was_in_work(
    page: Page, office: AppProcess, library: Library, another: Callable[[], Page]
) -> None:
    anna = bench_of(page, office, "anna", 2)
    anna.prompted(lambda: anna.click(200, 150))
    anna.until("s.unsaved === 0")
    kept = "fetch('/api/images/2').then((r) => r.json()).then((one) => Boolean(one.work?.state.answer))"
    page.wait_for_function(kept)
    rita = bench_of(another(), office, "rita")
    with library.engines.writing() as session:
        ago = now() - QUIET - timedelta(minutes=1)
        assert leases.take(2, as_(library, "anna").person_id, "", at=ago, session=session)
    rita.open(2)
    bar = rita.page.locator(".held")
    bar.get_by_text("anna is on this image, but has done nothing for 4 minutes").wait_for()
    bar.get_by_role("button", name="Take over").click()
    bar.wait_for(state="hidden")
    anna.click(220, 160)
    page.locator(".held").get_by_text("rita is on this image now; your object in work is kept").wait_for()
    assert anna.state()["in_work"]
    anna.press("Enter")
    assert anna.state()["masks"] == []
    with library.engines.reading() as session:
        held = leases.of_image(2, at=now(), session=session)
    assert held is not None
    assert held.name == "rita"


def test_a_correction_that_came_second_is_told_and_saved_beside(
    page: Page, office: AppProcess, library: Library
) -> None:
    rita = as_(library, "rita")
    accept(as_(library, "anna"), 1, "first", 40)
    bench = bench_of(page, office, "anna", 1)
    repaint(bench)
    theirs = accept(rita, 1, "theirs", 60, supersedes="first")
    bench.press("Enter")
    page.locator(".status").get_by_text("rita has corrected mask 1 meanwhile. Yours is kept here").wait_for()
    bench.until(f"s.refused === 1 && s.masks.length === 1 && s.masks[0].mask_id === {theirs}")
    page.get_by_role("button", name="1 not saved").click()
    page.get_by_role("button", name="Save beside").click()
    bench.until("s.refused === 0 && s.unsaved === 0 && s.masks.length === 2 && s.masks.every((mask) => mask.mask_id)")
    with library.engines.reading() as session:
        assert len(masks.of_image(1, session=session)) == 2


def test_what_another_has_changed_is_shown_and_ones_own_object_stays(
    page: Page, office: AppProcess, library: Library
) -> None:
    rita = as_(library, "rita")
    accept(as_(library, "anna"), 1, "first", 40)
    bench = bench_of(page, office, "anna", 1)
    bench.press("b")
    bench.drag((150, 60), (200, 60))
    bench.until("s.object.edits.length === 1")
    accept(rita, 1, "theirs", 60, supersedes="first")
    bench.press(".")
    bench.press("Delete")
    page.locator(".status").get_by_text("rita has corrected mask 1 meanwhile").wait_for()
    bench.until("s.refused === 0 && s.masks.length === 1 && s.masks[0].key === 'theirs' && s.object.edits.length === 1")


def test_undo_and_redo_of_what_another_has_corrected_meanwhile_say_so_and_show_what_stands(
    page: Page, office: AppProcess, library: Library
) -> None:
    rita = as_(library, "rita")
    accept(as_(library, "anna"), 1, "first", 40)
    bench = bench_of(page, office, "anna", 1)
    repaint(bench)
    bench.press("Enter")
    bench.until("s.unsaved === 0 && s.masks.length === 1 && s.masks[0].key !== 'first' && s.masks[0].mask_id")
    bench.press("Control+z")
    bench.until("s.unsaved === 0 && s.masks.length === 1 && s.masks[0].key === 'first' && s.in_work")
    accept(rita, 1, "theirs", 60, supersedes="first")
    status = page.locator(".status")
    theirs = "s.refused === 0 && s.unsaved === 0 && s.masks.length === 1 && s.masks[0].key === 'theirs'"
    bench.press("Control+Shift+z")
    status.get_by_text("rita has corrected mask 1 meanwhile").wait_for()
    bench.until(f"{theirs} && s.object.edits.length === 1")  # what was painted is in work, as before the redo
    bench.press("Control+Shift+z")
    bench.until(f"{theirs} && !s.in_work")
    bench.press("Control+z")
    bench.until(f"{theirs} && s.object.edits.length === 1")
    bench.press("Control+Shift+z")
    bench.drag((250, 160), (290, 160))
    bench.until("s.object.edits.length === 1")
    bench.press("Enter")
    bench.until("s.unsaved === 0 && s.masks.length === 2 && s.masks.every((mask) => mask.mask_id)")
    own = bench.state()["masks"][-1]["key"]
    accept(rita, 1, "again", 70, supersedes=own)
    bench.press("Control+z")
    status.get_by_text("rita has corrected mask 4 meanwhile").wait_for()
    both = "s.unsaved === 0 && s.masks.map((mask) => mask.key).join() === 'theirs,again'"
    bench.until(f"{both} && !s.in_work")
    bench.press("Control+z")
    bench.until(f"{both} && s.in_work")
    with library.engines.reading() as session:
        assert [mask.key for mask in masks.of_image(1, session=session)] == ["theirs", "again"]


def test_a_second_tab_is_told_gently_and_keeps_its_own(page: Page, office: AppProcess) -> None:
    first = bench_of(page, office, "anna", 1)
    first.prompted(lambda: first.click(200, 150))
    kept = "fetch('/api/images/1').then((r) => r.json()).then((one) => one.work?.state.object.points.length === {0})"
    page.wait_for_function(kept.format(1))
    second = Bench(page.context.new_page(), office.url)
    second.open(1)
    second.until("s.object.points.length === 1 && s.has_mask")
    assert second.state()["held"] is None
    second.prompted(lambda: second.click(220, 160))
    page.wait_for_function(kept.format(2))
    first.prompted(lambda: first.click(180, 150))
    page.locator(".status").get_by_text("in work in another tab of yours, too").wait_for()
    first.prompted(lambda: first.click(180, 170))
    assert len(first.state()["object"]["points"]) == 3
    page.wait_for_function(kept.format(2))
    first.accept()
    second.until("s.object.points.length === 2")
    second.accept()


def test_the_survey_asks_once_before_an_image_is_done(page: Page, office: AppProcess, library: Library) -> None:
    mask = accept(as_(library, "anna"), 1, "first", 40)
    left = {"size": [4, 4], "left": [{"box": [0.5, 0.5, 0.75, 1.0], "predicted_iou": 0.9}]}
    with library.engines.writing() as session:
        surveys.put(replace(new_survey(1, left=1, mask_ids=(mask,)), detail=left), session=session)
        size = images.get(1, session=session)
    bench = bench_of(page, office, "anna", 1)
    bench.press("n")
    page.get_by_text("The survey sees about 1 object without a mask").wait_for()
    page.get_by_role("button", name="Show it").click()
    bench.until("s.left_over.length === 1")
    assert bench.state()["left_over"] == [[size.width / 2, size.height / 2, size.width / 4, size.height / 2]]
    expect(page.locator(".flag-box")).to_have_count(1)
    bench.press("n")
    bench.until("s.image_id !== 1 && s.phase === 'ready' && s.unsaved === 0")
    with library.engines.reading() as session:
        assert images.get(1, session=session).state == "done"


def test_an_image_done_twice_leads_to_a_seat_and_back(page: Page, office: AppProcess, library: Library) -> None:
    projects.change_settings(library, {"overlap_share": 1.0})
    accept(as_(library, "rita"), 1, "hers", 40)
    annotating.set_state(as_(library, "rita"), 1, "done")
    page.goto(office.url)
    sign_in(page, "anna")
    page.wait_for_url("**round=1&image=*")
    bench = Bench(page, office.url)
    bench.until("s.phase === 'ready' && s.masks.length === 0")
    page.get_by_role("button", name="Leave Done twice").wait_for()
    bench.prompted(lambda: bench.click(200, 150))
    bench.accept()
    bench.press("n")
    page.wait_for_url(lambda url: "round" not in url)
    bench.until("s.phase === 'ready'")
    assert queueing.next_image(as_(library, "anna")).round_id is None


def test_a_closed_tab_hands_its_image_back(page: Page, office: AppProcess, library: Library) -> None:
    bench_of(page, office, "anna", 3)
    page.goto(f"{office.url}/own")
    page.get_by_text("No mask was sent back").wait_for()
    for _ in range(100):
        with library.engines.reading() as session:
            if not session.execute(text("SELECT 1 FROM lease WHERE image_id = 3")).all():
                return
        page.wait_for_timeout(50)
    pytest.fail("the image must be handed back when its tab is closed, but is not")
