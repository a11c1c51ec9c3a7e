"""Exports that other tools read: every live mask, pixel for pixel, and the report tells the truth."""

import json
import os
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco
from pycocotools.coco import COCO

from core import annotating, library, masks
from core.errors import InvalidInput
from core.export_report import FORMATS, ExportReport
from core.export_source import Source
from core.exporting import export, sweep
from core.formats.coco import CocoWriter
from core.reading_back import compare_coco
from core.workshop import Library
from storage import bulk
from storage import images as image_queries
from storage.errors import StorageError
from storage.rows import NewImage, NewMask
from tests.conftest import HEIGHT, WIDTH, square
from tests.core.conftest import accept

pytestmark = pytest.mark.both_databases

KEYS = {"segmentation", "bbox", "area", "predicted_iou", "stability_score", "point_coords", "crop_box"}


def ring() -> np.ndarray:
    mask = square(40, 30, 30)
    mask[40:45, 50:56] = False
    return mask


@pytest.fixture
def annotated(stocked: Library) -> Library:
    """Two masks on photo 1, one by hand on photo 3, and some that count no more."""
    points = [
        {"kind": "point", "x": 15.5, "y": 25.0, "label": 1, "at_ms": 0},
        {"kind": "point", "x": 3.0, "y": 4.0, "label": 0, "at_ms": 1},
        {"kind": "box", "x": 1.0, "y": 1.0, "x1": 9.0, "y1": 9.0, "at_ms": 2},
    ]
    accept(stocked, "a", square(), predicted_iou=0.75, stability_score=0.5, label="cup", prompts=points)
    accept(stocked, "old", square(60, 60, 9))
    accept(stocked, "b", ring(), supersedes="old", predicted_iou=0.25, stability_score=1.0)
    accept(stocked, "gone", square(80, 5, 9))
    annotating.delete_mask(stocked, "gone")
    accept(stocked, "c", np.tri(HEIGHT, WIDTH, dtype=bool), image_id=3, origin="by_hand")
    accept(stocked, "away", square(), image_id=2)
    library.delete(stocked, [2])
    return stocked


EXPECTED = {1: square(), 3: ring(), 5: np.tri(HEIGHT, WIDTH, dtype=bool)}
"""The live masks of `annotated` by their ids."""


def read_coco(folder: Path) -> COCO:
    return COCO(str(folder / "annotations.json"))


def test_coco_is_read_by_pycocotools_pixel_for_pixel(annotated: Library, tmp_path: Path) -> None:
    report = export(annotated, tmp_path / "out", format="coco")
    read = read_coco(tmp_path / "out")
    assert sorted(read.getImgIds()) == [1, 3]
    found = {entry["id"]: entry for entry in read.loadAnns(read.getAnnIds())}
    assert sorted(found) == sorted(EXPECTED)
    for mask_id, mask in EXPECTED.items():
        assert np.array_equal(read.annToMask(found[mask_id]).astype(bool), mask)
        rle = masks.encode(mask)
        assert found[mask_id]["area"] == mask.sum()
        assert found[mask_id]["bbox"] == list(masks.bbox(rle))
        assert found[mask_id]["iscrowd"] == 0
    names = {category["id"]: category["name"] for category in read.loadCats(read.getCatIds())}
    assert [names[found[mask_id]["category_id"]] for mask_id in (1, 3, 5)] == ["cup", "object", "object"]
    assert (report.images, report.masks, report.compared, report.differing) == (2, 3, 3, 0)
    assert "All 3 masks were read back and are equal pixel for pixel." in report.sentence()


def test_coco_comes_with_its_images(annotated: Library, tmp_path: Path) -> None:
    export(annotated, tmp_path / "out", format="coco")
    for entry in read_coco(tmp_path / "out").dataset["images"]:
        with Image.open(tmp_path / "out" / "images" / entry["file_name"]) as image:
            assert image.size == (entry["width"], entry["height"]) == (WIDTH, HEIGHT)


