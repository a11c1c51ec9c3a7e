"""The embedded detector sees a face; what a plugged-in one says is checked."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data

from core.errors import InvalidImage, ModelUnavailable
from core.privacy.cascades import SAME, Cascades
from core.privacy.choice import detector, found_by
from core.privacy.regions import Region, iou
from tests.core.privacy.photos import FACE, Marks


def test_a_face_is_found_large_and_small() -> None:
    face = skimage.data.astronaut()
    for photo, scale in ((face, 1.0), (np.ascontiguousarray(face[::2, ::2]), 0.5)):
        faces = [one for one in Cascades().find(photo) if one.kind == "face"]
        best = max(faces, key=lambda one: one.score)
        assert iou(best.box, tuple(value * scale for value in FACE)) > 0.6  # type: ignore[arg-type]
        assert not any(iou(one.box, best.box) >= SAME for one in faces if one is not best)


def test_nothing_is_found_where_nothing_is() -> None:
    assert Cascades().find(np.full((90, 120, 3), 128, np.uint8)) == []
    assert Cascades().find(np.zeros((1, 1, 3), np.uint8)) == []
    assert Cascades().find(np.zeros((2, 1500, 3), np.uint8)) == []


def test_one_detector_answers_many_threads_alike() -> None:
    shared, face = Cascades(), np.ascontiguousarray(skimage.data.astronaut()[:220, 120:400])
    alone = shared.find(face)
    answers: list[list[Region]] = []
    threads = [threading.Thread(target=lambda: answers.append(shared.find(face))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone
    assert answers == [alone] * 4


def test_the_environment_names_another_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(detector(), Cascades)
    monkeypatch.setenv("MASKSMITH_DETECTOR", "tests.core.privacy.photos:marks")
    assert isinstance(detector(), Marks)


@pytest.mark.parametrize(
    "name", ["no.such.module:x", "core.masks:none", "core.masks", "core.hashes:sha256_of", "json:dumps"]
)
def test_a_detector_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("MASKSMITH_DETECTOR", name)
    with pytest.raises(ModelUnavailable, match=f"the detector {name} must load as module:callable"):
        detector()


@pytest.mark.parametrize(
    "answer",
    [
        [Region("dog", (0, 0, 5, 5))],  # type: ignore[arg-type]
        [Region("face", (0, 0, float("nan"), 5))],
        [Region("face", (0, 0, 5, 5), float("inf"))],
        [Region("face", (0, 0, 5))],  # type: ignore[arg-type]
        None,
        ["face"],
    ],
)
def test_a_detector_that_answers_nonsense_has_not_searched_the_photo(answer: object) -> None:
    with pytest.raises(InvalidImage, match="a photo must be searched for faces, but odd failed"):
        found_by(SimpleNamespace(name="odd", find=lambda _: answer), np.zeros((9, 9, 3), np.uint8))  # type: ignore[arg-type]


def test_what_is_found_is_cut_to_the_photo() -> None:
    answer = [Region("face", (-5, 2, 4, 50)), Region("plate", (20, 20, 30, 30)), Region("face", (3, 3, 3, 8))]
    found = found_by(SimpleNamespace(name="wide", find=lambda _: answer), np.zeros((9, 12, 3), np.uint8))  # type: ignore[arg-type]
    assert found == [Region("face", (0, 2, 4, 9))]
