"""What many tests stand on: small photos and masks, and a library in a folder of its own."""

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

from core.importing import import_bytes
from core.segmentation.catalogue import GRABCUT
from core.segmentation.sam_modules import segment_anything
from core.settings import Settings
from core.workshop import Library, choose_model, open_library

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


def checkpoint_of(name: str, path: Path) -> Path:
    """Write a checkpoint of one of Meta's models with nothing but zeros, each array one number long on disk."""
    with torch.device("meta"):
        wanted = segment_anything().sam_model_registry[name]().state_dict()
    torch.save({key: torch.zeros(1).expand(value.shape) for key, value in wanted.items()}, path)
    return path


def settings_of(data: Path) -> Settings:
    return Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}")


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without photos, to be copied: migrating anew takes most of a small test's time.

    GrabCut is chosen in it, which loads at once and answers the same on every machine.
    """
    data = tmp_path_factory.mktemp("empty") / "data"
    library = open_library(settings_of(data), samples=False)
    choose_model(library, GRABCUT, None)
    library.close()
    return data


@pytest.fixture(scope="session")
def filled(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three photos, to be copied."""
    data = tmp_path_factory.mktemp("filled") / "data"
    shutil.copytree(empty, data)
    library = open_library(settings_of(data), samples=False)
    uploads = [(f"photo-{number}.png", photo(number)) for number in (1, 2, 3)]
    report = import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    library.close()
    assert report.imported == 3
    return data


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "data")


@pytest.fixture
def library(empty: Path, settings: Settings) -> Iterator[Library]:
    """An empty library."""
    shutil.copytree(empty, settings.data)
    opened = open_library(settings, samples=False)
    yield opened
    opened.close()


@pytest.fixture
def stocked(filled: Path, settings: Settings) -> Iterator[Library]:
    """A library of three photos, with the ids 1, 2 and 3."""
    shutil.copytree(filled, settings.data)
    opened = open_library(settings, samples=False)
    yield opened
    opened.close()
