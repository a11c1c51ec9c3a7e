"""Objects that chance assigns to be outlined by hand, in real Chromium: outlined, or gone on with; and what is kept."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from core import metrics, projects
from core.assigning import assigned
from core.metrics import Chosen
from core.workshop import Library
from storage import masks
from tests.e2e.conftest import Bench, outline
from tests.e2e.photos import DISK

X, Y, RADIUS = DISK
SHARE = 0.5


@pytest.fixture
def half(library: Library) -> Iterator[Library]:
    """The library, of whose objects half are to be outlined by hand."""
    projects.change_settings(library, {"by_hand_share": SHARE})
    yield library
    projects.change_settings(library, {"by_hand_share": 0.0})


def begin(bench: Bench, way: str) -> str:
    """Click on the disk until chance says so of the object; return its key. A fresh object is drawn anew."""
    for _ in range(40):
        bench.until("!s.in_work")
        bench.click(X, Y)
        bench.until("s.object.points.length === 1")
        key = str(bench.state()["object"]["key"])
        if assigned(key, SHARE) == way:
            return key
        if assigned(key, SHARE) == "by_hand":
            bench.page.get_by_role("dialog").get_by_role("button", name="Close").click()
        bench.press("Escape")
    raise AssertionError("chance never said so in forty objects")


def of_image(library: Library, image_id: int) -> list[tuple[str, str, str | None]]:
    with library.engines.reading() as session:
        rows = masks.of_image(image_id, session=session)
        return [(row.object_key, row.origin, masks.find(row.id, session=session).assigned) for row in rows]


def test_an_object_that_chance_assigns_is_outlined_by_hand(bench: Bench, half: Library, image: int) -> None:
    bench.open(image)
    key = begin(bench, "by_hand")
    dialog = bench.page.get_by_role("dialog", name="This one by hand")
    expect(dialog.get_by_role("button", name="Outline it")).to_be_focused()
    assert not bench.state()["has_mask"]
    bench.page.keyboard.press("Enter")
    bench.page.get_by_text("the object that is marked").wait_for()
    corners = [(X - RADIUS, Y - RADIUS), (X + RADIUS, Y - RADIUS), (X + RADIUS, Y + RADIUS), (X - RADIUS, Y + RADIUS)]
    outline(bench.page, corners, 400)
    bench.page.get_by_role("button", name="Save mask").click()
    bench.until("s.phase === 'ready' && s.masks.length === 1 && !s.in_work")
    assert of_image(half, image) == [(key, "by_hand", "by_hand")]


def test_an_outline_that_was_left_asks_again(bench: Bench, half: Library, image: int) -> None:
    bench.open(image)
    begin(bench, "by_hand")
    bench.page.keyboard.press("Enter")
    bench.page.get_by_role("button", name="Back").click()
    dialog = bench.page.get_by_role("dialog", name="This one by hand")
    dialog.wait_for()
    dialog.get_by_role("button", name="Outline it").click()
    bench.page.get_by_text("the object that is marked").wait_for()
    bench.page.reload()
    bench.page.get_by_text("the object that is marked").wait_for()
    assert of_image(half, image) == []


def test_whoever_does_not_want_to_goes_on_with_the_model(bench: Bench, half: Library, image: int) -> None:
    bench.open(image)
    key = begin(bench, "by_hand")
    bench.page.get_by_role("button", name="With the model this time").click()
    bench.accept()
    assert of_image(half, image) == [(key, "assisted", "by_hand")]


def test_the_others_are_made_with_the_model_and_say_so(bench: Bench, half: Library, image: int) -> None:
    bench.open(image)
    before = metrics.figures(half, Chosen()).effort.assisted
    key = begin(bench, "assisted")
    bench.accept()
    assert of_image(half, image) == [(key, "assisted", "assisted")]
    assert metrics.figures(half, Chosen()).effort.assisted == before + 1
