"""Graph cuts that start from what is believed: by hand, and where there is nothing to divide."""

import cv2
import numpy as np

from core.segmentation.closeup import _agreed
from core.segmentation.graph_cut import divided, is_object, labels_of


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Return a picture whose left half is blue and whose right half is yellow, and the left half."""
    rng = np.random.default_rng(0)
    picture = rng.normal((40, 60, 200), 8, (64, 96, 3))
    picture[:, 48:] += (180, 140, -150)
    left = np.zeros((64, 96), bool)
    left[:, :48] = True
    return picture.clip(0, 255).astype(np.uint8), left


def test_labels_are_certain_near_both_ends_only() -> None:
    soft = np.array([[0.0, 0.04, 0.06, 0.5, 0.51, 0.94, 0.96, 1.0]])
    labels = labels_of(soft, 0.05)[0].tolist()
    background, object_, maybe_not, maybe = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD
    assert labels == [background, background, maybe_not, maybe_not, maybe, maybe, object_, object_]
    assert is_object(labels_of(soft, 0.05))[0].tolist() == [False] * 4 + [True] * 4


def test_what_is_believed_roughly_is_cut_where_the_colours_part() -> None:
    picture, left = halves()
    soft = np.where(
        np.arange(96) < 30, 0.99, np.where(np.arange(96) < 40, 0.6, np.where(np.arange(96) < 70, 0.3, 0.01))
    )
    mask = divided(picture, labels_of(np.broadcast_to(soft, (64, 96)), 0.05))
    assert (mask == left).mean() > 0.98


def test_what_is_certain_stays_and_nothing_to_divide_is_left_as_it_was() -> None:
    picture, left = halves()
    labels = np.full((64, 96), cv2.GC_PR_BGD, np.uint8)
    assert not divided(picture, labels).any()
    labels[:] = cv2.GC_PR_FGD
    assert divided(picture, labels).all()
    labels = np.where(left, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[5, 90] = cv2.GC_FGD
    labels[5, 3] = cv2.GC_BGD
    before = labels.copy()
    mask = divided(picture, labels)
    assert mask[5, 90]
    assert not mask[5, 3]
    assert (labels == before).all(), "labels are the caller's"


def test_logits_that_a_cut_agrees_with_get_surer_and_others_less_sure() -> None:
    picture, _ = halves()
    small = np.where(np.arange(24) < 15, 1.0, -1.0).astype(np.float32)  # 60 px: a fifth too far to the right
    logits = np.broadcast_to(small, (16, 24)).copy()
    logits[:, :8], logits[:, -6:] = 6, -6
    agreed = _agreed(picture, logits)
    assert agreed.shape == logits.shape
    assert (agreed[:, 9:11] > 1).all()
    assert (agreed[:, 13:15] < 1).all()
    assert (agreed[:, 16:] < -1).all()
