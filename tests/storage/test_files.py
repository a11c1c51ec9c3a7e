"""The file store: whole files or none, and never the wrong bytes."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import CorruptFile, StorageError
from storage.files import FileStore


@given(st.binary(max_size=5000))
@settings(max_examples=30)
def test_bytes_come_back_under_their_hash(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = FileStore(Path(folder))
        name = files.put("originals", data)
        assert name == hashlib.sha256(data).hexdigest()
        assert files.get("originals", name) == data
        files.put_named("embeddings", name, data)
        assert files.get_named("embeddings", name) == data


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    name = files.put("working", b"good")
    files.path("working", name).write_bytes(b"evil")
    with pytest.raises(CorruptFile, match="must match its hash"):
        files.get("working", name)
    files.put_named("embeddings", name, b"good")
    path = files.path("embeddings", name)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFile, match="checksum"):
        files.get_named("embeddings", name)


def test_keeping_the_same_bytes_again_mends_what_was_damaged(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    sha256 = files.put("originals", b"photo")
    files.path("originals", sha256).write_bytes(b"PHOTO")
    assert files.put("originals", b"photo") == sha256
    assert files.get("originals", sha256) == b"photo"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 63 + "/", "a" * 64 + "\n"])
def test_names_that_are_no_hash_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="64 hexadecimal digits"):
        FileStore(tmp_path).path("working", name)


def test_unknown_kinds_and_missing_files_are_named(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    with pytest.raises(StorageError, match="a kind of file must be one of"):
        files.path("secrets", "a" * 64)
    with pytest.raises(StorageError, match="is missing"):
        files.get("working", "a" * 64)
    assert files.get_named("embeddings", "a" * 64) is None


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = FileStore(tmp_path / "file" / "store")
    with pytest.raises(StorageError, match="must be writable"):
        files.put("working", b"data")


KILLED = """
import os, sys
from pathlib import Path
import storage.files as module
from storage.files import FileStore
files = FileStore(Path(sys.argv[1]))
os.replace = lambda *_: os._exit(9)
files.put("working", b"x" * 100000)
"""


def test_a_kill_before_the_rename_leaves_no_file(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 9
    files = FileStore(tmp_path)
    assert not files.exists("working", hashlib.sha256(b"x" * 100000).hexdigest())
    (left,) = [path for path in tmp_path.rglob("*.tmp") if path.is_file()]
    assert files.sweep() == 0, "another process may be writing it just now"
    os.utime(left, (0, 0))
    assert files.sweep() == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
