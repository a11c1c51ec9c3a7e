"""Model versions: which there are, which one answers, and letting another one answer."""

from dataclasses import dataclass
from typing import Any, Final

from core.errors import Conflict
from core.roles import require
from core.segmentation.catalogue import load_segmenter
from core.segmentation.protocol import Segmenter
from core.workshop import Library, Workshop, choose_model, chosen_spec, spec_in, version_of
from storage import model_versions
from storage.rows import ModelVersionRow

CHECKPOINTS: Final = "checkpoints"


@dataclass(frozen=True, slots=True)
class Made:
    """What a retraining made: weights of a head, the newest mask it knew of, and how it went."""

    head: bytes
    upto: int
    detail: dict[str, Any]


def register(library: Library, segmenter: Segmenter, parent: ModelVersionRow, made: Made) -> ModelVersionRow:
    """Keep a retrained version; its weights are on disk before anything names them."""
    base = _base_of(parent)
    head = library.files.put(CHECKPOINTS, made.head)
    with library.engines.writing() as session:
        return model_versions.register(
            segmenter.name,
            content_hash=segmenter.content_hash,
            encoder_hash=segmenter.encoder_key,
            parent_id=parent.id,
            detail={**made.detail, "title": segmenter.title, "head": head, "base": base, "upto": made.upto},
            session=session,
        )


def every(library: Library) -> list[ModelVersionRow]:
    """Return all versions, newest first."""
    with library.engines.reading() as session:
        return model_versions.every(session=session)


def get(library: Library, version_id: int) -> ModelVersionRow:
    """Return a version.

    Raises
    ------
    MissingRow
        If there is none.
    """
    with library.engines.reading() as session:
        return model_versions.get(version_id, session=session)


def answering(library: Library) -> ModelVersionRow:
    """Return the version that answers: in a server now, else from the next start on."""
    spec = chosen_spec(library)
    segmenter = library.desk.segmenter if isinstance(library, Workshop) else load_segmenter(spec)
    return version_of(library, segmenter, spec)


def promote(library: Library, version_id: int) -> ModelVersionRow:
    """Let a version answer: in a server at once, without encoding anything again; else from the next start on.

    Raises
    ------
    MissingRow
        If there is no such version.
    Conflict
        If it was measured to be worse than the one it was made of, or cannot be swapped in.
    ModelUnavailable
        If its weights cannot be loaded; the one that answers goes on.
    """
    version = get(library, version_id)
    verdict = version.detail.get("verdict") or {}
    if verdict.get("kind") == "worse":
        raise Conflict(f"a version must not be worse to be promoted, but {verdict.get('reason')}")
    return _answer_with(library, version)


def roll_back(library: Library) -> ModelVersionRow:
    """Let the version answer that the one answering now was made of.

    Raises
    ------
    Conflict
        If it was made of none, or cannot be swapped in.
    ModelUnavailable
        If its weights cannot be loaded.
    """
    now = answering(library)
    if now.parent_id is None:
        raise Conflict("a version must have been made of another one to be rolled back, but this one was not")
    return _answer_with(library, get(library, now.parent_id))


def loaded(library: Library, version: ModelVersionRow) -> Segmenter:
    """Return a version ready to answer.

    Raises
    ------
    Conflict
        If the files hold other weights than when it was noted.
    ModelUnavailable
        If its weights cannot be loaded.
    """
    base = _base_of(version)
    segmenter = load_segmenter(spec_in(library, base["name"], base.get("path"), version.detail.get("head")))
    if segmenter.content_hash != version.content_hash:
        raise Conflict(
            f"the weights must be those of version {version.content_hash[:12]}, "
            f"but the files now hold {segmenter.content_hash[:12]}"
        )
    return segmenter


def _answer_with(library: Library, version: ModelVersionRow) -> ModelVersionRow:
    require(library, "models")
    segmenter = loaded(library, version)
    if isinstance(library, Workshop) and segmenter.encoder_key != library.desk.segmenter.encoder_key:
        raise Conflict(
            "a version must have the image encoder of the one that answers; choose its model and start again"
        )
    base = _base_of(version)
    choose_model(library, base["name"], base.get("path"), version.detail.get("head"))
    if isinstance(library, Workshop):
        library.desk.set_segmenter(segmenter)
    return version


def _base_of(version: ModelVersionRow) -> dict[str, Any]:
    """Return the model whose head a version is: its name, and its checkpoint's path if that was chosen."""
    base: dict[str, Any] = version.detail.get("base") or {"name": version.name, "path": None}
    return base
