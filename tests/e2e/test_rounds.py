"""A round in real Chromium: begun on the Review page, annotated from a seat of one's own, and compared."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess
from core import annotating, calibrating, projects, rounds
from core import masks as pixels
from core import people as staff
from core.segmentation.catalogue import GRABCUT
from core.workshop import Library, open_library
from storage import images, masks, people
from storage import rounds as queries
from tests.conftest import settings_of
from tests.e2e.conftest import Bench, settled
from tests.e2e.test_review import open_queue
from tests.e2e.test_sign_in import PASSWORD, sign_in


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    with AppProcess(tmp_path_factory.mktemp("rounds") / "data", {"MASKSMITH_MODEL": GRABCUT}) as running:
        yield running


@pytest.fixture
def library(app: AppProcess) -> Iterator[Library]:
    opened = open_library(settings_of(app.data), samples=False)
    with opened.engines.writing() as session:
        people.get_or_create("rita", session=session)
    yield opened
    opened.close()


def as_rita(library: Library, round_id: int) -> tuple[Library, list[int]]:
    """Return the library from rita's seat, and her images."""
    with library.engines.writing() as session:
        person = people.get_or_create("rita", session=session).id
        seat = queries.seat(round_id, person, session=session)
        assert seat is not None
        found = queries.images_of(seat.project_id, session=session)
    there = library.at(seat.project_id)
    there.person_id = person
    return there, sorted(found.values())


def test_two_annotate_the_same_image_blind_and_the_review_page_tells_how_far_they_agree(
    page: Page, app: AppProcess, library: Library
) -> None:
    open_queue(page, app, "Agreement")
    page.get_by_text("No round yet.").wait_for()
    page.get_by_role("button", name="New round").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("First round")
    dialog.get_by_label("Name").press("Tab")
    for name in ("owner", "rita"):
        dialog.get_by_label("Who").click()
        page.get_by_role("option", name=name).click()
    dialog.get_by_label("Images, drawn at random").fill("1")
    dialog.get_by_label("Images, drawn at random").press("Tab")
    settled(page)
    dialog.get_by_role("button", name="Begin").click()
    page.get_by_text("No image is done by two of them yet").wait_for()

    bench = Bench(page, app.url)
    page.goto(app.url)
    bench.until("s.phase === 'ready'")
    page.get_by_role("button", name="Round: First round").click()
    page.wait_for_url("**round=1*")
    page.get_by_role("button", name="Leave First round").wait_for()
    bench.until("s.phase === 'ready'")
    state = bench.state()
    bench.prompted(lambda: bench.click(state["image"]["width"] / 2, state["image"]["height"] / 2))
    mask = bench.accept()
    bench.press("n")
    page.get_by_text("1 of 1 image · 1 mask").wait_for()
    bench.until("s.unsaved === 0")

    round_id = rounds.every(library)[0].id
    there, (hers,) = as_rita(library, round_id)
    with library.engines.reading() as session:
        (mine,) = masks.of_image(masks.get(mask["mask_id"], session=session).image_id, session=session)
        size = images.get(hers, session=session)
    assert (size.height, size.width) == (mine.height, mine.width)
    drawn = pixels.decode({"size": [mine.height, mine.width], "counts": mine.counts})
    drawn[: mine.bbox[1] + mine.bbox[3] // 4] = False
    annotating.accept(there, hers, "rita", annotating.Accepted(pixels.encode(drawn), object_key="hers"))
    annotating.set_state(there, hers, "done")

    open_queue(page, app, "Agreement")
    page.get_by_text("Mean IoU of matched masks").wait_for()
    expect(page.get_by_text("owner 1 of 1 images, 1 masks")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    expect(page.get_by_role("img").filter(visible=True).first).to_be_visible()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("button", name="End it")).to_have_count(0)
    assert rounds.every(library)[0].closed_at is not None
    page.goto(app.url)
    bench.until("s.phase === 'ready'")
    expect(page.get_by_role("button", name="Round: First round")).to_have_count(0)


def test_a_new_annotator_passes_the_calibration_before_real_work(page: Page, app: AppProcess, library: Library) -> None:
    for number in (1, 2):
        with library.engines.reading() as session:
            image = images.get(number, session=session)
        agreed = np.zeros((image.height, image.width), bool)
        agreed[50:150, 50:150] = True
        accepted = annotating.Accepted(pixels.encode(agreed), object_key="agreed")
        annotating.accept(library, number, f"agreed-{number}", accepted)
        annotating.set_state(library, number, "done")
    staff.set_password(library, library.person_id, PASSWORD)
    anna, _ = staff.add(library, "anna", "annotator", PASSWORD)
    round_id = rounds.begin(library, rounds.Asked("Entry", (anna,), images=1, kind="calibration"), seed=1)
    projects.change_settings(library, {"calibration": round_id})

    page.goto(app.url)
    sign_in(page, "anna")
    page.wait_for_url("**round=1*")
    bench = Bench(page, app.url)
    bench.until("s.phase === 'ready'")
    page.get_by_role("button", name="Leave Entry").click()
    page.wait_for_url("**round=1*")
    bench.until("s.phase === 'ready'")
    bench.prompted(lambda: bench.click(300, 300))
    bench.accept()
    bench.press("n")
    page.get_by_text("1 of 1 image · 1 mask").wait_for()
    bench.until("s.unsaved === 0")
    page.goto(app.url)
    page.get_by_text("The calibration Entry must reach F1 80% and IoU 85% before real work").wait_for()
    (seat,) = [one for one in rounds.seats(library, round_id) if one.person_id == anna]
    calibrating.let_pass(library, seat)
    page.goto(app.url)
    bench.until("s.phase === 'ready'")
    expect(page.get_by_role("button", name="Leave Entry")).to_have_count(0)
