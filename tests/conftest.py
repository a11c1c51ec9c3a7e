"""What many tests stand on: small photos and masks, and a library in a folder of its own."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

from core.settings import Settings
from core.workshop import Library, open_library

# The same examples on every machine and no clock: a failure is a failure for everybody.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


HEIGHT, WIDTH = 90, 120


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
