"""Masks of other tools in real Chromium: they come in on the page Images, and the workbench asks what is to be done."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess
from core import masks
from core.segmentation.catalogue import GRABCUT
from tests.e2e.conftest import Bench, settled


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app of its own: these tests change which masks there are."""
    with AppProcess(tmp_path_factory.mktemp("shop") / "data", {"MASKSMITH_MODEL": GRABCUT}) as running:
        yield running


def entry(app: AppProcess, name: str) -> dict[str, int]:
    found = httpx.get(f"{app.url}/api/images", params={"limit": 500}).json()["images"]
    image: dict[str, int] = next(image for image in found if image["name"] == name)
    return image


def coco(image: dict[str, int], name: str, count: int) -> bytes:
    """Return a COCO file of some disks in a row."""
    height, width = image["height"], image["width"]
    rows, columns = np.mgrid[:height, :width]
    drawn = [
        (rows - height // 2) ** 2 + (columns - width * (2 * place + 1) // (2 * count)) ** 2
        < (width // (3 * count)) ** 2
        for place in range(count)
    ]
    document = {
        "images": [{"id": 1, "file_name": name, "width": width, "height": height}],
        "categories": [{"id": 1, "name": "disk"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 1, "segmentation": masks.encode(mask)}
            for number, mask in enumerate(drawn, start=1)
        ]
        + [{"id": 9, "image_id": 7, "category_id": 1, "segmentation": [[1, 1, 5, 5, 1, 5]]}],
    }
    return json.dumps(document).encode()


def test_masks_come_in_and_are_kept_edited_or_deleted_on_the_canvas(page: Page, shop: AppProcess) -> None:
    image = entry(shop, "rocket.jpg")
    page.goto(f"{shop.url}/images")
    page.get_by_role("button", name="Import masks").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(
        [{"name": "others.json", "mimeType": "application/json", "buffer": coco(image, "rocket.jpg", 3)}]
    )
    dialog.get_by_text("others.json").wait_for()
    settled(page)
    dialog.get_by_role("button", name="Import", exact=True).click()
    dialog.get_by_text("3 masks on 1 image taken in, to be kept, fixed or deleted, 1 not readable.").wait_for()
    dialog.get_by_text("annotation 9 of others.json must belong to an image of the file, but there is no 7").wait_for()
    assert (entry(shop, "rocket.jpg")["masks"], entry(shop, "rocket.jpg")["proposals"]) == (0, 3)

    bench = Bench(page, shop.url)
    bench.open(image["id"])
    expect(page.locator(".mask-panel h2")).to_contain_text("3 to check")
    flag = page.locator(".flag")
    expect(flag).to_contain_text("Imported from others.json: keep it if it is right, else edit or delete it.")
    flag.get_by_role("button", name="Keep").click()
    expect(page.locator(".mask-panel h2")).to_contain_text("2 to check")
    flag = page.locator(".flag:not(.answered)")
    flag.get_by_role("button", name="Delete").click()
    expect(page.locator(".mask-panel h2")).to_contain_text("1 to check")
    bench.press("Control+z")
    expect(page.locator(".mask-panel h2")).to_contain_text("2 to check")
    bench.press("Control+Shift+z")
    expect(page.locator(".mask-panel h2")).to_contain_text("1 to check")
    flag.get_by_role("button", name="Edit").click()
    bench.until("s.has_mask && s.current")
    bench.press("Enter")
    expect(page.locator(".mask-panel h2")).not_to_contain_text("to check")
    bench.until("s.unsaved === 0 && s.masks.every((mask) => mask.mask_id)")
    assert (entry(shop, "rocket.jpg")["masks"], entry(shop, "rocket.jpg")["proposals"]) == (2, 0)
    found = httpx.get(f"{shop.url}/api/images/{image['id']}").json()["mask_list"]
    assert [mask["origin"] for mask in found] == ["imported", "imported"]


def test_an_export_says_before_it_is_made_what_the_format_loses(page: Page, shop: AppProcess) -> None:
    page.goto(f"{shop.url}/images")
    page.get_by_role("button", name="Export masks").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Format").click()
    page.get_by_role("option", name="Pascal VOC").click()
    dialog.get_by_text("Of masks that overlap only the smaller keeps the pixels they share").wait_for()
    settled(page)
    dialog.get_by_role("button", name="What would be lost?").click()
    dialog.get_by_text("images were written on trial.").wait_for()
    assert dialog.get_by_role("link").count() == 0
    dialog.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download voc-").click()
    assert download.value.suggested_filename.startswith("voc-")