def test_polygons_say_how_many_pixels_they_lose(annotated: Library, tmp_path: Path) -> None:
    report = export(annotated, tmp_path / "out", format="coco", polygons=True)
    read = read_coco(tmp_path / "out")
    found = {entry["id"]: entry for entry in read.loadAnns(read.getAnnIds())}
    lost = {mask_id: int((read.annToMask(found[mask_id]) != mask).sum()) for mask_id, mask in EXPECTED.items()}
    assert lost == {1: 0, 3: 30, 5: 0}  # the hole of the ring
    assert (report.pixels_lost, report.compared, report.differing) == (30, 3, 1)
    assert "1 of 3 masks differ when read back, by 30 pixels in all." in report.sentence()
    assert all(isinstance(entry["segmentation"], list) for entry in found.values())


def test_sa1b_is_one_file_an_image_as_meta_has_it(annotated: Library, tmp_path: Path) -> None:
    report = export(annotated, tmp_path / "out", format="sa1b")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "00000001.jpg",
        "00000001.json",
        "00000003.jpg",
        "00000003.json",
    ]
    read: dict[int, Any] = {}
    for number in (1, 3):
        document = json.loads((tmp_path / "out" / f"0000000{number}.json").read_text())
        assert set(document) == {"image", "annotations"}
        assert document["image"] == {
            "image_id": number,
            "width": WIDTH,
            "height": HEIGHT,
            "file_name": f"0000000{number}.jpg",
        }
        read |= {entry["id"]: entry for entry in document["annotations"]}
    assert sorted(read) == sorted(EXPECTED)
    for mask_id, mask in EXPECTED.items():
        entry = read[mask_id]
        assert set(entry) >= KEYS
        assert np.array_equal(coco.decode(entry["segmentation"]).astype(bool), mask)
        assert (entry["area"], entry["crop_box"]) == (mask.sum(), [0, 0, WIDTH, HEIGHT])
        assert entry["bbox"] == list(masks.bbox(masks.encode(mask)))
    assert (read[1]["predicted_iou"], read[1]["stability_score"]) == (0.75, 0.5)
    assert [read[number]["point_coords"] for number in (1, 3)] == [[[15.5, 25.0]], []]
    assert (read[5]["predicted_iou"], read[5]["stability_score"], read[5]["origin"]) == (0.0, 0.0, "by_hand")
    assert (report.compared, report.differing, report.without_scores) == (3, 0, 1)
    assert "1 masks made by hand or imported have no scores" in report.sentence()


@pytest.mark.parametrize("format", ["coco", "sa1b"])
def test_an_empty_library_is_exported_whole(library: Library, tmp_path: Path, format: Any) -> None:
    report = export(library, tmp_path / "out", format=format)
    assert (report.images, report.masks, report.compared, report.differing) == (0, 0, 0, 0)
    assert (tmp_path / "out").is_dir()
    if format == "coco":
        assert read_coco(tmp_path / "out").getAnnIds() == []


def test_masks_that_were_written_wrongly_are_counted(annotated: Library, tmp_path: Path) -> None:
    def spoil(done: int, _total: int) -> None:
        if done == 1:
            (path,) = tmp_path.glob(".out.*.part/00000001.json")
            document = json.loads(path.read_text())
            document["annotations"][0]["segmentation"] = masks.encode(square(11))
            del document["annotations"][1]
            path.write_text(json.dumps(document))

    report = export(annotated, tmp_path / "out", format="sa1b", progress=spoil)
    assert (report.compared, report.differing) == (3, 2)
    assert "2 of 3 masks differ when read back" in report.sentence()


@pytest.mark.parametrize("format", FORMATS)
def test_of_many_masks_those_of_some_images_are_read_back(library: Library, tmp_path: Path, format: Any) -> None:
    put_masks(library, 40, each=5)
    report = export(library, tmp_path / "out", format=format, with_images=False, sample=50)
    # 40 images, each drawn with a chance of 1 in 4: fewer than 1 or more than 30 come once in 100,000 runs
    assert 0 < report.compared <= 150
    assert report.compared % 5 == 0
    assert report.masks == 200
    if report.differing == 0:
        assert f"{report.compared} of the masks, all those of images drawn at random, were read" in report.sentence()
    whole = export(library, tmp_path / "all", format=format, with_images=False, sample=None)
    assert whole.compared == 200
    assert whole.differing * report.compared == report.differing * 200  # every image is the same
    with pytest.raises(InvalidInput, match="at least 1 mask must be read back, got 0"):
        export(library, tmp_path / "none", format=format, sample=0)


