"""A migrated database with one image, and masks to put on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import images, migrate, people, projects
from storage.engine import Engines, make_engines
from storage.rows import NewImage


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a project, a person and an image, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "test.db"
    made = make_engines(f"sqlite:///{path}")
    migrate.upgrade(made)
    with made.writing() as session:
        projects.first_or_create("Test", {}, session=session)
        people.get_or_create("owner", session=session)
        images.insert(new_image("a.jpg", 0), session=session)
    made.dispose()
    return path


@pytest.fixture
def engines(migrated: Path, tmp_path: Path) -> Iterator[Engines]:
    made = make_engines(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
    yield made
    made.dispose()


def new_image(name: str, number: int) -> NewImage:
    return NewImage(1, name, f"{number:064x}", "1" * 64, "2" * 64, 8, 6, 80, 60, "JPEG", 1000)
