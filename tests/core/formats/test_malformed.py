"""Files that are wrong: each says in a sentence what and where, nothing of the wrong record comes in, the rest does."""

import base64
import json
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core import masks
from core.errors import InvalidInput
from core.formats import fields
from core.formats.brush import packed
from core.formats.readers import READERS
from core.formats.records import Troubles

RLE = masks.encode(np.eye(4, 5, dtype=bool))
Made = Callable[[Path], Path]


def read(format: str, path: Path) -> tuple[int, list[str], dict[str, int]]:
    """Return how many masks can be read, what was said of the others, and what was passed over."""
    troubles = Troubles()
    good = 0
    for image in READERS[format](path, troubles):
        for mask in image.masks:
            with troubles.noted():
                rle = mask.draw(*(image.size_hw or (4, 5)))
                masks.check(rle["size"], rle["counts"])
                good += 1
    return good, troubles.sentences, troubles.others


def text(content: str | bytes, name: str) -> Made:
    def make(folder: Path) -> Path:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / name

    return make


def coco(*annotations: Any, image: Any = None, **changes: Any) -> Made:
    image = {"id": 1, "file_name": "a.jpg", "width": 5, "height": 4} if image is None else image
    good = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": RLE}
    return text(json.dumps({"images": [image], "annotations": [good, *annotations], **changes}), "a.json")


def annotation(**changes: Any) -> dict[str, Any]:
    return {"id": 7, "image_id": 1, "category_id": 1, "segmentation": RLE, **changes}


def segment(segmentation: Any) -> Made:
    return coco(annotation(segmentation=segmentation))


def sa1b(*annotations: Any, **changes: Any) -> Made:
    image = {"file_name": "a.jpg", "width": 5, "height": 4}
    return text(json.dumps({"image": image, "annotations": [{"segmentation": RLE}, *annotations], **changes}), "a.json")


def labelme(*shapes: Any, **changes: Any) -> Made:
    good = {"label": "cup", "points": [[0, 0], [3, 0], [3, 3]], "shape_type": "polygon"}
    document = {"imagePath": "a.jpg", "imageHeight": 4, "imageWidth": 5, "shapes": [good, *shapes], **changes}
    return text(json.dumps(document), "a.json")


