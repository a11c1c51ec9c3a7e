"""Files on a server that speaks S3."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import CorruptFile, StorageError
from storage.files import FileStore, open_files
from tests.s3 import S3


@pytest.fixture
def address(s3: S3) -> str:
    return f"{s3.make_bucket('photos')}/of/ada"


@pytest.fixture
def files(address: str) -> FileStore:
    return open_files(address)


def overwrite(s3: S3, kind: str, name: str, data: bytes) -> None:
    s3.client.put_object(Bucket="photos", Key=f"of/ada/{kind}/{name[:2]}/{name}", Body=data)


def test_bytes_are_kept_under_their_hash_and_forgotten(files: FileStore, s3: S3) -> None:
    data = bytes(range(256)) * 40
    sha256 = files.put("originals", data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert s3.names("photos") == [f"of/ada/originals/{sha256[:2]}/{sha256}"]
    assert (files.exists("originals", sha256), files.get("originals", sha256)) == (True, data)
    assert not files.exists("working", sha256)
    files.delete("originals", sha256)
    files.delete("originals", sha256)
    assert not files.exists("originals", sha256)
    with pytest.raises(StorageError, match="must be in the store, but is missing"):
        files.get("originals", sha256)
    assert s3.names("photos") == []
    assert files.sweep() == 0


def test_what_another_process_keeps_is_seen_at_once(files: FileStore, address: str) -> None:
    other, key = open_files(address), "ab" * 32
    assert files.get_named("embeddings", key) is None
    other.put_named("embeddings", key, b"first")
    assert files.get_named("embeddings", key) == b"first"
    other.put_named("embeddings", key, b"second")
    assert files.get_named("embeddings", key) == b"second"
    other.delete("embeddings", key)
    assert not files.exists("embeddings", key)


def test_an_empty_file_and_a_large_one_come_back(files: FileStore) -> None:
    for data in (b"", bytes(120 * 2**20)):  # the large one goes up in parts
        assert files.get("checkpoints", files.put("checkpoints", data)) == data


def test_changed_bytes_are_noticed_and_mended(files: FileStore, s3: S3) -> None:
    sha256 = files.put("working", b"good")
    overwrite(s3, "working", sha256, b"evil")
    with pytest.raises(CorruptFile, match="must match its hash"):
        files.get("working", sha256)
    files.put("working", b"good")
    assert files.get("working", sha256) == b"good"
    files.put_named("embeddings", sha256, b"good")
    overwrite(s3, "embeddings", sha256, b"evil")
    with pytest.raises(CorruptFile, match="checksum"):
        files.get_named("embeddings", sha256)


def test_a_copy_on_this_machine_is_made_once_and_made_anew_when_damaged(files: FileStore, tmp_path: Path) -> None:
    sha256 = files.put("checkpoints", b"weights")
    path = files.local("checkpoints", sha256, copies=tmp_path)
    assert path.read_bytes() == b"weights"
    files.delete("checkpoints", sha256)
    assert files.local("checkpoints", sha256, copies=tmp_path).read_bytes() == b"weights"
    path.write_bytes(b"nonsense")
    files.put("checkpoints", b"weights")
    assert files.local("checkpoints", sha256, copies=tmp_path).read_bytes() == b"weights"
    assert not files.local("checkpoints", "0" * 64, copies=tmp_path).exists()
    with pytest.raises(StorageError, match="must be in a folder to have paths"):
        files.path("checkpoints", sha256)


def test_a_bucket_that_is_not_there_is_named(s3: S3) -> None:
    with pytest.raises(StorageError, match=r"^the bucket nowhere must exist, but does not$"):
        open_files("s3://nowhere/a")


@pytest.mark.parametrize("address", ["s3://", "s3:///", "gs://bucket/a", "https://bucket"])
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(StorageError, match=r"^files must be in a folder or at an address like s3://bucket/prefix"):
        open_files(address)


@pytest.fixture
def strict(s3: S3, files: FileStore) -> Iterator[None]:
    s3.check_keys(True)
    yield
    s3.check_keys(False)


def test_wrong_keys_are_told_in_a_sentence(address: str, files: FileStore, strict: None) -> None:
    with pytest.raises(StorageError, match=r"^the keys must be allowed to use s3://photos/of/ada, but are refused"):
        open_files(address)
    with pytest.raises(StorageError, match=r"^the keys must be allowed to use s3://photos/of/ada, but are refused"):
        files.get("working", "a" * 64)
    with pytest.raises(StorageError, match=r"^the keys must be allowed to use s3://photos/of/ada, but are refused"):
        files.put("working", b"data")


def test_a_server_that_is_not_there_and_missing_keys_are_told_in_a_sentence(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"^the file store s3://photos must answer, got: Could not connect"):
        open_files("s3://photos")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageError, match=r"^the file store s3://photos must answer, got: "):
        open_files("s3://photos")
