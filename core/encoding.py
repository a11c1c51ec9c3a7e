"""Encoding a library ahead, so that no image waits when it is opened; and what batch work sees of an image."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from core.crew.alone import Alone
from core.crew.protocol import Crew
from core.errors import FORESEEN, ModelUnavailable
from core.paging import check_limit
from core.segmentation.cache import KIND, EmbeddingCache, cache_key
from core.segmentation.protocol import Segmenter
from core.segmentation.sight import Sight
from core.segmentation.travelling import Model
from core.workshop import Library
from storage import images
from storage.errors import DiskFull
from storage.rows import ImageRow

_PAGE: Final = 200
Report = Callable[[int, int], None]
"""Called with (images gone through, of how many)."""


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """What a run came to: images encoded, those that were already, and those that could not be (with why)."""

    encoded: int
    known: int
    failed: tuple[tuple[int, str], ...]

    def sentence(self) -> str:
        """Return the result in words."""
        images = "1 image" if self.encoded == 1 else f"{self.encoded} images"
        said = f"{images} encoded, {self.known} were already."
        return said if not self.failed else f"{said} {len(self.failed)} could not be encoded."


def encode_library(
    library: Library,
    segmenter: Segmenter,
    *,
    limit: int | None = None,
    report: Report | None = None,
    crew: Crew | None = None,
) -> EncodeReport:
    """Encode the project's images that have no embedding by this encoder, in the order of import.

    Each is kept at once, so a run that is cut off loses none, and the next goes on with the rest.

    Parameters
    ----------
    limit : int, optional
        How many images to encode at most.
    report : callable, optional
        Told how far it is after each image; what it raises ends the run.
    crew : Crew, optional
        Who encodes; this process if not given.

    Raises
    ------
    InvalidInput
        If the limit is not at least 1.
    ModelUnavailable
        If the model's embeddings are not kept.
    DiskFull
        If there is no room for another.
    """
    check_limit(limit)
    if not segmenter.keeps_embeddings:
        raise ModelUnavailable(
            f"encoding ahead needs a model whose embeddings are kept, but {segmenter.name} encodes when it is asked"
        )
    with library.engines.reading() as session:
        total = images.count(library.project_id, session=session)
    passed, known, encoded, failed = 0, 0, 0, list[tuple[int, str]]()

    def missing() -> Iterator[ImageRow]:
        nonlocal known, passed
        begun = 0
        for image in _every(library):
            if library.files.exists(KIND, cache_key(image.working_sha256, segmenter.encoder_key)):
                known += 1
                passed += 1
            elif begun == limit:
                return
            else:
                begun += 1
                yield image

    def sight(image: ImageRow) -> Sight:
        return Sight(library.files.get("working", image.working_sha256))

    model = Model(segmenter)
    for image, outcome in (crew or Alone()).each(encoded_bytes, missing(), sight, model, gpu=model.on_gpu):
        try:
            key = cache_key(image.working_sha256, segmenter.encoder_key)
            library.files.put_named(KIND, key, outcome.result())
            encoded += 1
        except DiskFull:
            raise
        except FORESEEN as error:  # a photo that is damaged must not keep the others from being encoded
            failed.append((image.id, str(error)))
        passed += 1
        if report is not None:
            report(passed, total)
    return EncodeReport(encoded, known, tuple(failed))


def encoded_bytes(model: Model, sight: Sight) -> bytes:
    """Return an image's embedding as it is kept."""
    return model.segmenter.encode(sight.pixels()).to_bytes()


def sight_of(
    library: Library, segmenter: Segmenter, cache: EmbeddingCache | None, sha256: str, *, with_photo: bool = False
) -> Sight:
    """Return what a segmenter needs of an image: the embedding that is kept, or the photo to make it of.

    Raises
    ------
    StorageError
        If the photo is needed and its file is missing or damaged.
    """
    embedding = None
    if cache is not None and segmenter.keeps_embeddings:
        embedding = cache.get(cache_key(sha256, segmenter.encoder_key))
    photo = library.files.get("working", sha256) if with_photo or embedding is None else None
    return Sight(photo, embedding)


def keep(cache: EmbeddingCache | None, segmenter: Segmenter, sha256: str, made: bytes | None) -> None:
    """Keep an embedding that was made on the way, if it is one that is kept."""
    if cache is not None and made is not None:
        cache.keep(cache_key(sha256, segmenter.encoder_key), made)


def _every(library: Library) -> Iterator[ImageRow]:
    """Yield the project's images by page."""
    after: int | None = None
    while True:
        with library.engines.reading() as session:
            page = images.page(library.project_id, session=session, limit=_PAGE, after=after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id
