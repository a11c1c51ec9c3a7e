"""A migrated database with one image, and masks to put on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import images, migrate, people, projects
from storage.engine import Engines, make_engines
from storage.rows import NewImage
from tests.conftest import DATABASES
from tests.postgresql import Server


def prepare(engines: Engines) -> None:
    """Migrate, and put in a project, a person and an image."""
    migrate.upgrade(engines)
    with engines.writing() as session:
        projects.first_or_create("Test", {}, session=session)
        people.get_or_create("owner", session=session)
        images.insert(new_image("a.jpg", 0), session=session)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared SQLite database, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "test.db"
    made = make_engines(f"sqlite:///{path}")
    prepare(made)
    made.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_there(server: Server) -> str:
    """The name of a prepared database on PostgreSQL, to be copied."""
    made = make_engines(server.make("migrated"))
    prepare(made)
    made.dispose()
    return "migrated"


@pytest.fixture
def sqlite(migrated: Path, tmp_path: Path) -> Iterator[Engines]:
    made = make_engines(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
    yield made
    made.dispose()


@pytest.fixture
def postgresql(server: Server, migrated_there: str) -> Iterator[Engines]:
    made = make_engines(server.make(template=migrated_there))
    yield made
    made.dispose()


@pytest.fixture(params=DATABASES)
def engines(request: pytest.FixtureRequest) -> Engines:
    """A prepared database."""
    made: Engines = request.getfixturevalue(request.param)
    return made


@pytest.fixture(params=DATABASES)
def unmigrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    """A database without a table."""
    url = f"sqlite:///{tmp_path / 'new.db'}" if request.param == "sqlite" else request.getfixturevalue("server").make()
    made = make_engines(url)
    yield made
    made.dispose()


def new_image(name: str, number: int) -> NewImage:
    return NewImage(1, name, f"{number:064x}", "1" * 64, "2" * 64, 8, 6, 80, 60, "JPEG", 1000)