def png(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def pasted(picture: bytes | str, box: Any = ((1, 1), (2, 2))) -> dict[str, Any]:
    mask = picture if isinstance(picture, str) else base64.b64encode(picture).decode()
    return {"label": "cup", "points": box, "shape_type": "mask", "mask": mask}


def cvat(*shapes: str, head: str = "", image: str = 'name="a.jpg" width="5" height="4"') -> Made:
    good = '<polygon label="cup" points="0,0;3,0;3,3"/>'
    return text(f"{head}<annotations><image {image}>{good}{''.join(shapes)}</image></annotations>", "a.xml")


def task(*regions: Any, data: Any = None, **changes: Any) -> Made:
    data = {"image": "/data/upload/1/0123abcd-a.jpg"} if data is None else data
    good = region(packed(np.eye(4, 5, dtype=bool)))
    return text(json.dumps([{"data": data, "annotations": [{"result": [good, *regions]}], **changes}]), "a.json")


def region(rle: Any, **changes: Any) -> dict[str, Any]:
    size = {"original_width": 5, "original_height": 4, "image_rotation": 0}
    return {"type": "brushlabels", **size, "value": {"rle": rle, "brushlabels": ["cup"]}, **changes}


def yolo(line: str) -> Made:
    return text(f"0 0 0 0.6 0 0.6 0.75\n{line}\n", "labels/a.txt")


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'

CASES: dict[str, tuple[str, Made, int, str]] = {
    "no JSON": ("coco", text("{", "a.json"), 0, "a.json must be readable JSON, but is not"),
    "deep JSON": ("coco", text("[" * 200_000, "a.json"), 0, "a.json must be readable JSON"),
    "a number of many digits": ("coco", text('{"images": ' + "9" * 5000 + "}", "a.json"), 0, "must be readable JSON"),
    "bytes of no text": ("coco", text(b"\xff\xfe\xfa{}", "a.json"), 0, "a.json must be readable JSON"),
    "a list": ("coco", text("[1]", "a.json"), 0, "a.json must be an object with lists of images and annotations"),
    "an image that is none": ("coco", coco(image=5), 0, "image 1 of a.json must be an object with keys, got 5"),
    "an image without a size": (
        "coco",
        coco(image={"id": 1, "file_name": "a"}),
        0,
        "image 1 of a.json must have height",
    ),
    "an absurd size": (
        "coco",
        coco(image={"id": 1, "file_name": "a.jpg", "width": 10**9, "height": 10**9}),
        0,
        "image 1 of a.json must have a height and width of 1 to 20000, got 1000000000 and 1000000000",
    ),
    "a true size": (
        "coco",
        coco(image={"id": 1, "file_name": "a", "width": True, "height": 1}),
        0,
        "image 1 of a.json must have a height and width",
    ),
    "a name that is none": (
        "coco",
        coco(image={"id": 1, "file_name": 3, "width": 5, "height": 4}),
        0,
        "image 1 of a.json must have text as file_name, got 3",
    ),
    "an annotation that is none": (
        "coco",
        coco("x"),
        1,
        "annotation 2 of a.json must be an object with keys, got text",
    ),
    "of no image": (
        "coco",
        coco(annotation(image_id=9)),
        1,
        "annotation 7 of a.json must belong to an image of the file, but there is no 9",
    ),
    "a list as image_id": (
        "coco",
        coco(annotation(image_id=[1])),
        1,
        "must have a number or text as image_id, got a list of 1",
    ),
    "text as segmentation": ("coco", segment("x"), 1, "a segmentation must be polygons or run lengths, got x"),
    "NaN": ("coco", segment([[0, 0, float("nan"), 1, 2, 2]]), 1, "a polygon must be made of numbers"),
    "infinity": ("coco", segment([[0, 0, float("inf"), 1, 2, 2]]), 1, "a polygon must be made of numbers"),
    "an integer past floats": ("coco", segment([[0, 0, 10**400, 1, 2, 2]]), 1, "a polygon must be made of numbers"),
    "two corners": ("coco", segment([[0, 0, 1, 1]]), 1, "of at least three corners"),
    "far away": ("coco", segment([[0, 0, 1e9, 1, 2, 2]]), 1, "a polygon must lie near its image"),
    "a polygon that runs to and fro": (
        "coco",
        segment([[0, 0, 30_000, 30_000] * 100]),
        1,
        "the polygons of a mask must be at most 2000000 pixels round",
    ),
    "runs of another size": (
        "coco",
        segment({"size": [5, 4], "counts": "X"}),
        1,
        "the mask must have the image's size",
    ),
    "runs that are too few": ("coco", segment({"size": [4, 5], "counts": [3]}), 1, "cover 20 pixels"),
    "runs below zero": ("coco", segment({"size": [4, 5], "counts": [-1, 21]}), 1, "cover 20 pixels"),
    "runs past 64 bits": ("coco", segment({"size": [4, 5], "counts": [2**70, 20 - 2**70]}), 1, "cover 20 pixels"),
    "broken runs": ("coco", segment({"size": [4, 5], "counts": "~~~"}), 1, "made of the characters"),
    "no size": ("coco", segment({"counts": "X"}), 1, "a mask's size must be [height, width]"),
    "SA-1B without an image": ("sa1b", text("{}", "a.json"), 0, "a.json must have image, but has none"),
    "SA-1B without a mask": ("sa1b", sa1b({"id": 3}), 1, "annotation 3 of a.json must have segmentation, but has none"),
    "SA-1B annotation that is none": ("sa1b", sa1b(None), 1, "annotation 2 of a.json must be an object with keys"),
    "YOLO words": (
        "yolo",
        yolo("cup 1 2 3 4 5 6"),
        1,
        "line 2 of a.txt must be a class and numbers, got another thing",
    ),
    "YOLO class": ("yolo", yolo("-1 0 0 1 0 1 1"), 1, "line 2 of a.txt must be a class and numbers, got another thing"),
    "YOLO NaN": ("yolo", yolo("0 nan 0 1 0 1 1"), 1, "line 2 of a.txt must have corners in shares of 0 to 1"),
    "YOLO pixels": ("yolo", yolo("0 10 0 100 0 100 100"), 1, "must have corners in shares of 0 to 1, got others"),
    "YOLO corners": ("yolo", yolo("0 0 0 1 1 0.5"), 1, "line 2 of a.txt must have at least three corners, got 2"),
    "YOLO score": ("yolo", yolo("0 0 0 1 0 1 1 7"), 1, "line 2 of a.txt must have a score of 0 to 1, got 7.0"),
    "YOLO class alone": ("yolo", yolo("0"), 1, "line 2 of a.txt must have at least three corners, got 0"),
    "labelme without shapes": ("labelme", labelme(shapes=None), 0, "a.json must have shapes, but has none"),
    "labelme shapes": ("labelme", labelme(shapes={"a": 1}), 0, "a.json must have a list of shapes"),
    "labelme shape": ("labelme", labelme(4), 1, "shape 2 of a.json must be an object with keys, got 4"),
    "labelme points": ("labelme", labelme({"label": "x", "points": [1, 2]}), 1, "points must be a list of [x, y]"),
    "labelme no points": ("labelme", labelme({"label": "x"}), 1, "shape 2 of a.json must have points, but has none"),
    "labelme no picture": ("labelme", labelme(pasted("@@@")), 1, "a mask must be a PNG in base64, got '@@@'"),
    "labelme text for a picture": ("labelme", labelme(pasted(b"text")), 1, "must be a PNG, TIFF or BMP picture"),
    "labelme a picture that does not fit": (
        "labelme",
        labelme(pasted(png(np.ones((3, 2), np.uint8)))),
        1,
        "a mask's picture must fill its box of 2 x 2, got 2 x 3",
    ),
    "labelme outside": (
        "labelme",
        labelme(pasted(png(np.ones((2, 2), np.uint8)), [[4, 1], [5, 2]])),
        1,
        "a mask must lie within its image of 5 x 4, got 2 x 2 at 4, 1",
    ),
    "labelme a picture cut off": ("labelme", labelme(pasted(png(np.ones((2, 2), np.uint8))[:45])), 1, "picture"),
    "labelme box": ("labelme", labelme(pasted("", [[1, 1]])), 1, "a mask's points must be two corners"),
    "CVAT entities": ("cvat", cvat(head=BOMB), 0, "a.xml must not declare a document type, but does"),
    "CVAT files": ("cvat", cvat(head=FILE), 0, "a.xml must not declare a document type, but does"),
    "CVAT no XML": ("cvat", text("<annotations><image", "a.xml"), 0, "a.xml must be well-formed XML, but is not"),
    "CVAT other XML": ("cvat", text("<html/>", "a.xml"), 0, "a CVAT file that begins with annotations, got html"),
    "CVAT odd encoding": ("cvat", text('<?xml version="1.0" encoding="x"?><a/>', "a.xml"), 0, "well-formed XML"),
    "CVAT size": (
        "cvat",
        cvat(image='name="a" width="5e3" height="4"'),
        0,
        "must have a whole number as width, got 5e3",
    ),
    "CVAT points": ("cvat", cvat('<polygon points="1;2"/>'), 1, "points must be x,y;x,y;..., got '1;2'"),
    "CVAT NaN": ("cvat", cvat('<polygon points="nan,1;2,2;3,3"/>'), 1, "a polygon must be made of numbers"),
    "CVAT outside": (
        "cvat",
        cvat('<mask left="4" top="0" width="2" height="1" rle="0, 2"/>'),
        1,
        "a mask must lie within its image of 5 x 4, got 2 x 1 at 4, 0",
    ),
    "CVAT runs": (
        "cvat",
        cvat('<mask left="0" top="0" width="2" height="1" rle="0, 99999999999"/>'),
        1,
        "a mask's rle must cover its box of 2 pixels, got 99999999999",
    ),
    "CVAT words": ("cvat", cvat('<mask left="0" top="0" width="2" height="1" rle="a"/>'), 1, "must be whole numbers"),
    "Label Studio text": ("label-studio", text("[5]", "a.json"), 0, "a.json must be readable JSON, a list of objects"),
    "Label Studio cut off": ("label-studio", text('[{"data": {"i', "a.json"), 0, "a.json must be readable JSON"),
    "Label Studio no data": ("label-studio", task(data={"x": 1}), 0, "must have an image's address in data"),
    "Label Studio no bytes": ("label-studio", task(region([1, 2, 900])), 1, "bytes of 0 to 255"),
    "Label Studio no list": ("label-studio", task(region("abc")), 1, "a brush's rle must be a list of bytes"),
    "Label Studio too short": (
        "label-studio",
        task(region([0, 0, 0])),
        1,
        "must hold 80 values for 5 x 4 pixels, got 0",
    ),
    "Label Studio four billion values": (
        "label-studio",
        task(region([255, 255, 255, 255, 57, 27, 191, 229, 79, 0, 0])),
        1,
        "must hold 80 values for 5 x 4 pixels, got 4294967295",
    ),
    "Label Studio ends": ("label-studio", task(region([0, 0, 0, 80, 57, 27, 191])), 1, "must hold 80 values, got"),
    "Label Studio turned": (
        "label-studio",
        task(region([], image_rotation=90)),
        1,
        "region 2 of task 1 of a.json must be on an image that is not turned",
    ),
    "Label Studio results": ("label-studio", task(annotations=[{"result": 3}]), 0, "must have a list as result, got 3"),
    "a map in colours": (
        "label-map",
        text(png(np.zeros((4, 5, 3), np.uint8)), "labels/a.png"),
        0,
        "a.png must have one number a pixel, or a palette, got RGB",
    ),
    "a photo as a map": (
        "label-map",
        text(png(np.arange(90_000, dtype=np.int32).reshape(300, 300).astype(np.uint16)), "labels/a.png"),
        0,
        "a.png must have at most 5000 objects, got more",
    ),
    "a map that is none": ("label-map", text("text", "labels/a.png"), 0, "a.png must be a PNG, TIFF or BMP picture"),
    "a map cut off": (
        "label-map",
        text(png(np.random.default_rng(1).integers(0, 9, (90, 90), np.uint8))[:900], "labels/a.png"),
        0,
        "a.png must be a complete picture, got a damaged one",
    ),
    "VOC in other colours": (
        "voc",
        text(png(np.full((4, 5, 3), 7, np.uint8)), "SegmentationObject/a.png"),
        0,
        "SegmentationObject/a.png must be painted in VOC's colours, got #070707 too",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_and_the_rest_is_read(name: str, tmp_path: Path) -> None:
    format, make, good, says = CASES[name]
    path = make(tmp_path)
    found, sentences, _ = read(format, tmp_path if format in ("yolo", "label-map", "voc") else path)
    assert found == good, sentences
    # What belongs to an image that cannot be read is said too.
    assert len(sentences) == (2 if format == "coco" and says.startswith("image 1") else 1), sentences
    assert says in sentences[0]
    assert "\n" not in sentences[0]


@pytest.mark.parametrize("format", READERS)
def test_an_empty_folder_is_one_sentence(format: str, tmp_path: Path) -> None:
    good, sentences, _ = read(format, tmp_path)
    assert (good, len(sentences)) == (0, 1)
    assert "must have" in sentences[0]


@pytest.mark.parametrize("format", READERS)
def test_a_file_that_is_not_there_is_no_crash(format: str, tmp_path: Path) -> None:
    good, sentences, _ = read(format, tmp_path / "none.json")
    assert (good, len(sentences)) == (0, 1)


def test_what_is_no_mask_is_counted_by_kind(tmp_path: Path) -> None:
    path = coco(annotation(iscrowd=1), annotation(segmentation=[]))(tmp_path)
    assert read("coco", path)[2] == {"crowd": 1, "annotation without a segmentation": 1}
    path = cvat("<box/>", "<box/>", "<polyline/>")(tmp_path)
    assert read("cvat", path)[2] == {"box": 2, "polyline": 1}
    path = labelme({"label": "x", "shape_type": "circle", "points": [[1, 1], [2, 2]]})(tmp_path)
    assert read("labelme", path)[2] == {"circle": 1}
    path = task({"type": "rectanglelabels", "value": {"x": 1}})(tmp_path)
    assert read("label-studio", path)[2] == {"rectanglelabels": 1}
    yolo("0 0.5 0.5 0.1 0.1")(tmp_path)
    assert read("yolo", tmp_path)[2] == {"box": 1}


def test_a_bomb_of_a_picture_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    Image.new("1", (19_000, 19_000)).save(tmp_path / "labels" / "a.png")
    assert (tmp_path / "labels" / "a.png").stat().st_size < 100_000
    tracemalloc.start()
    good, sentences, _ = read("label-map", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert good == 0
    assert "a.png must have at most 100 million pixels, got" in sentences[0]


def test_a_file_longer_than_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_BYTES", 1000)
    (tmp_path / "a.json").write_text(" " * 2000)
    (tmp_path / "a.xml").write_text(" " * 2000)
    with pytest.raises(InvalidInput, match=r"a.json must have at most 0 MB"):
        fields.content(tmp_path / "a.json", fields.MOST_BYTES)
    for format, name in (("label-studio", "a.json"), ("cvat", "a.xml")):
        assert "must have at most 0 MB, got more" in read(format, tmp_path / name)[1][0]


@pytest.mark.parametrize(
    ("format", "says"),
    [
        ("coco", "a.json must have at most 256 MB, got 300 MB"),
        ("sa1b", "a.json must have at most 256 MB, got 300 MB"),
        ("labelme", "a.json must have at most 256 MB, got 300 MB"),
    ],
)
def test_a_document_that_must_be_held_whole_is_not_read_where_it_is_long(
    tmp_path: Path, format: str, says: str
) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(300_000_000)
    tracemalloc.start()
    good, sentences, _ = read(format, tmp_path / "a.json")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert (good, sentences) == (0, [says])


def test_an_object_of_a_list_is_not_read_where_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_DOCUMENT", 1000)
    (tmp_path / "a.json").write_text('[{"a": "' + "x" * 200_000)
    assert read("label-studio", tmp_path / "a.json")[1] == ["an object of a.json must have at most 0 MB, got more"]


@pytest.mark.parametrize("format", ["coco", "sa1b", "yolo", "labelme", "label-studio", "cvat", "voc", "label-map"])
@pytest.mark.parametrize("content", ["db: secret-7", '{"password": "secret-7"}', '"secret-7"', '["secret-7"]'])
def test_what_other_files_of_the_server_say_is_not_told(tmp_path: Path, format: str, content: str) -> None:
    for name in ("a.json", "a.txt", "a.xml"):
        (tmp_path / name).write_text(content)
        for path in (tmp_path / name, tmp_path):
            assert not any("secret-7" in sentence for sentence in read(format, path)[1])


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(RLE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "id image_id images annotations image file_name width height segmentation size counts shapes points "
                "label shape_type mask imagePath imageHeight imageWidth data result value rle original_width type "
                "original_height category_id categories name iscrowd group_id predictions".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize("format", ["coco", "sa1b", "labelme", "label-studio"])
@settings(max_examples=150)
@given(document=json_like)
def test_no_json_crashes_a_reader(format: str, document: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / f"{format}.json"
    path.write_text(json.dumps(document))
    read(format, path)


@pytest.mark.parametrize("format", ["coco", "sa1b", "labelme", "label-studio", "cvat", "yolo"])
@settings(max_examples=150)
@given(data=st.data())
def test_no_damage_to_a_good_file_crashes_a_reader(
    format: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"damaged-{format}"
    folder.mkdir(exist_ok=True)
    maker = {
        "coco": coco(),
        "sa1b": sa1b(),
        "labelme": labelme(),
        "label-studio": task(),
        "cvat": cvat(),
        "yolo": yolo(""),
    }
    path = maker[format](folder)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    read(format, folder if format == "yolo" else path)
