"""What can go wrong while keeping things."""


class StorageError(Exception):
    """The database or the files cannot be read or written; nothing was half-saved."""


class CorruptFile(StorageError):
    """A stored file's bytes no longer match the hash it was stored under."""


class MissingRow(StorageError, LookupError):
    """No row has this id or key."""
