"""Every format there and back: what it holds comes back pixel for pixel, what it cannot hold is known exactly."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import binary_fill_holes

from core import masks
from core.formats import cvat, label_map, label_studio, labelme, voc, yolo
from core.formats.brush import packed, unpacked
from core.formats.polygons import one_outline_of, rasterised
from core.formats.readers import READERS
from core.formats.records import FoundImage, ImageRecord, MaskRecord, Troubles

sizes = st.tuples(st.integers(1, 14), st.integers(1, 14))
any_mask = arrays.arrays(bool, sizes)
some_masks = sizes.flatmap(lambda size: st.lists(arrays.arrays(bool, size), min_size=1, max_size=4))
any_label = st.none() | st.text(min_size=1, max_size=12)

WRITERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "yolo": ("yolo", yolo.Writer),
    "label-map": ("label-map", label_map.Writer),
    "voc": ("voc", voc.Writer),
    "labelme": ("labelme", labelme.Writer),
    "labelme polygons": ("labelme", lambda folder: labelme.Writer(folder, polygons=True)),
    "label-studio": ("label-studio", label_studio.Writer),
    "cvat": ("cvat", cvat.Writer),
    "cvat polygons": ("cvat", lambda folder: cvat.Writer(folder, polygons=True)),
}


def record(number: int, drawn: list[np.ndarray], labels: list[str | None] | None = None) -> ImageRecord:
    found = []
    for place, mask in enumerate(drawn):
        rle = masks.encode(mask)
        label = labels[place] if labels else None
        shape = (rle, masks.area(rle), masks.bbox(rle), label, 0.5, 0.5, ())
        found.append(MaskRecord(100 * number + place, *shape, "assisted", False))
    height, width = drawn[0].shape
    return ImageRecord(number, f"{number:08d}.jpg", width, height, tuple(found))


def there_and_back(name: str, *records: ImageRecord) -> list[FoundImage]:
    format, writer = WRITERS[name]
    with TemporaryDirectory() as folder:
        with writer(Path(folder)) as opened:
            for one in records:
                opened.add(one)
        troubles = Troubles()
        found = list(READERS[format](Path(folder), troubles))
        assert troubles.sentences == []
        for image in found:
            for mask in image.masks:
                mask.draw(*(image.size_hw or (records[0].height, records[0].width)))
        return found


def drawn(image: FoundImage, size: tuple[int, int]) -> list[np.ndarray]:
    assert image.size_hw in (None, size)
    return [masks.decode(mask.draw(*size)) for mask in image.masks]


@pytest.mark.parametrize("name", ["yolo", "labelme", "label-studio", "cvat"])
@settings(max_examples=60)
@given(made=some_masks)
def test_exact_formats_bring_every_mask_back(name: str, made: list[np.ndarray]) -> None:
    found = there_and_back(name, record(7, made))
    expected = [mask for mask in made if mask.any()]
    read = drawn(found[0], made[0].shape) if found else []
    assert len(read) == len(expected)
    assert all(np.array_equal(one, other) for one, other in zip(read, expected, strict=True))
    if expected:
        assert Path(found[0].file_name).stem == "00000007"


@pytest.mark.parametrize("name", ["labelme polygons", "cvat polygons"])
@settings(max_examples=60)
@given(made=some_masks)
def test_polygons_lose_holes_and_nothing_else(name: str, made: list[np.ndarray]) -> None:
    found = there_and_back(name, record(7, made))
    expected = [binary_fill_holes(mask) for mask in made if mask.any()]
    read = drawn(found[0], made[0].shape) if found else []
    assert len(read) == len(expected)
    assert all(np.array_equal(one, other) for one, other in zip(read, expected, strict=True))


@pytest.mark.parametrize("name", ["label-map", "voc"])
@settings(max_examples=60)
@given(made=some_masks)
def test_maps_of_labels_lose_what_lies_under_a_smaller_mask_and_nothing_else(name: str, made: list[np.ndarray]) -> None:
    (image,) = there_and_back(name, record(7, made))
    order = sorted(range(len(made)), key=lambda place: (made[place].sum(), -place))
    expected, taken = {}, np.zeros(made[0].shape, bool)
    for place in order:
        expected[place + 1] = made[place] & ~taken
        taken |= made[place]
    read = dict(zip([mask.number for mask in image.masks], drawn(image, made[0].shape), strict=True))
    assert sorted(read) == [number for number in sorted(expected) if expected[number].any()]
    assert all(np.array_equal(read[number], expected[number]) for number in read)


@settings(max_examples=300)
@given(any_mask)
def test_one_outline_holds_islands_and_holes(mask: np.ndarray) -> None:
    outline = one_outline_of(mask)
    assert np.array_equal(rasterised([outline] if outline else [], *mask.shape), mask)


@settings(max_examples=300)
@given(any_mask)
def test_a_brush_holds_every_mask(mask: np.ndarray) -> None:
    assert np.array_equal(unpacked(packed(mask), *mask.shape), mask)


THEIRS = [0, 0, 0, 48, 57, 27, 252, 96, 19, 255, 206, 1, 31, 252, 96, 23, 255, 227, 0, 0]
"""What label-studio-converter 0.0.59 made of the mask below."""
THEIR_COLOURS = [
    *(0, 0, 0, 24, 57, 27, 252, 96, 0, 127, 128, 240, 0, 56, 31, 241, 128, 68, 18, 3, 36, 96, 0, 0, 128, 4, 0, 24),
    *(25, 0),
]
"""And of 2 x 3 pixels in colours, as a canvas gives them: opaque at (1, 0), 200 of 255 at (2, 1), 100 at (0, 1)."""


def test_a_brush_is_what_label_studio_s_own_converter_makes() -> None:
    mask = np.array([[0, 1, 1, 0], [0, 1, 0, 1], [1, 1, 1, 0]], bool)
    assert np.array_equal(unpacked(THEIRS, 3, 4), mask)
    ours = packed(mask)
    assert (ours, THEIRS[len(ours) :]) == (THEIRS[: len(ours)], [0])  # theirs ends with a byte of nothing
    assert unpacked(THEIR_COLOURS, 2, 3).tolist() == [[False, True, False], [False, False, True]]


def test_a_brush_holds_runs_longer_than_a_count() -> None:
    mask = np.zeros((300, 400), bool)
    mask[10:290] = True
    mask[100, 3] = False
    assert np.array_equal(unpacked(packed(mask), 300, 400), mask)


@pytest.mark.parametrize("name", ["yolo", "label-map", "voc", "labelme", "label-studio", "cvat"])
@settings(max_examples=40)
@given(labels=st.lists(any_label, min_size=3, max_size=3))
def test_labels_come_back_as_one_line_of_printable_text(name: str, labels: list[str | None]) -> None:
    made = []
    for place in range(3):
        mask = np.zeros((6, 9), bool)
        mask[2:5, 3 * place : 3 * place + 2] = True
        made.append(mask)
    # What a person typed into the app is clean already; a database may hold anything.
    (image,) = there_and_back(name, record(1, made, labels))
    for sent, mask in zip(labels, image.masks, strict=True):
        cleaned = " ".join("".join(char if char.isprintable() else " " for char in sent or "").split())
        if name == "voc":
            cleaned = " ".join(cleaned.replace(":", " ").replace("#", " ").split())
        unlabelled = (None, "object")
        assert (mask.label in unlabelled) if cleaned in ("", "background") else _same(mask.label, cleaned)


def _same(read: str | None, sent: str) -> bool:
    return (read or "").replace(" ", "") == sent.replace(" ", "")


def test_scores_come_back_where_a_format_has_a_place_for_them() -> None:
    made = [np.eye(5, dtype=bool)]
    for name, score in (("label-map", 0.5), ("label-studio", 0.5), ("cvat", None), ("yolo", None)):
        (image,) = there_and_back(name, record(1, made))
        assert image.masks[0].score == score


def test_voc_holds_254_objects_and_no_more() -> None:
    made = []
    for number in range(300):
        mask = np.zeros((20, 20), bool)
        mask[number // 20, number % 20] = True
        made.append(mask)
    (image,) = there_and_back("voc", record(1, made))
    assert [mask.number for mask in image.masks] == list(range(1, 255))
    (image,) = there_and_back("label-map", record(1, made))
    assert len(image.masks) == 300
