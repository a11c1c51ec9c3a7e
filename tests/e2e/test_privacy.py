"""Privacy in real Chromium: boxes are checked, removed and drawn; older photos are searched beside the server."""

from collections.abc import Iterator
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from benchmarks.app_process import AppProcess
from core import projects, protecting
from core.importing import import_bytes
from core.segmentation.catalogue import GRABCUT
from core.settings import Settings
from core.workshop import Library, open_library
from storage import images
from tests.core.privacy.photos import FACE, MARK, astronaut, marked, sharpness
from tests.e2e.conftest import settled
from tests.e2e.photos import disk_photo

DETECTOR = {"MASKSMITH_DETECTOR": "tests.core.privacy.photos:marks", "MASKSMITH_MODEL": GRABCUT}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app of its own, which takes pink marks for faces."""
    with AppProcess(tmp_path_factory.mktemp("private") / "data", DETECTOR) as running:
        yield running


@pytest.fixture(scope="module")
def library(shelf: AppProcess) -> Iterator[Library]:
    """The app's library: one photo that was blurred as it came in, and two that nothing searched."""
    data = shelf.data
    opened = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)
    with opened.engines.writing() as session:
        images.soft_delete([row.id for row in images.page(1, session=session, limit=99)], session=session)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MASKSMITH_DETECTOR", DETECTOR["MASKSMITH_DETECTOR"])
        for blur, uploads in (
            (True, [("blurred.png", marked(1))]),
            (False, [("old.png", marked(2)), ("disk.png", disk_photo("d"))]),
        ):
            projects.change_settings(opened, {"blur": blur})
            import_bytes(uploads, engines=opened.engines, files=opened.files, project_id=opened.project_id)
    yield opened
    opened.close()


def pixels(shelf: AppProcess, library: Library, name: str) -> np.ndarray:
    with library.engines.reading() as session:
        (row,) = [row for row in images.page(1, session=session, limit=99) if row.name == name]
    return np.asarray(Image.open(BytesIO(httpx.get(f"{shelf.url}/api/images/{row.id}/pixels").content)))


def open_privacy(page: Page, shelf: AppProcess) -> None:
    page.goto(f"{shelf.url}/images")
    settled(page)
    page.get_by_text("Privacy", exact=True).click()
    page.get_by_text("Blur faces and number plates on imported photos").wait_for()
    settled(page)


def test_boxes_are_checked_removed_and_drawn(page: Page, shelf: AppProcess, library: Library) -> None:
    assert sharpness(pixels(shelf, library, "blurred.png")) < 20
    open_privacy(page, shelf)
    page.get_by_text("To check (1)").wait_for()
    page.get_by_text("1 face, found").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("Nothing waits to be checked.").wait_for()
    assert sharpness(pixels(shelf, library, "blurred.png")) > 40

    page.get_by_text("All images", exact=True).click()
    page.get_by_label("Find by name").fill("disk")
    page.get_by_label("Find by name").press("Enter")
    page.get_by_text("disk.png", exact=True).wait_for()
    page.get_by_text("Nothing is blurred here.").wait_for()
    settled(page)
    canvas = page.locator(".st-key-privacy-image canvas").last
    box = canvas.bounding_box()
    assert box is not None
    # The photo of 400 x 300 pixels is shown 440 pixels high.
    scale = box["height"] / 300
    page.mouse.move(box["x"] + 160 * scale, box["y"] + 110 * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + 240 * scale, box["y"] + 190 * scale, steps=6)
    page.mouse.up()
    settled(page)
    page.get_by_text("Plate", exact=True).click()
    settled(page)
    page.get_by_role("button", name="Blur it").click()
    page.get_by_text("1 plate, drawn").wait_for()
    with library.engines.reading() as session:
        (row,) = [row for row in images.page(1, session=session, limit=99) if row.name == "disk.png"]
    (drawn,) = protecting.boxes_of(library, row.id)
    assert drawn.box == pytest.approx((160, 110, 240, 190), abs=2)
    inside = pixels(shelf, library, "disk.png")[115:185, 165:235]
    assert sharpness(inside, (0, 0, 70, 70)) < 5


def test_older_photos_are_searched_and_then_wait_to_be_checked(page: Page, shelf: AppProcess, library: Library) -> None:
    assert sharpness(pixels(shelf, library, "old.png"), MARK) > 40
    open_privacy(page, shelf)
    page.get_by_text("2 images not searched yet").wait_for()
    page.get_by_role("button", name="Search them").click()
    page.get_by_text("Every image is searched").wait_for(timeout=120_000)
    assert sharpness(pixels(shelf, library, "old.png"), MARK) < 20
    page.get_by_text("1 face, found").wait_for()
    settled(page)
    page.keyboard.press("Enter")
    page.get_by_text("Nothing waits to be checked.").wait_for()
    # The drawn plate was somebody's own, so it counts as checked.
    page.get_by_text("Checked (2)").wait_for()


def test_the_import_says_and_does_what_the_project_wants(page: Page, shelf: AppProcess, library: Library) -> None:
    page.goto(f"{shelf.url}/images")
    page.get_by_role("button", name="Import photos").click()
    dialog = page.get_by_role("dialog")
    assert projects.settings(library).blur is False
    dialog.get_by_text("Blur faces and number plates").click()
    settled(page)
    dialog.locator("input[type=file]").set_input_files(
        [{"name": "new.png", "mimeType": "image/png", "buffer": marked(3)}]
    )
    dialog.get_by_role("button", name="Import", exact=True).click()
    dialog.get_by_text("1 imported, 1 face blurred.").wait_for()
    assert projects.settings(library).blur is True
    assert sharpness(pixels(shelf, library, "new.png")) < 20
    dialog.get_by_role("button", name="Close").last.click()


def test_the_workbench_shows_a_photo_that_was_blurred_while_it_was_closed(
    page: Page, shelf: AppProcess, library: Library
) -> None:
    """The browser keeps pictures for good, but under an address that a blurred photo does not share."""
    projects.change_settings(library, {"blur": False})
    import_bytes(
        [("face.png", astronaut())], engines=library.engines, files=library.files, project_id=library.project_id
    )
    projects.change_settings(library, {"blur": True})
    with library.engines.reading() as session:
        (row,) = [row for row in images.page(1, session=session, limit=99) if row.name == "face.png"]
    shown = "window.__masksmith && window.__masksmith.state().phase === 'ready'"
    page.goto(f"{shelf.url}/?image={row.id}")
    page.wait_for_function(shown)
    sharp = seen(page)
    protecting.draw(library, row.id, "face", FACE)
    page.goto(f"{shelf.url}/?image={row.id}")
    page.wait_for_function(shown)
    assert sharpness(seen(page), FACE) < sharpness(sharp, FACE) / 2


def seen(page: Page) -> np.ndarray:
    """Return the photo as the stage has it."""
    sent = page.locator(".stage img").first.evaluate(
        """(photo) => {
          const canvas = document.createElement('canvas');
          canvas.width = photo.naturalWidth; canvas.height = photo.naturalHeight;
          const context = canvas.getContext('2d');
          context.drawImage(photo, 0, 0);
          return [canvas.width, canvas.height, [...context.getImageData(0, 0, canvas.width, canvas.height).data]];
        }"""
    )
    return np.array(sent[2], np.uint8).reshape(sent[1], sent[0], 4)[..., :3]
