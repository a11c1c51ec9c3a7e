"""Files on S3 or what speaks like it: a put is atomic there, so nothing is renamed and nothing is left half-written."""

from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import StorageError

try:
    from botocore.exceptions import BotoCoreError
    from s3fs import S3FileSystem
except ImportError as error:
    raise StorageError("files on S3 need s3fs, which is not installed; install masksmith[s3]") from error


class Bucket:
    """A bucket, or a part of one, as a place for files.

    Keys, region and endpoint are those that AWS's own tools take: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a
    profile, or the machine's role; AWS_ENDPOINT_URL for another service than Amazon's.

    Parameters
    ----------
    address : str
        s3://bucket or s3://bucket/prefix.

    Raises
    ------
    StorageError
        If the address names none, or it does not exist or does not let us in.
    """

    def __init__(self, address: str) -> None:
        scheme, _, rest = address.partition("://")
        self._root = rest.strip("/")
        bucket = self._root.partition("/")[0]
        if scheme != "s3" or not bucket:
            raise StorageError(f"files must be in a folder or at an address like s3://bucket/prefix, got {address!r}")
        self.address = f"s3://{self._root}"
        # Other processes write, too: what a listing said before is not believed, and a file is read by one request.
        self._fs = S3FileSystem(use_listings_cache=False, skip_instance_cache=True, max_concurrency=1)
        with self._telling():
            try:
                self._fs.call_s3("head_bucket", Bucket=bucket)
            except FileNotFoundError as error:
                raise StorageError(f"the bucket {bucket} must exist, but does not") from error

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or None if there is none."""
        with self._telling():
            try:
                return bytes(self._fs.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Put a file: readers see the old one or the new one."""
        with self._telling():
            self._fs.pipe_file(self._path(name), data)

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has, or None if there is none."""
        with self._telling():
            try:
                bucket, _, key = self._path(name).partition("/")
                return int(self._fs.call_s3("head_object", Bucket=bucket, Key=key)["ContentLength"])
            except FileNotFoundError:
                return None

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._telling():
            self._fs.rm_file(self._path(name))

    def sweep(self) -> int:
        """Return 0: a put that was cut off leaves nothing."""
        return 0

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise StorageError(f"the keys must be allowed to use {self.address}, but are refused: {error}") from error
        except (OSError, BotoCoreError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise StorageError(f"the file store {self.address} must answer, got: {said}") from error
