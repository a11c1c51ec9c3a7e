"""The background encoder: ahead, replaceable, and unbroken by the death of its process."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from core.segmentation.background import BackgroundEncoder
from core.segmentation.cache import KIND, EmbeddingCache, cache_key
from core.segmentation.catalogue import TINY, SegmenterSpec, load_segmenter
from core.segmentation.protocol import Segmenter
from storage.files import FileStore, open_files
from tests.s3 import S3

SPEC = SegmenterSpec(name=TINY, device="cpu")
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load_segmenter(SPEC)


class Bench:
    """Three stored photos, and an encoder that works on them."""

    def __init__(self, root: Path, segmenter: Segmenter) -> None:
        self.files = FileStore(root)
        self.key = lambda image: cache_key(image, segmenter.encoder_key)
        self.images = [self._photo(number) for number in range(3)]
        self.encoder = BackgroundEncoder(SPEC, str(root), is_ready=self.ready)

    def _photo(self, number: int) -> str:
        rng = np.random.default_rng(number)
        picture = Image.fromarray(rng.integers(0, 255, (90 + number, 120, 3), np.uint8))
        path = self.files.root / "photo.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
        return self.files.put("working", path.read_bytes())

    def ready(self, image: str) -> bool:
        return self.files.exists(KIND, self.key(image))


@pytest.fixture
def bench(tmp_path: Path, segmenter: Segmenter) -> Iterator[Bench]:
    made = Bench(tmp_path / "files", segmenter)
    yield made
    made.encoder.close()


def pixels(bench: Bench, image: str) -> np.ndarray:
    with Image.open(bench.files.path("working", image)) as picture:
        return np.asarray(picture.convert("RGB"))


def until(encoder: BackgroundEncoder, condition: Callable[[], bool]) -> None:
    with encoder._wake:
        assert encoder._wake.wait_for(condition, PATIENCE_S)


def test_images_on_s3_are_encoded_ahead_and_kept_there(s3: S3, segmenter: Segmenter, bench: Bench) -> None:
    address = s3.make_bucket("photos")
    files = open_files(address)
    image = files.put("working", bench.files.get("working", bench.images[0]))
    encoder = BackgroundEncoder(SPEC, address, is_ready=lambda _: False)
    try:
        encoder.set_queue([image])
        assert encoder.wait_idle(PATIENCE_S)
    finally:
        encoder.close()
    kept = EmbeddingCache(files, memory_bytes=10**8).get(bench.key(image))
    assert kept is not None
    assert (kept.size_hw, kept.encoder_key) == (pixels(bench, image).shape[:2], segmenter.encoder_key)


def test_images_are_encoded_ahead_under_the_key_that_prompts_look_for(bench: Bench, segmenter: Segmenter) -> None:
    bench.encoder.set_queue(bench.images[:2])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert [bench.ready(image) for image in bench.images] == [True, True, False]
    cache = EmbeddingCache(bench.files, memory_bytes=10**8)
    for image in bench.images[:2]:
        ahead = cache.get(bench.key(image))
        assert ahead is not None
        here = segmenter.encode(pixels(bench, image))
        assert ahead.size_hw == here.size_hw
        assert ahead.encoder_key == here.encoder_key
        difference = ahead.arrays["features"].astype(float) - here.arrays["features"].astype(float)
        assert np.abs(difference).max() < 0.01


def test_the_process_has_low_priority(bench: Bench) -> None:
    bench.encoder.set_queue(bench.images[:1])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.encoder._process is not None
    assert psutil.Process(bench.encoder._process.pid).nice() >= 10


def test_after_its_process_is_killed_the_next_image_is_encoded(bench: Bench) -> None:
    bench.encoder.set_queue(bench.images[:1])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.encoder._process is not None
    first = bench.encoder._process
    os.kill(first.pid, signal.SIGSTOP)  # it takes the next image in hand and never finishes
    bench.encoder.set_queue(bench.images[1:])
    until(bench.encoder, lambda: bench.encoder.working_on() == bench.images[1])
    os.kill(first.pid, signal.SIGKILL)
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert [bench.ready(image) for image in bench.images] == [True, False, True]
    bench.encoder.set_queue(bench.images)
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.ready(bench.images[1])


def test_a_newer_queue_replaces_the_older_one_but_for_the_image_in_hand(bench: Bench) -> None:
    bench.encoder.set_queue(bench.images[:1])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.encoder._process is not None
    os.kill(bench.encoder._process.pid, signal.SIGSTOP)
    gone = "f" * 64  # no such file: reaching it would be an error, not an image
    bench.encoder.set_queue([bench.images[1], gone])
    until(bench.encoder, lambda: bench.encoder.working_on() == bench.images[1])
    bench.encoder.set_queue([bench.images[1], bench.images[2]])
    assert list(bench.encoder._queues.values()) == [[bench.images[2]]]
    os.kill(bench.encoder._process.pid, signal.SIGCONT)
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert all(bench.ready(image) for image in bench.images)


def test_each_person_has_a_queue_and_they_take_turns(bench: Bench) -> None:
    bench.encoder.set_queue(bench.images[:1])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.encoder._process is not None
    os.kill(bench.encoder._process.pid, signal.SIGSTOP)
    bench.encoder.set_queue([bench.images[1], "a" * 64, "b" * 64], client="ann")
    until(bench.encoder, lambda: bench.encoder.working_on() == bench.images[1])
    bench.encoder.set_queue([bench.images[2], "c" * 64], client="ben")
    with bench.encoder._wake:
        order = [bench.encoder._next() for _ in range(4)]
    assert order == ["a" * 64, bench.images[2], "b" * 64, "c" * 64]
    os.kill(bench.encoder._process.pid, signal.SIGCONT)
    assert bench.encoder.wait_idle(PATIENCE_S)


def test_an_image_that_cannot_be_read_does_not_end_the_process(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.encoder.set_queue(["f" * 64, bench.images[0]])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.ready(bench.images[0])
    assert "could not be encoded ahead" in caplog.text
    assert bench.encoder._restarts == 0


def test_closing_while_an_image_is_in_hand_leaves_no_process(bench: Bench) -> None:
    bench.encoder.set_queue(bench.images)
    until(bench.encoder, lambda: bench.encoder.working_on() is not None)
    bench.encoder.close()
    assert bench.encoder._process is None or bench.encoder._process.poll() is not None
    assert not bench.encoder._thread.is_alive()
    bench.encoder.set_queue(bench.images)
    assert bench.encoder._process is None or bench.encoder._process.poll() is not None


def test_deaths_are_forgiven_once_an_image_is_encoded(bench: Bench) -> None:
    bench.encoder.set_queue(bench.images[:1])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.encoder._process is not None
    bench.encoder._process.kill()
    bench.encoder._process.wait()
    bench.encoder.set_queue(bench.images[1:])
    assert bench.encoder.wait_idle(PATIENCE_S)
    assert bench.ready(bench.images[2])
    assert bench.encoder._restarts == 0
