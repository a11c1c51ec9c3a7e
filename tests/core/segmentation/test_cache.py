"""The embedding cache: bounded in memory, whole on disk, built once."""

import threading
from pathlib import Path

import numpy as np
import pytest

from core.segmentation.cache import KIND, EmbeddingCache, cache_key
from core.segmentation.protocol import Embedding
from storage.files import FileStore

SIZE = 1000


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def key(number: int) -> str:
    return cache_key(f"{number:064x}", "e" * 64)


def embedding(number: int) -> Embedding:
    return Embedding((10, 10), "e" * 64, {"features": np.full(SIZE, number, np.uint8)})


def number_in(found: Embedding | None) -> int | None:
    return None if found is None else int(found.arrays["features"][0])


class Builder:
    """Counts how often it is asked; can be made to wait for an event."""

    def __init__(self, number: int, gate: threading.Event | None = None) -> None:
        self.number, self.gate, self.calls = number, gate, 0
        self.begun = threading.Event()

    def __call__(self) -> Embedding:
        self.calls += 1
        self.begun.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        return embedding(self.number)


def test_memory_stays_within_its_bytes_and_what_was_used_last_stays(files: FileStore) -> None:
    cache = EmbeddingCache(files, memory_bytes=3 * SIZE)
    for number in range(3):
        cache.get_or_build(key(number), Builder(number), keep=False)
    cache.get(key(0))
    cache.get_or_build(key(3), Builder(3), keep=False)
    assert cache.memory_bytes == 3 * SIZE
    assert [number_in(cache.get(key(number))) for number in range(4)] == [0, None, 2, 3]


def test_an_embedding_larger_than_the_bound_is_answered_and_not_held(files: FileStore) -> None:
    cache = EmbeddingCache(files, memory_bytes=SIZE - 1)
    assert number_in(cache.get_or_build(key(7), Builder(7))) == 7
    assert cache.memory_bytes == 0
    assert number_in(cache.get(key(7))) == 7


def test_holding_the_same_embedding_again_does_not_count_twice(files: FileStore) -> None:
    cache = EmbeddingCache(files, memory_bytes=5 * SIZE)
    for _ in range(4):
        cache.put(key(1), embedding(1))
    assert cache.memory_bytes == SIZE


def test_a_restart_reads_the_same_value_from_disk_and_builds_nothing(files: FileStore) -> None:
    first = EmbeddingCache(files, memory_bytes=10 * SIZE).get_or_build(key(5), Builder(5))
    later, again = EmbeddingCache(files, memory_bytes=10 * SIZE), Builder(6)
    assert later.has(key(5))
    found = later.get_or_build(key(5), again)
    assert again.calls == 0
    assert found.to_bytes() == first.to_bytes()


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "sound checksum over garbage"])
def test_a_damaged_entry_is_rebuilt(files: FileStore, damage: str) -> None:
    EmbeddingCache(files, memory_bytes=10 * SIZE).put(key(5), embedding(5))
    path = files.path(KIND, key(5))
    data = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(data[:-50] + bytes([data[-50] ^ 1]) + data[-49:])
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "emptied":
        path.write_bytes(b"")
    else:
        files.put_named(KIND, key(5), b"PK\x03\x04 no archive")
    builder = Builder(5)
    assert number_in(EmbeddingCache(files, memory_bytes=10 * SIZE).get_or_build(key(5), builder)) == 5
    assert builder.calls == 1
    assert number_in(EmbeddingCache(files, memory_bytes=10 * SIZE).get(key(5))) == 5


def test_many_callers_of_one_key_wait_for_a_single_build(files: FileStore) -> None:
    cache = EmbeddingCache(files, memory_bytes=10 * SIZE)
    gate = threading.Event()
    builder = Builder(3, gate)
    found: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(number_in(cache.get_or_build(key(3), builder)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    assert builder.begun.wait(10)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert builder.calls == 1
    assert found == [3] * 16


def test_a_build_of_one_key_does_not_hold_up_another(files: FileStore) -> None:
    cache = EmbeddingCache(files, memory_bytes=10 * SIZE)
    gate = threading.Event()
    slow = Builder(1, gate)
    thread = threading.Thread(target=lambda: cache.get_or_build(key(1), slow))
    thread.start()
    assert slow.begun.wait(10)
    assert number_in(cache.get_or_build(key(2), Builder(2))) == 2
    gate.set()
    thread.join(10)


def test_a_build_that_fails_leaves_nothing_and_the_next_one_is_tried(files: FileStore) -> None:
    cache = EmbeddingCache(files, memory_bytes=10 * SIZE)

    def broken() -> Embedding:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        cache.get_or_build(key(4), broken)
    assert not cache._building
    assert not cache.has(key(4))
    assert number_in(cache.get_or_build(key(4), Builder(4))) == 4


def test_a_disk_that_cannot_be_written_still_answers_from_memory(files: FileStore) -> None:
    files.root.mkdir(parents=True)
    (files.root / KIND).write_text("a file where the folder should be")
    cache, builder = EmbeddingCache(files, memory_bytes=10 * SIZE), Builder(8)
    assert number_in(cache.get_or_build(key(8), builder)) == 8
    assert number_in(cache.get_or_build(key(8), builder)) == 8
    assert builder.calls == 1
