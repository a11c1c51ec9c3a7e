"""What can go wrong while keeping things."""

import errno


class StorageError(Exception):
    """The database or the files cannot be read or written; nothing was half-saved."""


class DiskFull(StorageError):
    """There is no room for what was to be kept."""


class CorruptFile(StorageError):
    """A stored file's bytes no longer match the hash it was stored under."""


class MissingRow(StorageError, LookupError):
    """No row has this id or key."""


def unwritable(what: str, error: OSError) -> StorageError:
    """Return what to raise of `what` that could not be written."""
    kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else StorageError
    return kind(f"{what} must be writable, got: {error.strerror}")
