"""A library whose files are on S3: imported, annotated, exported, and nothing of it in the data folder."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import annotating
from core import library as looking
from core.exporting import export
from core.importing import import_bytes
from core.segmentation.catalogue import STARTER
from core.segmentation.heads import head_bytes, head_of
from core.settings import Settings, from_environment
from core.workshop import Workshop, choose_model, open_library, open_workshop
from storage.errors import StorageError
from tests.conftest import photo, square
from tests.core.conftest import accept
from tests.s3 import S3


@pytest.fixture
def there(settings: Settings, s3: S3) -> Settings:
    return replace(settings, files_url=f"{s3.make_bucket('photos')}/library")


@pytest.fixture
def shop(there: Settings) -> Iterator[Workshop]:
    """A library of two photos in which the starter answers."""
    opened = open_library(there, samples=False)
    choose_model(opened, STARTER, None)
    uploads = [(f"{number}.png", photo(number)) for number in (1, 2)]
    report = import_bytes(uploads, engines=opened.engines, files=opened.files, project_id=opened.project_id)
    assert report.imported == 2
    opened.close()
    shop = open_workshop(there, samples=False)
    yield shop
    shop.close()


def test_photos_are_imported_annotated_and_exported(shop: Workshop, s3: S3, tmp_path: Path) -> None:
    looking.open_image(shop, 1, prefetch=[2])
    accept(shop, "k", square())
    report = export(shop, tmp_path / "out", format="coco")
    assert (report.masks, report.differing) == (1, 0)
    (copied,) = [path for path in (tmp_path / "out").rglob("*1*") if path.suffix in (".jpg", ".png")]
    with Image.open(copied) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), shop.working_pixels(image_hash(shop, 1)))
    kinds = Counter(name.split("/")[1] for name in s3.names("photos"))
    assert kinds == {"originals": 2, "working": 2, "thumbs": 2}
    assert [path for path in shop.settings.data.iterdir() if not path.name.startswith("masksmith.db")] == []


def image_hash(shop: Workshop, image_id: int) -> str:
    return looking.image(shop, image_id).working_sha256


def test_retrained_weights_are_loaded_from_there(shop: Workshop) -> None:
    head = shop.files.put("checkpoints", head_bytes(head_of(shop.desk.segmenter)))
    choose_model(shop, STARTER, None, head)
    again = open_workshop(shop.settings, samples=False)
    assert again.trouble is None
    again.close()


def test_a_photo_that_is_gone_is_told(shop: Workshop) -> None:
    shop.files.delete("working", image_hash(shop, 2))
    with pytest.raises(StorageError, match="must be in the store, but is missing"):
        looking.open_image(shop, 2, prefetch=[])
    annotating.set_state(shop, 2, "done")


def test_without_its_bucket_a_library_is_not_opened_and_nothing_is_made(settings: Settings, s3: S3) -> None:
    s3.make_bucket("photos")
    with pytest.raises(StorageError, match="the bucket nowhere must exist, but does not"):
        open_library(replace(settings, files_url="s3://nowhere"))
    assert list(settings.data.iterdir()) == []


def test_the_environment_says_where_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_environment({"MASKSMITH_FILES": "there"}).files == str(tmp_path / "there")
    assert from_environment({"MASKSMITH_DATA": str(tmp_path)}).files == str(tmp_path / "files")
    assert from_environment({"MASKSMITH_FILES": "s3://bucket/a"}).files == "s3://bucket/a"
