"""The page Images in real Chromium: photos come in, are found, opened and taken out again."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app of its own: these tests change which images there are."""
    with AppProcess(tmp_path_factory.mktemp("shelf") / "data") as running:
        yield running


def names(app: AppProcess) -> list[str]:
    return [image["name"] for image in httpx.get(f"{app.url}/api/images", params={"limit": 500}).json()["images"]]


def photo(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_uploads_come_in_and_what_is_refused_is_told(page: Page, shelf: AppProcess) -> None:
    page.goto(f"{shelf.url}/images")
    page.get_by_role("button", name="Import photos").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(
        [
            {"name": "whole.png", "mimeType": "image/png", "buffer": photo(1)},
            {"name": "broken.png", "mimeType": "image/png", "buffer": photo(2)[:900]},
            {"name": "<b>note.png", "mimeType": "image/png", "buffer": b"this is text"},
        ]
    )
    dialog.get_by_role("button", name="Import", exact=True).click()
    dialog.get_by_text("1 imported, 2 refused.").wait_for()
    dialog.get_by_text("an image must be complete and readable").wait_for()
    dialog.get_by_text("an image must be JPEG, PNG, WebP, TIFF or BMP").wait_for()
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_text("whole.png").wait_for()
    assert names(shelf).count("whole.png") == 1
    assert "broken.png" not in names(shelf)


def test_a_folder_of_the_server_comes_in_each_photo_once(page: Page, shelf: AppProcess, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "one.png").write_bytes(photo(11))
    (tmp_path / "below" / "two.png").write_bytes(photo(12))
    (tmp_path / "below" / "again.png").write_bytes(photo(11))
    page.goto(f"{shelf.url}/images")
    page.get_by_role("button", name="Import photos").click()
    dialog = page.get_by_role("dialog")
    folder = dialog.get_by_role("textbox", name="Or a file or folder on the server")
    folder.fill(str(tmp_path))
    folder.press("Enter")
    dialog.get_by_role("button", name="Import", exact=True).click()
    dialog.get_by_text("2 imported, 1 already in the library.").wait_for()


def test_an_image_is_found_by_its_name_and_opened(page: Page, shelf: AppProcess) -> None:
    page.goto(f"{shelf.url}/images")
    page.get_by_label("Find by name").fill("ROCKET")
    page.get_by_label("Find by name").press("Enter")
    expect(page.get_by_role("button", name="Open", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_function("window.__masksmith && window.__masksmith.state().phase === 'ready'")
    page.get_by_text("rocket.jpg").first.wait_for()


def test_deleting_asks_first(page: Page, shelf: AppProcess) -> None:
    page.goto(f"{shelf.url}/images")
    page.get_by_label("Find by name").fill("camera")
    page.get_by_label("Find by name").press("Enter")
    expect(page.get_by_text("Select", exact=True)).to_have_count(1)
    page.get_by_text("Select", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep").click()
    dialog.wait_for(state="hidden")
    assert "camera.png" in names(shelf)
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    dialog.wait_for(state="hidden")
    page.get_by_text("No image fits.").wait_for()
    assert "camera.png" not in names(shelf)
