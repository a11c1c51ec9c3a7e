"""The running app in one value: the library, its files, and the model that answers prompts."""

import copy
import logging
import threading
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import working_files
from core.attempts import Attempts
from core.errors import MasksmithError, ModelUnavailable
from core.page_hands import Hands, PageHands
from core.project_settings import ProjectSettings
from core.roles import Role, require
from core.samples import import_samples
from core.segmentation.background import BackgroundEncoder
from core.segmentation.cache import EmbeddingCache
from core.segmentation.catalogue import DEFAULT, GRABCUT, SegmenterSpec, load_segmenter, spec_of
from core.segmentation.desk import PromptDesk, model_name
from core.segmentation.protocol import Segmenter
from core.settings import Settings
from core.signs_of_life import SignsOfLife
from storage import events, migrate, model_versions, people, projects, settings_store
from storage import images as image_queries
from storage.engine import Engines, make_engines
from storage.errors import StorageError
from storage.files import FileStore, open_files
from storage.rows import ModelVersionRow

log = logging.getLogger(__name__)

OWNER = "owner"


SIGN_INS_OF_NAME, SIGN_INS_OF_ADDRESS, SIGN_INS_WITHIN_S = 10, 50, 15 * 60


@dataclass(slots=True)
class Library:
    """A data folder that is open: database, files, and the project and person that act on it.

    Opened, it acts for the owner, as whoever can read its files may do anything; `for_person` returns it in the hands
    of somebody who signed in.
    """

    settings: Settings
    engines: Engines
    files: FileStore
    project_id: int
    person_id: int
    role: Role = field(default="owner", kw_only=True)
    signed_in: bool = field(default=False, kw_only=True)
    sign_in_required: bool = field(default=False, kw_only=True)
    """Set for good once it is known; see `core.sign_in.required`."""
    attempts_of_name: Attempts = field(
        default_factory=lambda: Attempts(SIGN_INS_OF_NAME, SIGN_INS_WITHIN_S), kw_only=True, repr=False
    )
    attempts_of_address: Attempts = field(
        default_factory=lambda: Attempts(SIGN_INS_OF_ADDRESS, SIGN_INS_WITHIN_S), kw_only=True, repr=False
    )

    page_hands: PageHands = field(default_factory=PageHands, kw_only=True, repr=False)
    signs_of_life: SignsOfLife = field(default_factory=SignsOfLife, kw_only=True, repr=False)

    @property
    def hands(self) -> Hands:
        """In whose hands it is."""
        return Hands(self.person_id, self.role, self.signed_in)

    def for_person(self, person_id: int, role: Role) -> Self:
        """Return the same library, opened once and shared, in the hands of a person who signed in."""
        view = copy.copy(self)
        view.person_id, view.role, view.signed_in = person_id, role, True
        return view

    def at(self, project_id: int) -> Self:
        """Return the same library in another of its projects."""
        there = copy.copy(self)
        there.project_id = project_id
        return there

    def working_pixels(self, sha256: str) -> NDArray[np.uint8]:
        """Return a working image, RGB, shape (H, W, 3).

        Raises
        ------
        StorageError
            If it is missing or was changed on disk.
        """
        with Image.open(BytesIO(self.files.get("working", sha256))) as picture:
            return np.asarray(picture.convert("RGB"))

    def close(self) -> None:
        """Let go of the database."""
        self.engines.dispose()


@dataclass(slots=True)
class Workshop(Library):
    """A library with a model that answers prompts, as the server has it."""

    desk: PromptDesk
    background: BackgroundEncoder | None
    trouble: str | None = None
    """Why another model answers than the one that was chosen."""
    _closing: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> str:
        """Return the model's name, once database and model answer.

        Raises
        ------
        MasksmithError
            If one does not.
        """
        with self.engines.reading() as session:
            projects.get(self.project_id, session=session)
        return model_name(self.desk.segmenter)

    def close(self) -> None:
        """Stop the model's threads and processes and let go of the database."""
        with self._closing:
            self.desk.close()
            if self.background is not None:
                self.background.close()
                self.background = None
        self.engines.dispose()


