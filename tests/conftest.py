"""What many tests stand on: small photos and masks, and a library in a folder of its own."""

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

from core.crew.on_ray import RayCrew
from core.importing import import_bytes
from core.segmentation.catalogue import GRABCUT
from core.segmentation.sam_modules import segment_anything
from core.settings import Settings
from core.workshop import Library, choose_model, open_library
from tests.cluster import running_cluster
from tests.postgresql import Server, running_server
from tests.s3 import S3, running_s3

# The same examples on every machine and no clock: a failure is a failure for everybody.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


HEIGHT, WIDTH = 90, 120
DATABASES = ("sqlite", "postgresql")


def photo(number: int) -> bytes:
    """Return a PNG of one bright disk on a dull ground; each number is another photo."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.full((HEIGHT, WIDTH, 3), 50 + 10 * number, np.uint8)
    pixels[(rows - 45) ** 2 + (columns - 60) ** 2 < 30**2] = (210, 90, 40)
    return png(pixels)


def png(pixels: np.ndarray) -> bytes:
    """Return RGB pixels as a PNG file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def square(x: int = 10, y: int = 20, side: int = 20) -> np.ndarray:
    """Return a mask of the photos' size with one square in it."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + side, x : x + side] = True
    return mask


def checkpoint_of(name: str, path: Path) -> Path:
    """Write a checkpoint of one of Meta's models with nothing but zeros, each array one number long on disk."""
    with torch.device("meta"):
        wanted = segment_anything().sam_model_registry[name]().state_dict()
    torch.save({key: torch.zeros(1).expand(value.shape) for key, value in wanted.items()}, path)
    return path


def settings_of(data: Path, database_url: str | None = None) -> Settings:
    return Settings(data=data, database_url=database_url or f"sqlite:///{data / 'masksmith.db'}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that are marked so on both databases; the others run on SQLite."""
    marked = {mark.name for mark in metafunc.definition.iter_markers()}
    if "database" in metafunc.fixturenames and "both_databases" in marked and "sqlite_only" not in marked:
        metafunc.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which of `DATABASES` keeps the test's library."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """PostgreSQL, started when the first test asks for it."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def cluster() -> Iterator[RayCrew]:
    """A Ray cluster, started when the first test asks for it."""
    with running_cluster() as crew:
        yield crew


@pytest.fixture(scope="session")
def running_s3_server() -> Iterator[S3]:
    with running_s3() as running:
        yield running


@pytest.fixture
def s3(running_s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """A server that speaks S3, which this process uses."""
    for name, value in running_s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return running_s3_server


def make_empty(settings: Settings) -> None:
    """Make a library without photos. GrabCut is chosen in it: it loads at once and answers the same everywhere."""
    library = open_library(settings, samples=False)
    choose_model(library, GRABCUT, None)
    library.close()


def fill(settings: Settings) -> None:
    """Put three photos into a library."""
    library = open_library(settings, samples=False)
    uploads = [(f"photo-{number}.png", photo(number)) for number in (1, 2, 3)]
    report = import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    library.close()
    assert report.imported == 3


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without photos, to be copied: migrating anew takes most of a small test's time."""
    data = tmp_path_factory.mktemp("empty") / "data"
    make_empty(settings_of(data))
    return data


@pytest.fixture(scope="session")
def filled(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three photos, to be copied."""
    data = tmp_path_factory.mktemp("filled") / "data"
    shutil.copytree(empty, data)
    fill(settings_of(data))
    return data


@pytest.fixture(scope="session")
def empty_there(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database on PostgreSQL with the rows of `empty`, to be copied."""
    make_empty(settings_of(tmp_path_factory.mktemp("empty") / "data", server.make("empty")))
    return "empty"


@pytest.fixture(scope="session")
def filled_there(server: Server, empty_there: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database on PostgreSQL with the rows of `filled`, to be copied."""
    fill(settings_of(tmp_path_factory.mktemp("filled") / "data", server.make("filled", template=empty_there)))
    return "filled"


@pytest.fixture
def settings(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> Settings:
    """Where the test's library is to be: nothing is there yet."""
    there = request.getfixturevalue("server").make() if database == "postgresql" else None
    return settings_of(tmp_path / "data", there)


@pytest.fixture
def stock(settings: Settings, database: str, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Puts a copy of the library `empty` or `filled` where the test's library is to be."""

    def copy(name: str) -> None:
        shutil.copytree(request.getfixturevalue(name), settings.data)
        if database == "postgresql":
            (settings.data / "masksmith.db").unlink()
            template = request.getfixturevalue(f"{name}_there")
            request.getfixturevalue("server").fill(settings.database_url, template=template)

    return copy


@pytest.fixture
def library(stock: Callable[[str], None], settings: Settings) -> Iterator[Library]:
    """An empty library."""
    stock("empty")
    opened = open_library(settings, samples=False)
    yield opened
    opened.close()


@pytest.fixture
def stocked(stock: Callable[[str], None], settings: Settings) -> Iterator[Library]:
    """A library of three photos, with the ids 1, 2 and 3."""
    stock("filled")
    opened = open_library(settings, samples=False)
    yield opened
    opened.close()
