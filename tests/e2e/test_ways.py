"""Ways between images: a link is followed once, an image that does not open is no dead end, work keeps its image."""

import pytest
from playwright.sync_api import Page, Route, expect

from benchmarks.app_process import AppProcess
from core.workshop import Library
from tests.e2e.conftest import Bench, kept
from tests.e2e.photos import DISK, put_in

X, Y, _ = DISK


@pytest.fixture
def another(app: AppProcess, library: Library, request: pytest.FixtureRequest) -> int:
    """A photo to go on to."""
    return put_in(app, library, f"{request.node.name}-next.png")


def go(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function("['ready', 'failed'].includes(window.__masksmith?.state().phase)", timeout=60_000)


def test_a_mask_that_a_link_names_is_taken_up_once(bench: Bench, app: AppProcess, image: int, another: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    first = bench.accept()
    go(bench.page, f"{app.url}/?image={image}&mask={first['mask_id']}")
    bench.until("s.object.base !== null && s.has_mask")
    assert "mask=" not in bench.page.url
    bench.press("Escape")
    bench.until("!s.in_work")
    go(bench.page, bench.page.url)
    assert not bench.state()["in_work"]
    # Nor does it come again behind an outline by hand, or on another image.
    go(bench.page, f"{app.url}/?image={image}&mask={first['mask_id']}")
    bench.until("s.object.base !== null && s.has_mask")
    bench.press("Escape")
    bench.press("h")
    bench.page.get_by_role("button", name="Back").click()
    bench.until(f"s.image_id === {image} && s.phase === 'ready'")
    assert not bench.state()["in_work"]
    bench.page.locator(f'.row[data-id="{another}"]').click()
    bench.until(f"s.image_id === {another} && s.phase === 'ready'")
    go(bench.page, bench.page.url)
    assert bench.page.get_by_text("is here no more").count() == 0


def test_from_an_image_that_is_gone_next_and_previous_lead_on(bench: Bench, app: AppProcess, image: int) -> None:
    for key in ("n", "p"):
        go(bench.page, f"{app.url}/?image=999999")
        bench.until("s.phase === 'failed'")
        bench.press(key)
        bench.until("s.phase === 'ready' && s.image_id !== 999999")


def test_a_photo_that_did_not_come_is_asked_for_again(bench: Bench, image: int, another: int) -> None:
    bench.open(image)
    refused = []

    def once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    bench.page.route(f"**/api/images/{another}/pixels*", once)
    bench.page.locator(f'.row[data-id="{another}"]').click()
    bench.until("s.phase === 'failed'")
    bench.until(f"s.phase === 'ready' && s.image_id === {another}")
    assert refused


def test_an_object_begun_while_the_queue_is_asked_keeps_its_image(bench: Bench, app: AppProcess, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.accept()
    held: list[Route] = []
    bench.page.route("**/api/next", lambda route: held.append(route))
    with bench.page.expect_request("**/api/next"):
        bench.press("n")
    bench.prompted(lambda: bench.click(20, 20))
    held[0].continue_()
    bench.page.get_by_text("You have begun another object here.").first.wait_for()
    bench.until(f"s.image_id === {image} && s.in_work && s.unsaved === 0")
    assert kept(app, image)["state"] == "in_work"
    bench.press("Escape")
    bench.until("!s.in_work")


def test_the_keyboard_stays_where_it_is_in_lists_that_are_made_anew(bench: Bench, image: int, another: int) -> None:
    bench.open(image)
    for x, y in ((X, Y), (20, 20)):
        bench.prompted(lambda x=x, y=y: bench.click(x, y))  # type: ignore[misc]
        bench.accept()
    first = bench.page.locator(".mask .mask-main").first
    first.focus()
    bench.press("Enter")
    bench.until("s.selected !== null")
    expect(first).to_be_focused()
    row = bench.page.locator(f'.row[data-id="{another}"]')
    row.focus()
    bench.press("Enter")
    bench.until(f"s.image_id === {another} && s.phase === 'ready'")
    expect(row).to_be_focused()
    assert row.get_attribute("role") is None