def open_library(settings: Settings, *, samples: bool = True) -> Library:
    """Return the library of the data folder, made and filled with the sample photos if it is new.

    Raises
    ------
    StorageError
        If the folder or the database cannot be used.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the data folder {settings.data} must be writable, got: {error.strerror}") from error
    files = open_files(settings.files)
    files.sweep()
    engines = make_engines(settings.database_url)
    new = migrate.pending(engines)
    if new:
        migrate.upgrade(engines)
    files.keep_to_oneself("originals")
    working_files.discard(engines, files)
    with engines.writing() as session:
        project = projects.first_or_create("My photos", ProjectSettings().to_json(), session=session)
        owner = people.get_or_create(OWNER, role="owner", session=session)
        seeded = (settings_store.get("samples", session=session) or {}).get("done", False)
    library = Library(settings, engines, files, project.id, owner.id)
    if samples and not seeded:
        _seed(library)
    return library


def _seed(library: Library) -> None:
    """Put the sample photos in, once: who deletes them later is not given them again.

    A start that is cut off in between is gone on with by the next.
    """
    with library.engines.writing() as session:
        begun = settings_store.get("samples", session=session) is not None
        wanted = begun or image_queries.count(library.project_id, session=session) == 0
        settings_store.put("samples", {"done": not wanted}, session=session)
    if wanted:
        report = import_samples(engines=library.engines, files=library.files, project_id=library.project_id)
        if report.stopped:
            raise StorageError(report.stopped)
        with library.engines.writing() as session:
            settings_store.put("samples", {"done": True}, session=session)


def open_workshop(settings: Settings, *, samples: bool = True) -> Workshop:
    """Return the library with its chosen model loaded.

    A model chosen in the app that cannot be loaded is answered for by GrabCut: who could choose another
    one needs a server that runs.

    Raises
    ------
    ModelUnavailable
        If the model that the environment asks for cannot be loaded.
    """
    library = open_library(settings, samples=samples)
    spec, trouble = chosen_spec(library), None
    try:
        segmenter = load_segmenter(spec)
    except ModelUnavailable as error:
        if settings.model:
            library.close()
            raise
        trouble = f"The chosen model {spec.name} cannot answer: {error}. GrabCut answers in its place."
        log.error("%s", trouble)
        spec = SegmenterSpec(GRABCUT)
        segmenter = load_segmenter(spec)
    version_of(library, segmenter, spec)
    files = library.files
    cache = EmbeddingCache(files, memory_bytes=settings.embedding_memory_bytes)
    desk = PromptDesk(segmenter, cache, library.working_pixels)
    background = None
    if segmenter.keeps_embeddings:
        background = BackgroundEncoder(spec, files.address, is_ready=desk.is_ready)
    return Workshop(settings, library.engines, files, library.project_id, library.person_id, desk, background, trouble)


def chosen_spec(library: Library) -> SegmenterSpec:
    """Return which segmenter is to be used: the environment's, else the one chosen in the app, else the default."""
    with library.engines.reading() as session:
        chosen = settings_store.get("segmenter", session=session) or {}
    name = library.settings.model or chosen.get("name") or DEFAULT
    if chosen.get("name") != name:
        chosen = {}
    return spec_in(library, name, chosen.get("path"), chosen.get("head"))


def spec_in(library: Library, name: str, path: str | None, head: str | None = None) -> SegmenterSpec:
    """Return the spec of a model with the library's folders; `head` is the hash of retrained weights it keeps."""
    settings = library.settings
    return spec_of(
        name,
        Path(path) if path else None,
        models=settings.models,
        device=settings.device,
        head=library.files.local("checkpoints", head, copies=settings.data / "copies") if head else None,
    )


def choose_model(library: Library, name: str, path: str | None, head: str | None = None) -> None:
    """Use this model from the next start on, with the retrained weights of this hash if there are any.

    Raises
    ------
    Forbidden
        If the person may not.
    """
    require(library, "models")
    choice = {"name": name, "path": path, "head": head}
    with library.engines.writing() as session:
        settings_store.put("segmenter", choice, session=session)
        events.add("model", person_id=library.person_id, detail=choice, session=session)


def version_of(library: Library, segmenter: Segmenter, spec: SegmenterSpec) -> ModelVersionRow:
    """Return the version that the segmenter of a spec is, noted now if it has never answered here."""
    with library.engines.reading() as session:
        known = model_versions.by_hash(segmenter.content_hash, session=session)
    if known is not None:
        return known
    with library.engines.writing() as session:
        return model_versions.register(
            segmenter.name,
            content_hash=segmenter.content_hash,
            encoder_hash=segmenter.encoder_key,
            detail={
                "title": segmenter.title,
                "device": segmenter.device,
                "base": {"name": spec.name, "path": spec.path},
            },
            session=session,
        )


_shared: Workshop | None = None
_shared_lock = threading.Lock()


def open_shared(settings: Settings) -> Workshop:
    """Open the one workshop of this server."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = open_workshop(settings)
        return _shared


def shared() -> Workshop:
    """Return the one workshop of this server.

    Raises
    ------
    MasksmithError
        If the server has not opened it, or has closed it.
    """
    if _shared is None:
        raise MasksmithError("the server must have opened its library, but it has not; see its log")
    return _shared


def close_shared() -> None:
    """Close the one workshop of this server."""
    global _shared
    with _shared_lock:
        if _shared is not None:
            _shared.close()
        _shared = None
