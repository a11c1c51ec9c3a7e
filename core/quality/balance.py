"""Is a library annotated evenly? Groups of images that look alike, how each is represented, an order that evens out.

N is how many images there are, D how many numbers describe each.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.statistics import wilson

Reading = Literal["over", "under", "even"]
Vectors = NDArray[np.float32]

MOST_NUMBERS: Final = 256
FEWEST: Final = 8
"""Images below which nothing is divided into clusters."""
MOST_CLUSTERS: Final = 12
PER_CLUSTER: Final = 6
"""Images that a cluster should have on average, at least."""
SMOOTHING: Final = 2.0
"""Things of the expected kind added to both sides of a ratio: with nothing counted it is 1."""
_ROUNDS: Final = 50


def summary(features: NDArray[np.floating], size_hw: tuple[int, int]) -> NDArray[np.float16]:
    """Return an image as at most 256 numbers: mean and deviation of each channel of its features over the photo.

    With more than 128 channels, both are projected to 128 numbers by fixed random directions, which keep distances
    about as they are (Johnson and Lindenstrauss, 1984).

    Parameters
    ----------
    features : ndarray, shape (C, h, w)
        Of the square that the encoder sees: the photo at its top left, padding right of it or below.
    size_hw : tuple of int
        Height and width of the photo.
    """
    channels, rows, columns = features.shape
    longest = max(size_hw)
    inside = features[
        :, : max(1, round(rows * size_hw[0] / longest)), : max(1, round(columns * size_hw[1] / longest))
    ].astype(np.float32)
    told = np.stack([inside.mean((1, 2)), inside.std((1, 2))])
    half = MOST_NUMBERS // 2
    if channels > half:
        directions = np.random.default_rng(channels).standard_normal((channels, half)).astype(np.float32)
        told = told @ directions / np.sqrt(half)
    return np.asarray(np.clip(told.ravel(), -60000, 60000), np.float16)


def cluster_count(images: int) -> int:
    """Return into how many clusters so many images are divided: the root of their half, 12 at most.

    Examples
    --------
    >>> [cluster_count(images) for images in (7, 8, 30, 200, 10_000)]
    [1, 2, 4, 10, 12]
    """
    if images < FEWEST:
        return 1
    return max(2, min(MOST_CLUSTERS, images // PER_CLUSTER, round(math.sqrt(images / 2))))


@dataclass(frozen=True, slots=True)
class Clusters:
    """The middles of clusters, shape (K, D), of vectors that were moved by `shift` and divided by `scale`."""

    centres: Vectors
    shift: Vectors
    scale: Vectors

    def nearest(self, vectors: Vectors) -> NDArray[np.int64]:
        """Return the cluster of each vector, shape (N,)."""
        return _nearest((vectors - self.shift) / self.scale, self.centres)


def clustered(vectors: Vectors, count: int, *, seed: int = 0) -> Clusters:
    """Return k-means clusters (Lloyd, 1982) of vectors, shape (N, D), begun as k-means++ does; the same for a seed.

    Each number counts alike: it is divided by its deviation. The largest cluster is the first.
    """
    shift, scale = vectors.mean(0), vectors.std(0)
    scale = np.where(scale > 1e-6, scale, 1.0).astype(np.float32)
    points = (vectors - shift) / scale
    rng = np.random.default_rng(seed)
    centres = points[[int(rng.integers(len(points)))]]
    while len(centres) < min(count, len(points)):
        distances = _distances(points, centres).min(1)
        total = distances.sum()
        if total <= 1e-9:
            break  # fewer different images than clusters
        centres = np.vstack([centres, points[int(rng.choice(len(points), p=distances / total))]])
    members = _nearest(points, centres)
    for _ in range(_ROUNDS):
        sums = np.zeros(centres.shape, np.float64)
        np.add.at(sums, members, points)
        sizes = np.bincount(members, minlength=len(centres))
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres).astype(np.float32)
        again = _nearest(points, centres)
        if (again == members).all():
            break
        members = again
    order = np.argsort(-np.bincount(members, minlength=len(centres)), kind="stable")
    return Clusters(centres[order], shift.astype(np.float32), scale)


def _distances(points: Vectors, centres: Vectors) -> NDArray[np.float64]:
    """Return squared distances, shape (N, K)."""
    squared = (points.astype(np.float64) ** 2).sum(1)[:, None] + (centres.astype(np.float64) ** 2).sum(1)[None]
    distances = squared - 2 * points.astype(np.float64) @ centres.T.astype(np.float64)
    return np.asarray(np.maximum(0.0, distances), np.float64)


def _nearest(points: Vectors, centres: Vectors) -> NDArray[np.int64]:
    return np.asarray(_distances(points, centres).argmin(1), np.int64)


@dataclass(frozen=True, slots=True)
class Share:
    """How one group is represented.

    Attributes
    ----------
    counted, total : int
        Things of this group that were counted, of how many in all: annotated images, or masks.
    expected : float
        The share it should have, in [0, 1].
    ratio : float
        Its share over the expected one, both with two more things of the expected kind: 1 is even.
    reading : str
        "over" or "under" if the 95 % interval of its share leaves out the expected one, else "even".
    """

    counted: int
    total: int
    expected: float
    ratio: float
    reading: Reading

    @property
    def share(self) -> float:
        """The group's share of what was counted; 0 of nothing."""
        return self.counted / self.total if self.total else 0.0


def represented(counted: Sequence[int], expected: Sequence[float]) -> list[Share]:
    """Return how groups are represented that should have `expected` parts of what is counted, in any unit.

    The interval is Wilson's, so that three images are no finding.
    """
    total, whole = sum(counted), sum(expected)
    found = []
    for count, weight in zip(counted, expected, strict=True):
        part = weight / whole if whole else 0.0
        interval = wilson(count / total if total else 0.0, total)
        reading: Reading = "under" if interval.high < part else "over" if interval.low > part else "even"
        awaited = total * part
        ratio = (count + SMOOTHING * part) / (awaited + SMOOTHING * part) if part else 1.0
        found.append(Share(count, total, part, ratio, reading if total else "even"))
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may come next: its id, its cluster, and how many objects are left on it."""

    image_id: int
    cluster: int
    left: int


def most_left_first(candidates: Iterable[Candidate]) -> list[int]:
    """Return images, those with most left first, then by id."""
    return [one.image_id for one in sorted(candidates, key=lambda one: (-one.left, one.image_id))]


def next_order(candidates: Iterable[Candidate], images: Sequence[int], annotated: Sequence[int]) -> list[int]:
    """Return an order of images that evens out: always one of the cluster that is most under-represented so far.

    That is the one of which the smallest part is annotated, those taken before included. Within a cluster, and between
    clusters that stand alike, the image with most left comes first, then that of the smaller id.

    Parameters
    ----------
    candidates : iterable of Candidate
        Images that are not annotated.
    images, annotated : sequence of int
        How many images each cluster has, and how many of them are annotated.
    """
    waiting: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in candidates:
        waiting[one.cluster].append((-one.left, one.image_id))
    for members in waiting.values():
        members.sort(reverse=True)
    done = {cluster: annotated[cluster] for cluster in waiting}
    heap = [(Fraction(done[cluster], images[cluster]), *members[-1], cluster) for cluster, members in waiting.items()]
    heapq.heapify(heap)
    order = []
    while heap:
        _, _, image_id, cluster = heapq.heappop(heap)
        order.append(image_id)
        waiting[cluster].pop()
        done[cluster] += 1
        if waiting[cluster]:
            heapq.heappush(heap, (Fraction(done[cluster], images[cluster]), *waiting[cluster][-1], cluster))
    return order
