"""What many tests stand on: a library in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from core.workshop import Library, open_library


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    return Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}")


@pytest.fixture
def library(settings: Settings) -> Iterator[Library]:
    """An empty library."""
    opened = open_library(settings, samples=False)
    yield opened
    opened.close()