@pytest.mark.parametrize("lost", [0, 2])
def test_annotations_that_are_not_in_the_file_are_noticed(annotated: Library, tmp_path: Path, lost: int) -> None:
    """Also behind the last image that is read back."""
    path = tmp_path / "annotations.json"
    with annotated.engines.reading() as session:
        source = Source(annotated, session, ExportReport("coco", tmp_path), False, 1, None)
        writer = CocoWriter(description="")
        path.write_text("".join([*writer.images(source.images()), *writer.annotations(source.counted(tmp_path))]))
        compare_coco(source, path)
        lines = path.read_text().splitlines(keepends=True)
        first = lines.index('"annotations": [\n') + 1
        path.write_text("".join(lines[: first + lost] + lines[first + lost + 1 :]))
        with pytest.raises(StorageError, match="must hold 3 annotations"):
            compare_coco(source, path)


def test_a_photo_that_cannot_be_read_is_named_and_its_masks_are_kept(annotated: Library, tmp_path: Path) -> None:
    annotated.files.path("working", library.image(annotated, 1).working_sha256).write_bytes(b"evil")
    report = export(annotated, tmp_path / "out", format="coco")
    assert (report.missing_files, report.masks, report.differing) == (["photo-1.png"], 3, 0)
    assert "1 image files could not be read and are left out." in report.sentence()


@pytest.mark.parametrize("format", ["yolo", "labelme", "label-studio", "cvat"])
def test_formats_of_other_tools_hold_every_pixel(annotated: Library, tmp_path: Path, format: Any) -> None:
    report = export(annotated, tmp_path / "out", format=format)
    assert (report.images, report.masks, report.compared, report.differing, report.pixels_lost) == (2, 3, 3, 0, 0)
    assert "All 3 masks were read back and are equal pixel for pixel." in report.sentence()
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 2


@pytest.mark.parametrize("format", ["labelme", "cvat"])
def test_polygons_of_other_tools_lose_holes_which_are_counted(annotated: Library, tmp_path: Path, format: Any) -> None:
    report = export(annotated, tmp_path / "out", format=format, polygons=True)
    assert (report.compared, report.differing, report.absent, report.pixels_lost) == (3, 1, 0, 30)


@pytest.mark.parametrize(("format", "scores"), [("label-map", 0), ("voc", 3)])
def test_maps_of_labels_count_what_lies_under_smaller_masks(
    annotated: Library, tmp_path: Path, format: Any, scores: int
) -> None:
    accept(annotated, "inside", square(15, 25, 4), predicted_iou=0.5)
    accept(annotated, "twin", square(15, 25, 4))
    report = export(annotated, tmp_path / "out", format=format)
    # The first square loses 16 pixels to the small ones, and one of these all of its own to the other.
    assert (report.compared, report.differing, report.absent, report.pixels_lost) == (5, 2, 1, 32)
    assert report.scores_lost == scores
    assert "2 of 5 masks differ when read back, by 32 pixels in all. 1 of them are not there" in report.sentence()


@pytest.mark.parametrize("format", FORMATS)
def test_a_trial_says_what_would_be_lost_and_leaves_nothing(annotated: Library, tmp_path: Path, format: Any) -> None:
    trial = export(annotated, tmp_path / "trial", format=format, trial=True)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    real = export(annotated, tmp_path / "real", format=format)
    assert "written on trial" in trial.sentence()
    assert (trial.masks, trial.compared, trial.differing, trial.pixels_lost, trial.labels_lost, trial.scores_lost) == (
        *(real.masks, real.compared, real.differing, real.pixels_lost, real.labels_lost, real.scores_lost),
    )


