"""The page Settings in Chromium: saved, refused and not overwritten; guidelines that cannot do anything but be read."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess
from core.project_settings import ProjectSettings
from core.projects import change_settings, settings
from core.workshop import Library
from tests.e2e.conftest import Bench, settled

HOSTILE = """# Rules <img src=x onerror="window.hit=1">
- [a link](javascript:window.hit=1) and [another](data:text/html,<script>window.hit=1</script>)
- ![x](https://elsewhere.example/track.png) <script>window.hit=1</script>
- [good](https://example.org/a?b=1) **bold** `code`

![A disk](disk.png)
![x"onerror="window.hit=1](none.png)
"""


@pytest.fixture(autouse=True)
def _as_before(library: Library) -> Iterator[None]:
    before = settings(library)
    yield
    change_settings(library, before.to_json())


def open_settings(page: Page, app: AppProcess) -> None:
    page.goto(f"{app.url}/settings")
    page.get_by_text("Order of images").wait_for()
    settled(page)


def test_settings_are_saved_refused_in_a_sentence_and_not_overwritten_unseen(
    page: Page, app: AppProcess, library: Library
) -> None:
    open_settings(page, app)
    page.get_by_text("Jagged outlines", exact=True).click()
    page.get_by_label("Images done by two annotators, %").fill("10")
    page.get_by_label("Objects outlined by hand, %").fill("5")
    page.get_by_label("Masks drawn into audits, %").fill("2.5")
    page.get_by_text("Most left first", exact=True).click()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. Pages that are open").wait_for()
    now = settings(library)
    assert (now.overlap_share, now.by_hand_share, now.audit_rate) == (0.1, 0.05, 0.025)
    assert (now.checks_off, now.next_order) == (("rough",), "most left first")
    page.get_by_label("Time limit, seconds").fill("10")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The warning must come before the limit of 10 s, got 20.").wait_for()
    page.get_by_label("Time limit, seconds").fill("45")
    change_settings(library, {"skip_limit_s": 60, "min_area": 7})
    page.get_by_role("button", name="Save").click()
    page.get_by_text("skip_limit_s was changed by somebody else meanwhile").wait_for()
    page.get_by_role("button", name="Show the settings as they are now").click()
    page.locator('input[aria-label="Time limit, seconds"][value="60"]').wait_for()
    expect(page.get_by_label("Time limit, seconds")).to_have_count(1)
    assert settings(library).min_area == 7


def test_guidelines_are_written_with_pictures_and_read_in_the_workbench(
    page: Page, app: AppProcess, library: Library, image: int
) -> None:
    page.goto(f"{app.url}/settings")
    page.get_by_text("Guidelines", exact=True).click()
    text = page.get_by_label("Markdown: headings")
    text.wait_for()
    buffer = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(buffer, "PNG")
    files = [
        {"name": n, "mimeType": "image/png", "buffer": b}
        for n, b in (("disk.png", buffer.getvalue()), ("bad.png", b"no"))
    ]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(files)  # type: ignore[arg-type]
    page.get_by_role("button", name="Add 2").click()
    page.get_by_text("bad.png: An image must be").wait_for()
    page.get_by_role("button", name="Remove", exact=True).wait_for()
    text.fill(HOSTILE)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. Pages that are open").wait_for()
    check_harmless(page)
    assert settings(library).guidelines == HOSTILE
    bench = Bench(page, app.url)
    bench.open(image)
    page.get_by_role("button", name="Guidelines", exact=True).click()
    check_harmless(page)
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    bench.press("m")
    page.get_by_role("dialog").locator(".guidelines").wait_for()


def check_harmless(page: Page) -> None:
    shown = page.locator(".guidelines")
    shown.get_by_text('Rules <img src=x onerror="window.hit=1">').wait_for()
    expect(shown.locator("img")).to_have_count(1)
    expect(shown.locator("script, iframe, [onerror]")).to_have_count(0)
    expect(shown.locator("a")).to_have_count(1)
    expect(shown.locator("a")).to_have_attribute("href", "https://example.org/a?b=1")
    expect(shown.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    shown.locator("img").evaluate("(img) => img.decode()")
    assert shown.locator("img").evaluate("(img) => [img.naturalWidth, img.naturalHeight]") == [60, 40]
    assert page.evaluate("window.hit") is None


def test_images_that_are_chosen_come_first(page: Page, app: AppProcess, library: Library) -> None:
    assert settings(library) == ProjectSettings()
    page.goto(f"{app.url}/images")
    page.get_by_role("button", name="Open", exact=True).first.wait_for()
    settled(page)
    page.get_by_text("Select", exact=True).nth(2).click()
    page.get_by_role("button", name="Priority of 1").click()
    page.get_by_role("button", name="Come first").click()
    page.get_by_text("▲ first").wait_for()
    expect(page.get_by_role("button", name="Priority of")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="Select").nth(2)).not_to_be_checked()
    page.goto(app.url)
    Bench(page, app.url).until("s.image_id === 3 && s.phase === 'ready'")
