"""Putting other files in the place of an image's, and deleting what nothing shows any more."""

import logging
from typing import Any

from core.segmentation.cache import KIND as EMBEDDINGS
from core.segmentation.cache import cache_key
from storage import discarded, images
from storage.engine import Engines
from storage.files import FileStore

log = logging.getLogger(__name__)


def replace(image_id: int, *, working_sha256: str, thumb_sha256: str, session: Any) -> bool:
    """Show an image, and its copies in rounds, by other files from now on; return whether they are others at all.

    The new files must be in the store. The old ones are noted; `discard` deletes them once this is committed.
    """
    old = images.files_of(image_id, session=session)
    if (old.working_sha256, old.thumb_sha256) == (working_sha256, thumb_sha256):
        return False
    copies = images.copies(image_id, session=session)
    images.set_files(copies, working_sha256=working_sha256, thumb_sha256=thumb_sha256, session=session)
    note(old.working_sha256, old.thumb_sha256, session=session)
    return True


def note(working_sha256: str, thumb_sha256: str, *, session: Any) -> None:
    """Note files to be deleted; those that an image uses when it comes to that are left."""
    discarded.note("working", working_sha256, session=session)
    discarded.note("thumbs", thumb_sha256, session=session)


def discard(engines: Engines, files: FileStore) -> None:
    """Delete what was noted and no image uses, with the embeddings made of it.

    A process that was killed before this leaves the note, so the next one deletes the files.
    """
    with engines.reading() as session:
        noted = discarded.every(session=session)
        encoders = discarded.encoders(session=session) if noted else []
    for kind, sha256 in noted:
        # Under the writers' lock, so that nobody begins to use a file while it goes.
        with engines.writing() as session:
            if not discarded.in_use(sha256, session=session):
                try:
                    files.delete(kind, sha256)
                    for encoder in encoders:
                        files.delete(EMBEDDINGS, cache_key(sha256, encoder))
                except OSError as error:
                    log.warning("the %s file %s… must be deleted, but cannot be: %s", kind, sha256[:12], error.strerror)
                    continue
            discarded.forget(kind, sha256, session=session)
