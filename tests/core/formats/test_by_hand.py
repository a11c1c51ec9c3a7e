"""Formats against cases written by hand from their documentation, and against readers that are not ours."""

import base64
import json
import xml.etree.ElementTree as ElementTree
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.draw import polygon2mask

from core import masks
from core.formats import cvat, label_map, labelme, voc, yolo
from core.formats.brush import packed
from core.formats.polygons import one_outline_of
from core.formats.readers import READERS
from core.formats.records import FoundImage, Troubles
from tests.core.formats.test_round_trips import record

RING = np.array(
    [
        [0, 1, 1, 1, 0, 0, 0],
        [0, 1, 0, 1, 0, 0, 1],
        [0, 1, 1, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    bool,
)


def read(format: str, path: Path) -> list[FoundImage]:
    troubles = Troubles()
    found = list(READERS[format](path, troubles))
    assert troubles.sentences == []
    return found


def drawn(image: FoundImage, height: int = 4, width: int = 7) -> list[np.ndarray]:
    return [masks.decode(mask.draw(height, width)) for mask in image.masks]


def test_cvat_s_runs_go_row_by_row_within_the_box(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        """<?xml version="1.0" encoding="utf-8"?>
        <annotations><version>1.1</version><meta><task><name>x</name></task></meta>
        <image id="0" name="Train/a.jpg" width="7" height="4" subset="Train">
          <mask label="ring" source="manual" occluded="0" rle="0, 4, 1, 4" left="1" top="0" width="3" height="3"
                z_order="0"><attribute name="old">no</attribute></mask>
          <polygon label="box" source="manual" occluded="0" points="1.00,1.00;3.00,1.00;3.00,3.00;1.00,3.00"/>
          <polygon label="pair" points="0,0;1,0;1,1;0,1" group_id="3"/>
          <polygon label="pair" points="5,2;6,2;6,3;5,3" group_id="3"/>
        </image></annotations>"""
    )
    (image,) = read("cvat", tmp_path)
    ring, box, pair = drawn(image)
    expected = RING.copy()
    expected[:, 6] = False
    assert np.array_equal(ring, expected)
    assert (box.sum(), box[1:3, 1:3].all()) == (4, True)
    assert (pair.sum(), pair[0, 0], pair[2, 5]) == (2, True, True)
    assert [mask.label for mask in image.masks] == ["ring", "box", "pair"]
    assert (image.file_name, image.size_hw) == ("Train/a.jpg", (4, 7))


def test_what_is_written_for_cvat_is_read_by_python_s_own_xml(tmp_path: Path) -> None:
    with cvat.Writer(tmp_path) as writer:
        writer.add(record(5, [RING], ['a "ring" & <more>']))
    image = ElementTree.parse(tmp_path / "annotations.xml").getroot().find("image")
    assert image is not None
    mask = image.find("mask")
    assert mask is not None
    assert mask.get("label") == 'a "ring" & <more>'
    runs = [int(run) for run in str(mask.get("rle")).split(",")]
    left, top, width, height = (int(str(mask.get(key))) for key in ("left", "top", "width", "height"))
    assert (left, top, width, height) == (1, 0, 6, 3)
    values = [place % 2 for place, run in enumerate(runs) for _ in range(run)]
    whole = np.zeros_like(RING)
    whole[top : top + height, left : left + width] = np.reshape(values, (height, width))
    assert np.array_equal(whole, RING)


def test_labelme_s_masks_fill_their_box_with_both_corners(tmp_path: Path) -> None:
    with labelme.Writer(tmp_path) as writer:
        writer.add(record(5, [RING], ["ring"]))
    document = json.loads((tmp_path / "00000005.json").read_text())
    (shape,) = document["shapes"]
    # As labelme's own shapes_to_label pastes it.
    (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
    whole = np.zeros((document["imageHeight"], document["imageWidth"]), bool)
    whole[y1 : y2 + 1, x1 : x2 + 1] = np.asarray(Image.open(BytesIO(base64.b64decode(shape["mask"])))).astype(bool)
    assert np.array_equal(whole, RING)
    assert (shape["shape_type"], document["imagePath"]) == ("mask", "00000005.jpg")


def test_labelme_s_shapes_of_one_group_are_one_object(tmp_path: Path) -> None:
    corners = [[0, 0], [1, 0], [1, 1], [0, 1]]
    moved = [[x + 4, y + 2] for x, y in corners]
    shapes = [
        {"label": "cup", "points": corners, "group_id": 1, "shape_type": "polygon"},
        {"label": "cup", "points": moved, "group_id": 1, "shape_type": "polygon"},
        {"label": "cup", "points": corners, "group_id": None, "shape_type": "polygon"},
        {"label": "cup", "points": moved},
    ]
    document = {"shapes": shapes, "imagePath": "..\\photos\\b.jpg", "imageHeight": 4, "imageWidth": 7}
    (tmp_path / "b.json").write_text(json.dumps(document))
    (image,) = read("labelme", tmp_path)
    assert image.file_name == "b.jpg"
    assert [int(mask.sum()) for mask in drawn(image)] == [2, 1, 1]


def test_yolo_s_file_is_what_ultralytics_documents(tmp_path: Path) -> None:
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("path: ../x\nnames:\n  - cup # a cup\n  - 'big dish'\nnc: 2\n")
    (tmp_path / "labels" / "train" / "a.txt").write_text("1 0 0 0.5 0 0.5 0.5 0 0.5\n\n0 0 0 1 0 1 1 0 1 0.75\n")
    (image,) = read("yolo", tmp_path)
    assert (image.file_name, image.size_hw) == ("a", None)
    assert [(mask.label, mask.score) for mask in image.masks] == [("big dish", None), ("cup", 0.75)]
    first, second = drawn(image, 4, 8)
    assert (first.sum(), first[:2, :4].all(), second.all()) == (8, True, True)


@pytest.mark.parametrize(
    "yaml",
    [
        "names: [cup, 'big dish']",
        'names: ["cup", "big dish"]\nnc: 2',
        "names: {0: cup, 1: 'big dish'}",
        "nc: 2\nnames:\n- cup\n- big dish\ntrain: x",
        'names:\n  0: cup\n  1: "big dish"\nval: y',
        "names: [\n  cup,\n  'big dish'\n]",
    ],
)
def test_names_are_read_in_every_form_in_use(yaml: str) -> None:
    assert yolo.names_of(yaml) == {0: "cup", 1: "big dish"}


def test_one_outline_is_filled_alike_by_readers_that_are_not_ours() -> None:
    rows, columns = np.mgrid[:40, :60]
    mask = ((rows - 20) ** 2 + (columns - 20) ** 2 < 15**2) & ((rows - 18) ** 2 + (columns - 22) ** 2 > 5**2)
    mask |= (rows - 20) ** 2 + (columns - 50) ** 2 < 6**2
    corners = np.asarray(one_outline_of(mask)).reshape(-1, 2)
    # scikit-image asks for pixels' centres, which lie half a pixel from edges.
    centred = polygon2mask(mask.shape, corners[:, ::-1] - 0.5)
    assert np.array_equal(centred, mask)
    # OpenCV, which Ultralytics draws with, draws the outline and the bridges too.
    filled = cv2.fillPoly(np.zeros(mask.shape, np.uint8), [corners.astype(np.int32)], 1).astype(bool)
    assert not (mask & ~filled).any()
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    bridges = filled & ~near
    assert 0 < bridges.sum() < 60


def test_voc_s_border_is_of_no_object_and_classes_come_by_their_names(tmp_path: Path) -> None:
    objects = np.array([[1, 1, 255, 2, 2], [1, 255, 0, 255, 2]], np.uint8)
    classes = np.array([[15, 15, 255, 8, 8], [15, 255, 0, 255, 8]], np.uint8)
    for folder, pixels in (("SegmentationObject", objects), ("SegmentationClass", classes)):
        (tmp_path / folder).mkdir()
        image = Image.fromarray(pixels)
        image.putpalette(voc.palette())
        image.save(tmp_path / folder / "2007_000001.png")
    (found,) = read("voc", tmp_path)
    assert [(mask.label, mask.number) for mask in found.masks] == [("person", 1), ("cat", 2)]
    assert [mask.tolist() for mask in drawn(found, 2, 5)] == [(objects == 1).tolist(), (objects == 2).tolist()]
    # The same in colours, as some tools save them, and with names of its own.
    for folder in ("SegmentationObject", "SegmentationClass"):
        path = tmp_path / folder / "2007_000001.png"
        Image.open(path).convert("RGB").save(path)
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:0,0,0::\nme:192,128,128::\n")
    (found,) = read("voc", tmp_path)
    assert [mask.label for mask in found.masks] == ["me", None]
    assert [int(mask.sum()) for mask in drawn(found, 2, 5)] == [3, 3]


def test_maps_are_read_by_pillow_as_they_were_meant(tmp_path: Path) -> None:
    small = np.zeros_like(RING)
    small[0, 1] = True
    with label_map.Writer(tmp_path) as writer:
        writer.add(record(5, [small, RING], ["part", "whole"]))
    with Image.open(tmp_path / "labels" / "00000005.png") as image:
        assert image.mode == "I;16"
        pixels = np.asarray(image)
    assert np.array_equal(pixels == 1, small)
    assert np.array_equal(pixels == 2, RING & ~small)
    assert (tmp_path / "labels" / "00000005.csv").read_text().splitlines() == [
        "number,mask_id,label,predicted_iou",
        "1,500,part,0.5",
        "2,501,whole,0.5",
    ]
    with voc.Writer(tmp_path / "voc") as voc_writer:
        voc_writer.add(record(5, [small, RING], ["part", "whole"]))
    with Image.open(tmp_path / "voc" / "SegmentationObject" / "00000005.png") as image:
        assert (image.mode, image.getpalette()[3:6]) == ("P", [128, 0, 0])
        assert np.array_equal(np.asarray(image), pixels)
    with Image.open(tmp_path / "voc" / "SegmentationClass" / "00000005.png") as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_lvis_names_its_images_by_their_address(tmp_path: Path) -> None:
    document = {
        "images": [{"id": 3, "width": 7, "height": 4, "coco_url": "http://x.org/val2017/000000000139.jpg"}],
        "annotations": [{"id": 1, "image_id": 3, "category_id": 9, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}],
        "categories": [{"id": 9, "name": "tea_cup", "frequency": "f"}],
    }
    (tmp_path / "lvis.json").write_text(json.dumps(document))
    (image,) = read("coco", tmp_path / "lvis.json")
    assert (image.file_name, image.masks[0].label, int(drawn(image)[0].sum())) == ("000000000139.jpg", "tea_cup", 4)


def test_label_studio_s_last_annotation_counts_and_its_names_lose_their_mark(tmp_path: Path) -> None:
    def result(mask: np.ndarray) -> list[object]:
        value = {"format": "rle", "rle": packed(mask), "brushlabels": ["cup"]}
        size = {"original_width": 7, "original_height": 4, "image_rotation": 0}
        return [{"type": "brushlabels", **size, "value": value}]

    task = {
        "data": {"image": "/data/upload/3/0a1b2c3d-my%20photo.jpg"},
        "annotations": [
            {"result": result(~RING)},
            {"result": result(RING)},
            {"result": result(~RING), "was_cancelled": True},
        ],
        "predictions": [{"result": result(~RING)}],
    }
    (tmp_path / "a.json").write_text(json.dumps([task, task]))
    first, _ = read("label-studio", tmp_path / "a.json")
    assert (first.file_name, first.other_names) == ("0a1b2c3d-my photo.jpg", ("my photo.jpg",))
    assert [mask.tolist() for mask in drawn(first)] == [RING.tolist()]
