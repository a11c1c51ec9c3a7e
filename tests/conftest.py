"""What many tests stand on: a library in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from core.settings import Settings
from core.workshop import Library, open_library

# The same examples on every machine and no clock: a failure is a failure for everybody.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


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
