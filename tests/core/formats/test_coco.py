"""COCO polygons: the outlines of a mask along its pixels' edges; only holes are lost, and counted."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import binary_fill_holes

from core import masks
from core.formats.coco import CocoWriter
from core.formats.polygons import outlines_of, rasterised
from core.formats.records import ImageRecord, MaskRecord

any_mask = arrays.arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)))


@given(any_mask)
def test_outlines_hold_the_mask_but_for_its_holes(mask: np.ndarray) -> None:
    read = rasterised(outlines_of(mask), *mask.shape)
    assert np.array_equal(read, binary_fill_holes(mask))


@given(any_mask)
def test_every_outline_is_a_polygon_within_the_image(mask: np.ndarray) -> None:
    height, width = mask.shape
    for outline in outlines_of(mask):
        assert len(outline) >= 8
        assert len(outline) % 2 == 0
        assert all(0 <= x <= width for x in outline[::2])
        assert all(0 <= y <= height for y in outline[1::2])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (40, 60)])
def test_a_full_mask_and_a_thin_one_come_back_whole(size: tuple[int, int]) -> None:
    full = np.ones(size, bool)
    assert np.array_equal(rasterised(outlines_of(full), *size), full)
    assert outlines_of(np.zeros(size, bool)) == []


def record(number: int, *drawn: np.ndarray, label: str | None = None) -> ImageRecord:
    found = []
    for place, mask in enumerate(drawn):
        rle = masks.encode(mask)
        whole = (number * 100 + place, rle, masks.area(rle), masks.bbox(rle), label, 0.5, 0.5, ((1.0, 2.0),))
        found.append(MaskRecord(*whole, "assisted", False))
    height, width = drawn[0].shape if drawn else (4, 4)
    return ImageRecord(number, f"{number}.jpg", width, height, tuple(found))


def written(writer: CocoWriter, *records: ImageRecord) -> dict[str, list[dict[str, object]]]:
    text = "".join([*writer.images(records), *writer.annotations(records)])
    read: dict[str, list[dict[str, object]]] = json.loads(text)
    return read


def test_pixels_lost_to_holes_are_counted() -> None:
    ring = np.ones((5, 5), bool)
    ring[2, 1:4] = False
    writer = CocoWriter(description="test", polygons=True)
    read = written(writer, record(1, ring, np.eye(5, dtype=bool)))
    assert (writer.pixels_lost, writer.masks_changed) == (3, 1)
    assert all(isinstance(entry["segmentation"], list) for entry in read["annotations"])


def test_labels_become_categories_in_order_of_their_first_mask() -> None:
    dot = np.ones((4, 4), bool)
    writer = CocoWriter(description='a "test"\n')
    read = written(writer, record(1, dot, label="cup"), record(2, dot), record(3, dot, label='tasse "à" café\n'))
    assert [category["name"] for category in read["categories"]] == ["cup", "object", 'tasse "à" café\n']
    assert [entry["category_id"] for entry in read["annotations"]] == [1, 2, 3]
    assert [entry["image_id"] for entry in read["annotations"]] == [1, 2, 3]


@pytest.mark.parametrize("records", [(), (record(1), record(2))])
def test_a_file_without_masks_is_whole(records: tuple[ImageRecord, ...]) -> None:
    read = written(CocoWriter(description="test"), *records)
    assert read["annotations"] == []
    assert [image["id"] for image in read["images"]] == [image.id for image in records]
    assert read["categories"] == [{"id": 1, "name": "object", "supercategory": ""}]
