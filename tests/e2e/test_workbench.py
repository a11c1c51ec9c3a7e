"""What makes eight hours a day bearable: views, keys, flags, and undo of everything."""

import re
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from benchmarks.app_process import AppProcess
from core.projects import change_settings
from core.workshop import Library
from tests.e2e.conftest import Bench, kept, pixels
from tests.e2e.photos import DISK

X, Y, RADIUS = DISK


@pytest.fixture
def as_it_was(app: AppProcess) -> Iterator[None]:
    """Give the person's preferences back after a test that changes them."""
    before = httpx.get(f"{app.url}/api/project").json()["person"]["preferences"]
    yield
    httpx.put(f"{app.url}/api/preferences", json=before).raise_for_status()


def test_side_by_side_both_panes_share_one_view(bench: Bench, image: int, as_it_was: None) -> None:
    bench.open(image)
    bench.press("i")
    panes = bench.page.locator(".pane")
    panes.nth(1).wait_for()
    bench.until("s.view.scale > 0")
    plain = panes.nth(0).bounding_box()
    main = panes.nth(1).bounding_box()
    assert plain is not None
    assert main is not None
    assert plain["width"] == pytest.approx(main["width"], abs=1.5)
    x, y = bench.at(X, Y)
    scale = bench.state()["view"]["scale"]
    bench.page.mouse.move(x, y)
    bench.page.mouse.wheel(0, -240)
    bench.until(f"s.view.scale > {scale}")
    moved = panes.locator(".world").evaluate_all("(worlds) => worlds.map((world) => world.style.transform)")
    assert moved[0] == moved[1]
    x, y = bench.at(X, Y)
    offset = main["x"] - plain["x"]
    bench.prompted(lambda: bench.page.mouse.click(x - offset, y))
    (point,) = bench.state()["object"]["points"]
    assert (point["x"], point["y"]) == pytest.approx((X, Y), abs=1)
    bench.press("i")
    panes.nth(0).wait_for(state="hidden")


def test_a_gesture_stays_in_the_pane_where_it_began(bench: Bench, image: int, as_it_was: None) -> None:
    bench.open(image)
    bench.press("i")
    bench.page.locator(".pane").nth(1).wait_for()
    bench.press("b")
    x, y = bench.at(40, Y)
    border = bench.page.locator(".pane").nth(1).bounding_box()
    assert border is not None
    bench.page.mouse.move(x, y)
    bench.page.mouse.down()
    bench.page.mouse.move(border["x"] - 60, y, steps=20)
    bench.page.mouse.up()
    bench.until("s.object.edits.length === 1")
    (stroke,) = bench.state()["object"]["edits"]
    assert max(stroke["path"][0::2]) <= 41


def test_outline_only_and_hidden_and_back(bench: Bench, image: int, as_it_was: None) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    fill = bench.page.locator(".stage canvas.mask")
    assert fill.is_visible()
    for mode, filled in (("outline", False), ("hidden", False), ("fill", True)):
        bench.press("o")
        bench.page.locator(f".stage[data-overlay={mode}]").wait_for()
        assert fill.is_visible() is filled


def test_a_key_can_be_changed_and_its_tooltip_follows(bench: Bench, image: int, as_it_was: None) -> None:
    bench.open(image)
    page = bench.page
    page.keyboard.press("?")
    row = page.locator(".key-row[data-action=brush]")
    row.click()
    page.keyboard.press("Enter")
    page.get_by_text("is taken by “Accept the mask”").wait_for()
    row.click()
    with page.expect_response(lambda answer: answer.url.endswith("/api/preferences")):
        page.keyboard.press("j")
    page.get_by_text("“Brush” is on J now.").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    bench.press("b")
    bench.press("j")
    bench.until("s.tool === 'brush'")
    assert page.locator(".tool[data-action=brush]").get_attribute("title") == "Brush (J)"

    bench.open(image)
    bench.press("j")
    bench.until("s.tool === 'brush'")


def test_every_control_names_its_key(bench: Bench, image: int) -> None:
    bench.open(image)
    titles = bench.page.locator(".ms-root [data-action]").evaluate_all("(all) => all.map((one) => one.title)")
    assert len(titles) > 15
    assert [title for title in titles if not title.endswith(")")] == []


