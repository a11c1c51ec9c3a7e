"""A migrated database with one image, and masks to put on it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import images, migrate, people, projects
from storage.engine import Engines, make_engines
from storage.rows import NewImage


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


@pytest.fixture
def sqlite(migrated: Path, tmp_path: Path) -> Iterator[Engines]:
    made = make_engines(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
    yield made
    made.dispose()


@pytest.fixture
def engines(request: pytest.FixtureRequest) -> Iterator[Engines]:
    """A prepared database: SQLite, or what TEST_DATABASE_URL names, all of which is thrown away."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        yield request.getfixturevalue("sqlite")
        return
    made = make_engines(url)
    with made.writing() as session:
        session.connection().exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    prepare(made)
    yield made
    made.dispose()


def new_image(name: str, number: int) -> NewImage:
    return NewImage(1, name, f"{number:064x}", "1" * 64, "2" * 64, 8, 6, 80, 60, "JPEG", 1000)
