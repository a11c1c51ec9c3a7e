"""Groups of images that look alike, how they are represented, and the order that evens out."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality.balance import (
    MOST_NUMBERS,
    Candidate,
    clustered,
    most_left_first,
    next_order,
    represented,
    summary,
)


def test_a_summary_is_of_the_photo_and_not_of_the_padding() -> None:
    features = np.zeros((2, 4, 4), np.float16)
    features[0, :2], features[1, :2] = 3, [[1, 1, 5, 5]] * 2
    assert summary(features, (50, 100)).tolist() == [3, 3, 0, 2]
    features[:, 2:] = 99
    assert summary(features, (50, 100)).tolist() == [3, 3, 0, 2]


def test_many_channels_are_projected_and_keep_their_distances() -> None:
    rng = np.random.default_rng(0)
    images = [rng.normal(size=(300, 1, 1)).astype(np.float32) for _ in range(6)]
    told = [summary(image, (10, 10)).astype(float) for image in images]
    assert all(len(one) == MOST_NUMBERS for one in told)
    for a in range(6):
        for b in range(a):
            before = np.linalg.norm(images[a] - images[b])
            assert np.linalg.norm(told[a] - told[b]) == pytest.approx(before, rel=0.3)


def test_clusters_part_what_lies_apart_and_are_the_same_each_time() -> None:
    rng = np.random.default_rng(1)
    middles = np.array([[0, 0], [10, 0], [0, 10]])
    truth = np.repeat([0, 1, 2], [30, 20, 10])
    vectors = (middles[truth] + rng.normal(0, 0.5, (60, 2))).astype(np.float32)
    found = clustered(vectors, 3)
    assert found.nearest(vectors).tolist() == truth.tolist(), "the largest is the first"
    assert (clustered(vectors, 3).centres == found.centres).all()


def test_equal_images_are_one_cluster() -> None:
    found = clustered(np.ones((9, 4), np.float32), 3)
    assert found.centres.shape == (1, 4)
    assert found.nearest(np.ones((2, 4), np.float32)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("counted", "expected", "readings"),
    [
        ([0, 0], [50, 50], ["even", "even"]),
        ([3, 0], [50, 50], ["even", "even"]),
        ([30, 2], [50, 50], ["over", "under"]),
        ([31, 29], [50, 50], ["even", "even"]),
        ([90, 10], [90, 10], ["even", "even"]),
        ([0, 0], [0, 0], ["even", "even"]),
    ],
)
def test_few_images_are_no_finding(counted: list[int], expected: list[float], readings: list[str]) -> None:
    found = represented(counted, expected)
    assert [one.reading for one in found] == readings
    assert sum(one.share for one in found) == pytest.approx(1.0 if sum(counted) else 0.0)


def test_ratios_are_smoothed() -> None:
    first, second = represented([3, 0], [1, 1])
    assert (first.ratio, second.ratio) == (pytest.approx(4 / 2.5), pytest.approx(1 / 2.5))
    assert [one.ratio for one in represented([0, 0], [1, 3])] == [1, 1]


def test_the_cluster_with_the_smallest_annotated_part_comes_next() -> None:
    # Cluster 0 has 8 images, 4 annotated; cluster 1 has 4, none; cluster 2 has 2, one.
    waiting = [Candidate(1, 0, 5), Candidate(2, 0, 9), Candidate(3, 1, 1), Candidate(4, 1, 7), Candidate(5, 1, 7)]
    waiting.append(Candidate(6, 2, 8))
    # 1 at 0/4: 4 (most left, lower id); at 1/4: 5; at 2/4 all stand alike: 2 (9 left), then 6 (8 left), then 3.
    assert next_order(waiting, [8, 4, 2], [4, 0, 1]) == [4, 5, 2, 6, 3, 1]
    assert next_order([], [8], [4]) == []
    assert most_left_first(waiting) == [2, 6, 4, 5, 1, 3]


@st.composite
def libraries(draw: st.DrawFn) -> tuple[list[Candidate], list[int], list[int]]:
    clusters = draw(st.integers(1, 4))
    waiting = draw(st.lists(st.tuples(st.integers(0, clusters - 1), st.integers(0, 3)), max_size=20))
    candidates = [Candidate(number, cluster, left) for number, (cluster, left) in enumerate(waiting)]
    annotated = draw(st.lists(st.integers(0, 6), min_size=clusters, max_size=clusters))
    images = [annotated[one] + sum(c.cluster == one for c in candidates) for one in range(clusters)]
    return candidates, images, annotated


@given(libraries())
def test_an_order_has_each_image_once_and_always_serves_the_one_behind(
    library: tuple[list[Candidate], list[int], list[int]],
) -> None:
    candidates, images, annotated = library
    order = next_order(candidates, images, annotated)
    assert sorted(order) == sorted(one.image_id for one in candidates)
    left = {one.image_id: one for one in candidates}
    done = list(annotated)
    for image_id in order:
        taken = left[image_id]
        best = min(left.values(), key=lambda o: (Fraction(done[o.cluster], images[o.cluster]), -o.left, o.image_id))
        assert best == taken
        done[taken.cluster] += 1
        del left[image_id]