def test_a_press_beside_the_stage_leaves_the_keys_where_they_are(bench: Bench, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.page.locator(".mask-panel").click(position={"x": 100, "y": 200})
    assert bench.accept()["area"] > 0


def test_skip_is_undone_done_again_and_taken_back(bench: Bench, app: AppProcess, image: int) -> None:
    def waiting() -> list[str]:
        return [skip["reason"] for skip in kept(app, image)["open_skips"]]

    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.press("s")
    bench.until("s.skips.length === 1 && !s.in_work && s.unsaved === 0")
    assert waiting() == ["hard"]
    bench.press("z")
    bench.until("s.skips.length === 0 && s.object.points.length === 1 && s.has_mask && s.unsaved === 0")
    assert waiting() == []
    bench.press("y")
    bench.until("s.skips.length === 1 && !s.in_work && s.unsaved === 0")
    assert waiting() == ["hard"]
    bench.press("t")
    bench.until("s.skips.length === 0 && s.object.points.length === 1 && s.has_mask && s.unsaved === 0")
    assert waiting() == []


def test_points_are_moved_and_removed(bench: Bench, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.prompted(lambda: bench.drag((X, Y), (X + 20, Y - 15)))
    (point,) = bench.state()["object"]["points"]
    assert (point["x"], point["y"]) == pytest.approx((X + 20, Y - 15), abs=1)
    bench.page.keyboard.down("x")
    bench.prompted(lambda: bench.click(20, 20))
    bench.page.keyboard.up("x")
    assert [one["label"] for one in bench.state()["object"]["points"]] == [1, 0]
    bench.page.mouse.move(*bench.at(20, 20), steps=3)
    bench.page.keyboard.down("Shift")
    bench.click(20, 20)
    bench.page.keyboard.up("Shift")
    bench.until("s.object.points.length === 1")
    for key, count in (("z", 2), ("z", 1), ("z", 1), ("z", 0)):
        bench.press(key)
        bench.until(f"s.object.points.length === {count}")


def test_delete_removes_only_a_point_that_the_pointer_is_on(bench: Bench, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.prompted(lambda: bench.click(20, 20, button="right"))
    hovered = bench.page.locator(".stage .point.hovered")

    def leave() -> None:
        bench.page.locator(".candidates").hover()

    for away in (leave, lambda: bench.press("b")):
        bench.press("v")
        bench.page.mouse.move(*bench.at(X + 30, Y))
        bench.page.mouse.move(*bench.at(X, Y), steps=3)
        hovered.first.wait_for()
        away()
        bench.press("Delete")
        bench.until("s.message.text.startsWith('Point at a prompt')")
        assert len(bench.state()["object"]["points"]) == 2
    bench.press("v")
    bench.page.mouse.move(*bench.at(X, Y), steps=3)
    hovered.first.wait_for()
    for _ in range(2):
        bench.press("Delete")
    bench.until("s.object.points.length === 1 && s.message.text.startsWith('Point at a prompt')")


def test_an_accepted_mask_is_edited_and_the_old_one_comes_back(bench: Bench, app: AppProcess, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    first = bench.accept()
    bench.page.keyboard.down("Control")
    bench.click(X, Y)
    bench.page.keyboard.up("Control")
    bench.until("s.selected !== null")
    bench.press("e")
    bench.until("s.object.base !== null && s.has_mask")
    assert np.array_equal(pixels(bench.mask()), pixels(first["rle"]))
    bench.press("b")
    bench.drag((20, 20), (60, 20))
    bench.until("s.object.edits.length === 1")
    bench.press("Enter")
    bench.until(f"s.masks.length === 1 && s.masks[0].key !== '{first['key']}' && s.unsaved === 0 && s.masks[0].mask_id")
    (saved,) = kept(app, image)["mask_list"]
    assert pixels(saved["rle"])[20, 20:60].all()
    bench.press("z")
    bench.until(f"s.masks.length === 1 && s.masks[0].key === '{first['key']}' && s.unsaved === 0")
    (saved,) = kept(app, image)["mask_list"]
    assert saved["key"] == first["key"]


def test_deleting_a_corrected_mask_deletes_the_object(bench: Bench, app: AppProcess, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    first = bench.accept()
    bench.press(".")
    bench.press("e")
    bench.press("b")
    bench.drag((20, 20), (40, 20))
    bench.until("s.object.edits.length === 1")
    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.masks[0].edited && s.unsaved === 0")
    bench.press(".")
    bench.press("Delete")
    bench.press("p")
    bench.until(f"s.image_id !== {image} && s.phase === 'ready' && s.unsaved === 0")
    assert kept(app, image)["mask_list"] == []
    bench.press("n")
    bench.until(f"s.image_id === {image} && s.phase === 'ready' && s.masks.length === 0")
    bench.press("z")
    bench.until("s.masks.length === 1 && s.masks[0].edited && s.unsaved === 0")
    bench.press("z")
    bench.until("s.masks.length === 1 && !s.masks[0].edited && s.unsaved === 0")
    assert [mask["key"] for mask in kept(app, image)["mask_list"]] == [first["key"]]


def test_flags_are_shown_at_once_and_fixed_kept_or_deleted_by_one_key(
    bench: Bench, app: AppProcess, image: int
) -> None:
    bench.open(image)
    bench.press("b")
    bench.drag((60, 60), (120, 60))
    bench.click(300, 250)
    bench.until("s.object.edits.length === 2")
    bench.accept()
    flag = bench.page.locator(".flag .message")
    flag.get_by_text("1 other part").wait_for()
    bench.press("g")
    bench.until("s.unsaved === 0 && s.masks.length === 1 && s.masks[0].mask_id && !s.masks[0].flags.length")
    (saved,) = kept(app, image)["mask_list"]
    assert not pixels(saved["rle"])[250, 300]
    bench.press("z")
    bench.until("s.unsaved === 0 && s.masks[0].flags.some((flag) => !flag.resolution)")
    bench.press("k")
    bench.until("s.unsaved === 0 && s.masks[0].flags.every((flag) => flag.resolution === 'kept')")

    bench.press("b")
    for _ in range(2):
        bench.prompted(lambda: bench.click(X, Y))
        bench.accept()
    flag.get_by_text("The mask overlaps Mask 2").wait_for()
    bench.press("g")
    bench.until("s.masks.length === 2 && s.unsaved === 0")
    assert len(kept(app, image)["mask_list"]) == 2


def test_a_mask_that_is_edited_is_neither_fixed_nor_saved_twice(bench: Bench, app: AppProcess, image: int) -> None:
    bench.open(image)
    bench.press("b")
    bench.drag((60, 60), (120, 60))
    bench.click(300, 250)
    bench.until("s.object.edits.length === 2")
    first = bench.accept()
    bench.press(".")
    bench.press("e")
    bench.until("s.object.base !== null && s.has_mask")
    for key in ("g", ".", "Delete"):
        bench.press(key)
    bench.until("s.message.text.startsWith('This mask is being edited')")
    assert [mask["key"] for mask in bench.state()["masks"]] == [first["key"]]

    # Somebody corrects it elsewhere; answering its flag brings that to light here, and the base is on the list no more.
    correction = {
        "rle": first["rle"],
        "object_key": first["object_key"],
        "origin": "by_hand",
        "supersedes": first["key"],
    }
    flag_url = f"{app.url}/api/flags/{first['flags'][0]['flag_id']}"
    httpx.post(flag_url, json={"resolution": "fixed"}).raise_for_status()
    key = {"Idempotency-Key": f"elsewhere-{image}"}
    httpx.post(f"{app.url}/api/images/{image}/masks", json=correction, headers=key).raise_for_status()
    bench.press("k")
    bench.until(f"s.unsaved === 0 && s.masks.length === 1 && s.masks[0].key !== '{first['key']}'")
    bench.drag((60, 80), (120, 80))
    bench.until("s.object.edits.length === 1")
    bench.press("Enter")
    bench.until("s.refused === 1 && s.unsaved === 0")
    assert [mask["key"] for mask in kept(app, image)["mask_list"]] == [f"elsewhere-{image}"]


def test_one_key_cleans_islands_and_holes(bench: Bench, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.press("d")
    bench.click(X, Y)
    bench.press("b")
    bench.click(30, 30)
    bench.until("s.object.edits.length === 2")
    assert pixels(bench.mask())[30, 30]
    assert not pixels(bench.mask())[Y, X]
    bench.press("c")
    bench.until("s.message.text.includes('are gone')")
    if not pixels(bench.mask())[Y, X]:
        # Only specks went: what is larger than the project's minimum goes with a second press.
        bench.press("c")
        bench.until("s.message.text.startsWith('All')")
    assert pixels(bench.mask())[Y, X]
    assert not pixels(bench.mask())[30, 30]


def test_brightness_contrast_and_opacity_are_seen_on_the_stage(bench: Bench, image: int, as_it_was: None) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.press("w")
    panel = bench.page.locator(".settings")
    for name, value in (("Brightness", "1.5"), ("Contrast", "0.8"), ("Mask opacity", "0.5")):
        panel.get_by_role("slider", name=name).fill(value)
    main = bench.page.locator(".pane").last
    assert (
        main.locator(".photo").evaluate("(photo) => getComputedStyle(photo).filter") == "brightness(1.5) contrast(0.8)"
    )
    opacity = main.locator("canvas.mask").evaluate("(mask) => Number(getComputedStyle(mask).opacity)")
    assert opacity == pytest.approx(0.6 * 0.5)
    panel.get_by_role("button", name="Reset view").click()
    assert (
        main.locator(".photo").evaluate("(photo) => getComputedStyle(photo).filter") != "brightness(1.5) contrast(0.8)"
    )


@pytest.fixture
def labels(library: Library) -> Iterator[None]:
    """Masks of the project have labels."""
    change_settings(library, {"labels": True})
    yield
    change_settings(library, {"labels": False})


def test_a_typed_label_goes_to_what_it_was_typed_for(bench: Bench, app: AppProcess, image: int, labels: None) -> None:
    def labels_kept() -> list[str | None]:
        return [mask["label"] for mask in kept(app, image)["mask_list"]]

    bench.open(image)
    page = bench.page
    field = page.get_by_role("combobox", name="Label of the object")
    accept = page.get_by_role("button", name=re.compile("^Accept"))
    bench.prompted(lambda: bench.click(X, Y))
    bench.press("l")
    page.keyboard.type("cat")
    accept.click()
    bench.until("s.masks.length === 1 && s.masks[0].mask_id && s.unsaved === 0")
    assert labels_kept() == ["cat"]

    bench.press("b")
    bench.drag((20, 20), (60, 20))
    bench.accept()
    rows = page.locator(".mask-main")
    rows.last.click()
    bench.press("l")
    field.fill("dog")
    rows.first.click()
    bench.until("s.selected === s.masks[1].key && s.masks[0].label === 'dog' && s.unsaved === 0")
    page.wait_for_function("(field) => field.value === ''", arg=field.element_handle())
    page.keyboard.type("bird")
    page.keyboard.press("Escape")
    assert field.input_value() == ""
    bench.press("l")
    page.keyboard.type("fox")
    page.get_by_role("button", name=re.compile("^Next")).click()
    bench.until(f"s.image_id !== {image} && s.phase === 'ready' && s.unsaved === 0")
    assert labels_kept() == ["dog", "fox"]


def test_a_held_key_comes_up_on_any_layout_and_with_a_modifier(
    bench: Bench, app: AppProcess, image: int, as_it_was: None
) -> None:
    keys = {"background": ["x", "Ctrl+m"]}
    httpx.put(f"{app.url}/api/preferences", json={"keys": keys}).raise_for_status()
    bench.open(image)
    keyboard = bench.page.context.new_cdp_session(bench.page)
    held = bench.page.locator(".stage.held-background")
    for key, code, modifiers in (("ч", "KeyX", 0), ("m", "KeyM", 2)):
        pressed = {"key": key, "code": code, "windowsVirtualKeyCode": ord(code[-1])}
        keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "modifiers": modifiers, **pressed})
        held.wait_for()
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **pressed})
        held.wait_for(state="detached", timeout=3_000)


def test_the_crosshair_stays_on_its_place_and_its_corner_with_its_image(bench: Bench, image: int) -> None:
    def where() -> tuple[float, float]:
        box = bench.page.locator(".pane").last.locator(".cross").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    bench.open(image)
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown"):
        bench.press(key)
    x, y = where()
    place = bench.page.evaluate(f"window.__masksmith.toImage({x}, {y})")
    scale = bench.state()["view"]["scale"]
    bench.press("0")
    bench.until(f"s.view.scale !== {scale}")
    assert where() == pytest.approx(bench.at(place["x"], place["y"]), abs=1)
    bench.press("u")
    bench.until("s.message.text.startsWith('One corner')")
    bench.press("n")
    bench.until(f"s.image_id !== {image} && s.phase === 'ready'")
    bench.press("ArrowRight")
    bench.press("u")
    bench.until("s.message.text.startsWith('One corner')")
    assert not bench.state()["in_work"]