def test_a_mask_that_another_tool_s_file_lacks_is_counted(annotated: Library, tmp_path: Path) -> None:
    def spoil(done: int, _total: int) -> None:
        if done == 1:
            (path,) = tmp_path.glob(".out.*.part/labels/00000001.txt")
            first, *_ = path.read_text().splitlines()
            path.write_text(first + "\n")

    report = export(annotated, tmp_path / "out", format="yolo", progress=spoil)
    assert (report.compared, report.differing, report.absent, report.pixels_lost) == (3, 1, 1, int(ring().sum()))


def test_images_are_left_out_when_not_wanted(annotated: Library, tmp_path: Path) -> None:
    export(annotated, tmp_path / "out", format="sa1b", with_images=False)
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".json"}


def test_progress_runs_to_the_end(annotated: Library, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    export(annotated, tmp_path / "out", format="coco", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_only_an_empty_folder_is_written_to(annotated: Library, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("mine")
    (tmp_path / "file").touch()
    for name in ("full", "file"):
        with pytest.raises(InvalidInput, match="new or empty folder"):
            export(annotated, tmp_path / name, format="coco")
    assert (tmp_path / "full" / "precious").read_text() == "mine"
    with pytest.raises(InvalidInput, match=r"must be one of coco, sa1b, yolo, .*, got .tiff'"):
        export(annotated, tmp_path / "out", format="tiff")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="polygons must go with one of coco, labelme, cvat"):
        export(annotated, tmp_path / "out", format="sa1b", polygons=True)
    with pytest.raises(StorageError, match="must be writable"):
        export(annotated, tmp_path / "file" / "out", format="coco")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "file", "full"]


def test_the_folder_one_stands_in_is_a_folder_like_others(
    annotated: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    report = export(annotated, Path("."), format="coco")
    assert report.folder == tmp_path / "here"
    assert (tmp_path / "here" / "annotations.json").is_file()


def test_a_failure_in_the_middle_leaves_no_folder(annotated: Library, tmp_path: Path) -> None:
    def fail(done: int, _total: int) -> None:
        raise RuntimeError(f"cut off after {done}")

    with pytest.raises(RuntimeError, match="cut off after 1"):
        export(annotated, tmp_path / "out", format="sa1b", progress=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_old_exports_are_swept_away_and_young_ones_stay(tmp_path: Path) -> None:
    sweep(tmp_path / "none yet")
    for name, age_h in (("old", 25), (".broken.part", 30), ("young", 23)):
        (tmp_path / name / "images").mkdir(parents=True)
        then = time.time() - 3600 * age_h
        os.utime(tmp_path / name, (then, then))
    (tmp_path / "notes.txt").touch()
    os.utime(tmp_path / "notes.txt", (0, 0))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "young"]


@pytest.mark.sqlite_only
def test_memory_does_not_grow_with_the_masks(library: Library, tmp_path: Path) -> None:
    def exported(format: Any, images: int, again: int = 0) -> int:
        tracemalloc.start()
        report = export(library, tmp_path / f"{format}-{images}-{again}", format=format, with_images=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.masks == 50 * images
        return peak

    put_masks(library, 1)
    small = {format: exported(format, 1) for format in FORMATS}
    put_masks(library, 20)
    for format in FORMATS:
        # Threads that other tests have left behind are measured too, but what an export holds it holds each time.
        assert any(exported(format, 20, again) < small[format] + 300_000 for again in range(3)), format


def put_masks(library: Library, upto: int, each: int = 50) -> None:
    """Fill the library up to this many images with so many masks each."""
    rle = masks.encode(np.tri(HEIGHT, WIDTH, dtype=bool))
    with library.engines.writing() as session:
        had = image_queries.count(1, session=session)
        for number in range(had + 1, upto + 1):
            new = NewImage(1, f"{number}.jpg", f"{number:064x}", "1" * 64, "2" * 64, WIDTH, HEIGHT, 9, 9, "JPEG", 9)
            image_id, _ = image_queries.insert(new, session=session)
            drawn = (HEIGHT, WIDTH, rle["counts"], masks.area(rle), masks.bbox(rle))
            made = [NewMask(f"{number}-{key}", image_id, 1, "o", "assisted", *drawn) for key in range(each)]
            bulk.add_masks(made, session=session)
