"""A migrated database with one image, and masks to put on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import images, migrate, people, projects
from storage.engine import Engines, make_engines
from storage.rows import NewImage


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    made = make_engines(f"sqlite:///{tmp_path / 'test.db'}")
    migrate.upgrade(made)
    with made.writing() as session:
        projects.first_or_create("Test", {}, session=session)
        people.get_or_create("owner", session=session)
        images.insert(new_image("a.jpg", 0), session=session)
    yield made
    made.dispose()


def new_image(name: str, number: int) -> NewImage:
    return NewImage(1, name, f"{number:064x}", "1" * 64, "2" * 64, 8, 6, 80, 60, "JPEG", 1000)
