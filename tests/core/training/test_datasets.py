"""Reading data sets: the same objects in every format, and one sentence where something cannot be meant."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import InvalidInput
from core.training.datasets import open_dataset
from core.training.examples import Dataset, choose
from tests.core.training.made import (
    as_coco,
    as_labels,
    as_manifest,
    as_sa1b,
    disk,
    disks,
    photo_of,
    save_photos,
    unsure_rim,
)

WRITERS = {
    "manifest": as_manifest,
    "coco": as_coco,
    "coco runs": lambda folder, photos: as_coco(folder, photos, "runs"),
    "coco polygons": lambda folder, photos: as_coco(folder, photos, "polygons"),
    "coco beside": lambda folder, photos: as_coco(folder, photos, images="."),
    "sa1b": as_sa1b,
    "labels": as_labels,
}


def told(dataset: Dataset) -> list[tuple[bytes, bytes, bytes]]:
    """Return photo, object and unknown pixels of every example, in an order that names do not matter for."""
    found = []
    for entry in dataset.entries:
        example = entry.read()
        pixels = example.photo.read(example.drawn_hw)
        assert pixels.shape == (*example.truth.shape, 3)
        found.append((pixels.tobytes(), example.truth.tobytes(), example.unsure.tobytes()))
    return sorted(found)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_same_examples(kind: str, tmp_path: Path) -> None:
    photos = disks(3)
    found = told(open_dataset(WRITERS[kind](tmp_path / "it", photos)))
    assert [(truth, any(unsure)) for _, truth, unsure in found] == [
        (truth, False) for _, truth, _ in told(open_dataset(as_manifest(tmp_path / "manifest", photos)))
    ]
    wanted = sorted((drawing == 255).tobytes() for made in photos for drawing in made.drawings)
    assert sorted(truth for _, truth, _ in found) == wanted


@given(seed=st.integers(0, 2**32 - 1))
def test_formats_agree_whatever_is_drawn(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.random((3, *rng.integers(1, 40, 2))) < rng.random()
    photos = [photo_of("one", drawn[0], drawn[1]), photo_of("two", drawn[2])]
    folder = tmp_path_factory.mktemp("it")
    first, *others = (
        told(open_dataset(WRITERS[kind](folder / kind, photos))) for kind in ("manifest", "coco", "coco runs", "sa1b")
    )
    assert all(found == first for found in others)


def test_unsure_pixels_are_neither_object_nor_not(tmp_path: Path) -> None:
    made = unsure_rim(photo_of("p", disk(70, 50, 30)))
    (entry,) = open_dataset(as_manifest(tmp_path / "it", [made], rights="free")).entries
    example = entry.read()
    assert example.unsure.any()
    assert not (example.truth & example.unsure).any()
    assert np.array_equal(example.unsure, made.drawings[0] == 128)
    assert np.array_equal(example.truth, made.drawings[0] == 255)


def test_a_manifests_wide_masks_are_maps_of_labels(tmp_path: Path) -> None:
    folder = as_labels(tmp_path / "it", disks(1))
    (folder / "manifest.csv").write_text("id,image,mask\none,images/p0.png,labels/p0.png\n")
    assert [entry.id for entry in open_dataset(folder).entries] == ["one/300", "one/301"]
    assert told(open_dataset(folder)) == told(open_dataset(as_manifest(tmp_path / "other", disks(1))))


@pytest.mark.parametrize(("height", "width", "suffix"), [(900, 3000, "png"), (3001, 4001, "jpg"), (3001, 4003, "jpg")])
def test_large_photos_are_reduced_as_at_import(height: int, width: int, suffix: str, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    drawing = np.zeros((height, width), np.uint8)
    drawing[: height // 2] = 255
    Image.fromarray(drawing).save(tmp_path / "mask.png")
    Image.fromarray(drawing).convert("RGB").save(tmp_path / f"photo.{suffix}")
    (tmp_path / "manifest.csv").write_text(f"id,image,mask\na,photo.{suffix},mask.png\n")
    (entry,) = open_dataset(tmp_path).entries
    example = entry.read()
    pixels = example.photo.read(example.drawn_hw)
    assert max(example.truth.shape) == 1500
    assert pixels.shape == (*example.truth.shape, 3)
    assert abs(example.area / example.truth.size - 0.5) < 0.002
    assert np.mean((pixels[..., 0] > 128) != example.truth) < 0.002


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = photo_of("p", disk(30, 60, 20, hw=(140, 100)))
    as_manifest(tmp_path / "it", [made])
    Image.fromarray(np.rot90(made.pixels)).save(tmp_path / "it" / "images" / "p.png", exif=exif)
    (entry,) = open_dataset(tmp_path / "it").entries
    example = entry.read()
    assert np.array_equal(example.photo.read(example.drawn_hw)[..., 0] > 130, example.truth)


def test_the_choice_is_the_seeds_and_grows(tmp_path: Path) -> None:
    dataset = open_dataset(as_manifest(tmp_path / "it", disks(10)))
    names = {n: [entry.id for entry in choose(dataset, n, 3).entries] for n in (4, 9, None)}
    assert [len(found) for found in names.values()] == [4, 9, 20]
    assert names[4] == [entry.id for entry in choose(dataset, 4, 3).entries]
    assert set(names[4]) < set(names[9])
    assert {entry.id for entry in choose(dataset, 4, 4).entries} != set(names[4])
    photos = [entry.photo.name for entry in choose(dataset, None, 3).entries]
    assert all(one == other for one, other in zip(photos[::2], photos[1::2], strict=True))


def test_small_objects_are_left_out_and_counted(tmp_path: Path) -> None:
    small, least = np.zeros((2, 50, 50), bool)
    small[:9, :11], least[:10, 40:] = True, True
    dataset = open_dataset(as_manifest(tmp_path / "it", [photo_of("p", small, least)]))
    choice = choose(dataset, None, 0)
    assert ([entry.id for entry in choice.entries], choice.left_out) == (["p-1"], 1)
    with pytest.raises(InvalidInput, match=r"must have an object of at least 100 pixels, got none among 1"):
        choose(open_dataset(as_manifest(tmp_path / "small", [photo_of("p", small)])), None, 0)


def test_a_crowd_is_no_object_and_a_box_alone_is_too_small(tmp_path: Path) -> None:
    folder = as_coco(tmp_path / "it", disks(2))
    document = json.loads((folder / "annotations.json").read_text())
    document["annotations"][0]["iscrowd"] = 1
    document["annotations"][1]["segmentation"] = []
    (folder / "annotations.json").write_text(json.dumps(document))
    dataset = open_dataset(folder)
    assert (dataset.crowds, len(dataset.entries), choose(dataset, None, 0).left_out) == (1, 3, 1)


def test_coco_as_it_comes_is_found_by_its_file(tmp_path: Path) -> None:
    as_coco(tmp_path / "annotations", disks(2), images="../val")
    (tmp_path / "annotations" / "annotations.json").rename(tmp_path / "annotations" / "instances_val.json")
    dataset = open_dataset(tmp_path / "annotations" / "instances_val.json")
    assert told(dataset) == told(open_dataset(as_manifest(tmp_path / "other", disks(2))))


def test_the_fingerprint_is_of_what_is_there(tmp_path: Path) -> None:
    for kind, write in WRITERS.items():
        two, three = (open_dataset(write(tmp_path / f"{kind} {n}", disks(n))).fingerprint for n in (2, 3))
        assert two != three
        assert open_dataset(tmp_path / f"{kind} 2").fingerprint == two


def test_another_photo_or_mask_is_another_mark(tmp_path: Path) -> None:
    folder = as_manifest(tmp_path / "it", [photo_of("p", disk(70, 50, 30))])
    marks = {open_dataset(folder).entries[0].read().mark()}
    Image.fromarray(np.full((100, 140, 3), 7, np.uint8)).save(folder / "images" / "p.png")
    marks.add(open_dataset(folder).entries[0].read().mark())
    Image.fromarray(disk(70, 50, 29).astype(np.uint8) * 255).save(folder / "masks" / "p-0.png")
    marks.add(open_dataset(folder).entries[0].read().mark())
    assert len(marks) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,image\na,images/p0.png\n", "must have the columns id, image, mask, but manifest.csv has no mask"),
        ("", "must have the columns id, image, mask, but manifest.csv has no id"),
        ("id,image,mask\na,images/p0.png\n", "must have a value for mask, but line 2 has not"),
        ("id,image,mask\na,images/p0.png,\n", "must have a value for mask, but line 2 has not"),
        ("id,image,mask\na,images/no.png,masks/p0-0.png\n", "line 2 of manifest.csv must name a file"),
        ("id,image,mask\na,images/p0.png,masks\n", "line 2 of manifest.csv must name a file"),
        ("id,image,mask\n" + 2 * "a,images/p0.png,masks/p0-0.png\n", "must be one object's own, got 'a' twice"),
        ("id,image,mask\na,images/p0.png,manifest.csv\n", "must be a readable picture, but manifest.csv is not"),
    ],
)
def test_a_manifest_that_cannot_be_meant(text: str, says: str, tmp_path: Path) -> None:
    folder = as_manifest(tmp_path / "it", disks(1))
    (folder / "manifest.csv").write_text(text)
    with pytest.raises(InvalidInput, match=says.replace(".", r"\.")):
        choose(open_dataset(folder), None, 0)


def test_a_manifest_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match=r"must be a readable CSV file, but manifest\.csv is not"):
        open_dataset(tmp_path)


def test_a_mask_of_other_greys_is_refused(tmp_path: Path) -> None:
    folder = as_manifest(tmp_path / "it", disks(1))
    Image.fromarray(np.full((100, 140), 1, np.uint8)).save(folder / "masks" / "p0-0.png")
    with pytest.raises(
        InvalidInput, match=r"p0-0 cannot be used: a mask must be 255 .* got 1 too in p0-0\.png; maps of"
    ):
        choose(open_dataset(folder), None, 0)


def test_masks_and_photos_must_have_one_size(tmp_path: Path) -> None:
    folder = as_manifest(tmp_path / "it", disks(1))
    Image.fromarray(np.full((100, 139, 3), 7, np.uint8)).save(folder / "images" / "p0.png")
    example = open_dataset(folder).entries[0].read()
    with pytest.raises(InvalidInput, match=r"of images/p0\.png must have its size 139 x 100, got 140 x 100"):
        example.photo.read(example.drawn_hw)
    (folder / "images" / "p0.png").write_text("no photo")
    with pytest.raises(InvalidInput, match=r"images/p0\.png cannot be used: an image must be JPEG"):
        example.photo.read(example.drawn_hw)
    (folder / "images" / "p0.png").unlink()
    with pytest.raises(InvalidInput, match=r"images/p0\.png must be readable, but is not \(No such file"):
        example.mark()


IMAGE = {"id": 1, "file_name": "p0.png", "height": 100, "width": 140}
RLE = {"size": [100, 140], "counts": [0, 14000]}
MASK = {"id": 1, "image_id": 1, "segmentation": RLE}


@pytest.mark.parametrize(
    ("images", "annotations", "says"),
    [
        ([IMAGE, IMAGE], [], "must have an id of its own, got 1 twice"),
        ([IMAGE], [MASK, MASK], "must have an id of its own, got 1 twice"),
        ([IMAGE], [MASK | {"image_id": 2}], "must belong to an image of the file, but there is no image 2"),
        ([IMAGE], [{"id": 1, "image_id": 1}], "must have segmentation, but has none"),
        ([{"id": 1}], [MASK], "image 1 of annotations.json must have file_name, but has none"),
        ([IMAGE | {"height": -1}], [MASK], "must have a height and width of 1 to 20000, got -1 and 140"),
        (
            [IMAGE | {"file_name": "no.png"}],
            [MASK],
            "must have its photos beside it or in images, but there is no no.png",
        ),
        ([IMAGE | {"id": []}], [MASK], "must have a number or text as id"),
        ([7], [MASK], "must be an object with keys, got 7"),
        ([IMAGE], [MASK | {"segmentation": "x"}], "the mask 1 cannot be used: a segmentation must be polygons or run"),
        ([IMAGE], [MASK | {"segmentation": RLE | {"size": [140, 100]}}], "must have the image's size"),
        ([IMAGE], [MASK | {"segmentation": RLE | {"size": ["a", {}]}}], "size must be .height, width."),
        ([IMAGE], [MASK | {"segmentation": RLE | {"counts": [1, 2]}}], "whole numbers that cover 14000 pixels"),
        ([IMAGE], [MASK | {"segmentation": RLE | {"counts": "zz~"}}], "runs must be"),
        ([IMAGE], [MASK | {"segmentation": [[1, 2, 3, 4]]}], "at least three corners"),
        ([IMAGE], [MASK | {"segmentation": [[1, 2, 3, 4, 5, float("nan")]]}], "must be made of numbers"),
        ([IMAGE], [MASK | {"segmentation": [[1, 2, 3, 4, 5, 1e9]]}], "must lie near its image"),
    ],
)
def test_coco_that_cannot_be_meant(images: list[object], annotations: list[object], says: str, tmp_path: Path) -> None:
    save_photos(tmp_path, disks(1))
    (tmp_path / "annotations.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    with pytest.raises(InvalidInput, match=says.replace(".json", r"\.json")) as caught:
        choose(open_dataset(tmp_path), None, 0)
    assert "\n" not in str(caught.value)


def test_a_folder_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has none of them"):
        open_dataset(tmp_path)
    with pytest.raises(InvalidInput, match=r"there is no .*/missing"):
        open_dataset(tmp_path / "missing")
    (tmp_path / "notes.json").write_text("[1, 2]")
    with pytest.raises(InvalidInput, match="has none of them"):
        open_dataset(tmp_path)
    with pytest.raises(InvalidInput, match=r"must be COCO instances \(images, annotations\), but notes\.json is not"):
        open_dataset(tmp_path / "notes.json")
    (tmp_path / "notes.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"JSON must be readable, but notes\.json is not"):
        open_dataset(tmp_path)


def test_two_data_sets_in_one_folder_are_not_guessed_between(tmp_path: Path) -> None:
    folder = as_coco(tmp_path / "it", disks(1))
    (folder / "more.json").write_bytes((folder / "annotations.json").read_bytes())
    with pytest.raises(InvalidInput, match=r"must have one COCO file, got 2 in .*; give the file's path"):
        open_dataset(folder)
    assert len(open_dataset(folder / "more.json").entries) == 2
    (folder / "more.json").unlink()
    as_sa1b(folder, disks(1))
    with pytest.raises(InvalidInput, match=r"must be COCO or SA-1B, but .* has annotations\.json and p0\.json"):
        open_dataset(folder)


def test_maps_of_labels_need_photos_and_numbers(tmp_path: Path) -> None:
    folder = as_labels(tmp_path / "it", disks(2))
    Image.fromarray(np.zeros((100, 140, 3), np.uint8)).save(folder / "labels" / "p1.png")
    with pytest.raises(InvalidInput, match=r"must have one whole number a pixel, but p1\.png has not"):
        open_dataset(folder)
    (folder / "images" / "p1.png").unlink()
    with pytest.raises(InvalidInput, match=r"must have a photo of its name in images, but p1\.png has none"):
        open_dataset(folder)
