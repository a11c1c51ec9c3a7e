"""What the person who starts the app can choose, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import psutil

from core.errors import InvalidInput
from core.logs import Form

MIB = 1024 * 1024
LEAST_TOKEN: Final = 16
WORKER_BYTES: Final = 3 * 1024 * MIB
"""Memory for each worker of batch work: the largest model and a photo."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept and how much memory embeddings may take.

    Attributes
    ----------
    data : Path
        Folder of the database and of every file. Made when missing.
    database_url : str
        SQLAlchemy URL; a SQLite file in `data` unless DATABASE_URL says otherwise.
    model : str or None
        Name of the segmenter to use in place of the one chosen in the app.
    device : str
        "auto", "cpu" or "cuda".
    embedding_memory_bytes : int
        Upper bound of the embeddings held in memory; the rest is on disk.
    hosts : tuple of str
        Names besides addresses and this machine's own by which browsers may reach the server; lower case.
    sign_in : bool
        Whether people must sign in even before anybody has a password.
    provider : bool
        Whether people may sign in by an identity provider, and so must sign in. The server sets it: Streamlit's
        secrets say so, not the environment.
    log : str or None
        "json" or "text": a line for each request too; None: only what goes wrong, as Python writes it.
    metrics_token : str or None
        What a monitor on another machine must know to be told /metrics.
    detector : str or None
        What finds faces and number plates, as module:callable; None for the embedded cascades.
    files_url : str or None
        Address of the file store, s3://bucket/prefix or another folder; a folder in `data` if None.
    workers : int
        How many processes do batch work at once; with 1 it is done in the process that was asked for it.
    ray : str or None
        The Ray cluster that does batch work in their place: "auto", "local" or HOST:PORT.
    """

    data: Path
    database_url: str
    model: str | None = None
    device: str = "auto"
    embedding_memory_bytes: int = 512 * MIB
    hosts: tuple[str, ...] = ()
    sign_in: bool = False
    provider: bool = False
    log: Form | None = None
    metrics_token: str | None = field(default=None, repr=False)
    detector: str | None = None
    files_url: str | None = None
    workers: int = 1
    ray: str | None = None

    @property
    def files(self) -> str:
        """Address of the file store: a folder's path, or s3://bucket/prefix."""
        return self.files_url or str(self.data / "files")

    @property
    def models(self) -> Path:
        """Folder that checkpoints are downloaded to."""
        return self.data / "models"

    @property
    def exports(self) -> Path:
        """Folder that exports started in the browser are written to."""
        return self.data / "exports"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that the environment asks for.

    MASKSMITH_DATA, DATABASE_URL, MASKSMITH_FILES, MASKSMITH_MODEL, MASKSMITH_DEVICE, MASKSMITH_CACHE_MB,
    MASKSMITH_HOSTS, MASKSMITH_SIGN_IN, MASKSMITH_LOG, MASKSMITH_METRICS_TOKEN, MASKSMITH_DETECTOR, MASKSMITH_WORKERS
    and MASKSMITH_RAY are read.

    Raises
    ------
    InvalidInput
        If a variable has a value that cannot be meant.
    """
    data = Path(environ.get("MASKSMITH_DATA") or "data").expanduser().resolve()
    device = environ.get("MASKSMITH_DEVICE") or "auto"
    if device not in ("auto", "cpu", "cuda"):
        raise InvalidInput(f"MASKSMITH_DEVICE must be auto, cpu or cuda, got {device!r}")
    cache_mb = environ.get("MASKSMITH_CACHE_MB") or "512"
    if not cache_mb.isdecimal() or int(cache_mb) < 1:
        raise InvalidInput(f"MASKSMITH_CACHE_MB must be a whole number of at least 1, got {cache_mb!r}")
    files = environ.get("MASKSMITH_FILES") or None
    if files is not None and "://" not in files:
        files = str(Path(files).expanduser().resolve())
    sign_in = environ.get("MASKSMITH_SIGN_IN") or "auto"
    if sign_in not in ("on", "auto"):
        raise InvalidInput(f"MASKSMITH_SIGN_IN must be on or auto, got {sign_in!r}")
    log = environ.get("MASKSMITH_LOG") or None
    if log not in (None, "json", "text"):
        raise InvalidInput(f"MASKSMITH_LOG must be json or text, got {log!r}")
    token = environ.get("MASKSMITH_METRICS_TOKEN") or None
    if token is not None and len(token) < LEAST_TOKEN:
        raise InvalidInput(f"MASKSMITH_METRICS_TOKEN must have at least {LEAST_TOKEN} characters, got {len(token)}")
    workers = environ.get("MASKSMITH_WORKERS") or str(_to_spare())
    if not workers.isdecimal() or int(workers) < 1:
        raise InvalidInput(f"MASKSMITH_WORKERS must be a whole number of at least 1, got {workers!r}")
    return Settings(
        data=data,
        database_url=environ.get("DATABASE_URL") or f"sqlite:///{data / 'masksmith.db'}",
        model=environ.get("MASKSMITH_MODEL") or None,
        device=device,
        embedding_memory_bytes=int(cache_mb) * MIB,
        hosts=tuple(name.strip().lower() for name in environ.get("MASKSMITH_HOSTS", "").split(",") if name.strip()),
        sign_in=sign_in == "on",
        log=cast(Form | None, log),
        metrics_token=token,
        detector=environ.get("MASKSMITH_DETECTOR") or None,
        files_url=files,
        workers=int(workers),
        ray=environ.get("MASKSMITH_RAY") or None,
    )


def _to_spare() -> int:
    """Return for how many workers there is room, 1 at least: a core is for people's clicks, and each holds a model."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores - 1, psutil.virtual_memory().total // WORKER_BYTES))
