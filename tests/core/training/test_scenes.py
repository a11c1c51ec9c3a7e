"""Scenes, cut-outs, practice and losses: truth that fits the picture, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import InvalidInput
from core.training.cutouts import Cutout, cutout_of
from core.training.drawings import read_labels
from core.training.episodes import correction, deep_place, practice
from core.training.known import known_photos
from core.training.losses import closest_loss, mask_loss, nesting_loss, true_iou
from core.training.materials import OWN_PHOTOS, Materials, cutouts_in, photos_in
from core.training.scenes import SceneMaker


def badge() -> Image.Image:
    """Return a disk, half red and half blue, on nothing."""
    rows, columns = np.mgrid[:200, :200]
    pixels = np.zeros((200, 200, 4), np.uint8)
    inside = (rows - 100) ** 2 + (columns - 100) ** 2 < 80**2
    pixels[inside] = (220, 30, 30, 255)
    pixels[inside & (columns > 100)] = (30, 30, 220, 255)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def cutout() -> Cutout:
    found = cutout_of(badge())
    assert found is not None
    return found


@pytest.fixture
def maker(cutout: Cutout) -> SceneMaker:
    photo = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
    return SceneMaker(Materials([cutout], [photo]), seed=3)


def test_a_cutout_is_cropped_small_and_has_the_parts_its_colours_show(cutout: Cutout) -> None:
    assert 158 <= max(cutout.alpha.shape) <= 160
    height, width = cutout.alpha.shape
    left, right = cutout.parts[height // 2, width // 4], cutout.parts[height // 2, 3 * width // 4]
    assert left != right
    assert 0 not in (left, right)
    assert ((cutout.parts > 0) == (cutout.alpha > 127)).all()
    assert len(np.unique(cutout.subparts)) >= len(np.unique(cutout.parts))


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGBA", (200, 200), (0, 0, 0, 0)),
        Image.new("RGBA", (200, 200), (9, 9, 9, 255)),
        Image.new("RGBA", (20, 20), (9, 9, 9, 255)),
    ],
)
def test_what_is_empty_full_or_tiny_is_no_cutout(picture: Image.Image) -> None:
    assert cutout_of(picture) is None


def test_colours_go_on_beyond_the_object(cutout: Cutout) -> None:
    assert cutout.colours[0, 0].tolist() == [220, 30, 30]
    assert cutout.colours[-1, -1].tolist() == [30, 30, 220]


def test_the_same_seed_makes_the_same_scenes(cutout: Cutout) -> None:
    first, second = (SceneMaker(Materials([cutout]), seed=5) for _ in range(2))
    for _ in range(4):
        one, other = first.make(96), second.make(96)
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.subparts, other.subparts)


def test_parts_lie_in_objects_and_subparts_in_parts(maker: SceneMaker) -> None:
    seen = 0
    for _ in range(20):
        scene = maker.make(96)
        assert scene.image.shape == (96, 96, 3)
        assert (scene.parts[scene.objects == 0] == 0).all()
        assert (scene.subparts[scene.objects == 0] == 0).all()
        seen += len(np.unique(scene.objects)) - 1
    assert seen >= 20


def test_without_cutouts_and_photos_there_are_scenes_too() -> None:
    scene = SceneMaker(Materials(), seed=0).make(96)
    assert scene.image.std() > 1


def test_photos_with_known_objects_are_learned_from_as_they_are(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    labels = np.zeros((80, 120), np.uint16)
    labels[10:50, 20:70], labels[30:44, 60:110] = 7, 300
    photo = np.zeros((80, 120, 3), np.uint8)
    photo[labels == 7], photo[labels == 300] = (200, 10, 10), (10, 200, 10)
    Image.fromarray(photo).save(tmp_path / "images" / "a.png")
    Image.fromarray(labels).save(tmp_path / "labels" / "a.png")
    (known,) = known_photos(read_labels(tmp_path))
    assert known.image.shape == (80, 120, 3)
    assert np.unique(known.objects).tolist() == [0, 1, 2]
    assert (known.objects == 1).sum() == (labels == 7).sum(), "the larger one comes first"
    maker = SceneMaker(Materials(known=[known]), seed=1)
    as_they_are = [scene for scene in (maker.make(64) for _ in range(60)) if not scene.parts.any()]
    assert as_they_are
    for scene in as_they_are:
        for number in np.unique(scene.objects[scene.objects > 0]):
            assert np.median(scene.image[scene.objects == number], axis=0).std() > 50


def test_practice_asks_for_what_was_clicked_and_nests(maker: SceneMaker) -> None:
    rng = np.random.default_rng(0)
    made = 0
    for _ in range(40):
        one = practice(maker.make(96), side=64, objects=2, rng=rng)
        if one is None:
            continue
        made += 1
        assert one.image.shape == (64, 64, 3)
        for answers, (x, y) in zip(one.answers, one.clicks, strict=True):
            assert answers[:, int(y), int(x)].all()
            assert (answers[0] <= answers[1]).all()
            assert (answers[1] <= answers[2]).all()
            assert (answers[2] <= one.valid).all()
    assert made >= 10


def test_corrections_go_where_the_larger_error_is() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((40, 40), bool)
    truth[5:35, 5:20] = True
    x, y, label = correction(np.zeros_like(truth), truth, rng)
    assert label == 1
    assert truth[int(y), int(x)]
    x, y, label = correction(np.ones_like(truth), truth, rng)
    assert label == 0
    assert not truth[int(y), int(x)]
    x, y, label = correction(truth, truth, rng)
    assert label == 1
    assert truth[int(y), int(x)]


def test_a_deep_place_is_never_on_the_rim_of_a_large_area() -> None:
    area = np.zeros((50, 50), bool)
    area[10:40, 10:40] = True
    for seed in range(30):
        row, column = deep_place(area, np.random.default_rng(seed))
        assert 12 <= row < 38
        assert 12 <= column < 38


def test_losses_are_least_for_the_right_answer() -> None:
    truth = torch.zeros(1, 3, 8, 8)
    truth[0, 0, :2], truth[0, 1, :4], truth[0, 2, :6] = 1, 1, 1
    right, wrong = 20 * truth - 10, 10 - 20 * truth
    assert (mask_loss(right, truth) < 0.01).all()
    assert (mask_loss(wrong, truth) > 1).all()
    assert true_iou(right, truth).tolist() == [[1, 1, 1]]
    assert true_iou(wrong, truth).tolist() == [[0, 0, 0]]
    assert float(nesting_loss(right)) < 1e-3
    assert float(nesting_loss(right.flip(1))) > 0.1
    two = truth[:, 1:2]
    assert float(closest_loss(right, two)) == pytest.approx(float(mask_loss(right[:, 1:2], two)))


def test_materials_are_read_from_folders(tmp_path: Path) -> None:
    badge().save(tmp_path / "badge.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert len(cutouts_in([tmp_path])) == 1
    assert len(photos_in([])) == len(OWN_PHOTOS)
    with pytest.raises(InvalidInput, match="a folder of pictures must exist"):
        cutouts_in([tmp_path / "nowhere"])
    with pytest.raises(InvalidInput, match=r"a photo must be readable, got broken\.png"):
        photos_in([tmp_path])
