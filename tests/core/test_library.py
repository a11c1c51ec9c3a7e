"""Looking at the library: pages, search, one image with all that belongs to it, and the first start."""

from collections.abc import Iterator

import pytest

from core import annotating, library, skipping
from core.samples import NAMES
from core.settings import Settings
from core.workshop import Library, Workshop, choose_model, chosen_spec, open_library, open_workshop
from storage import images, settings_store
from storage.errors import MissingRow
from tests.conftest import square
from tests.core.conftest import accept

pytestmark = pytest.mark.both_databases


@pytest.fixture
def shop(stocked: Library) -> Iterator[Workshop]:
    opened = open_workshop(stocked.settings)
    yield opened
    opened.close()


def ids(found: list[library.Entry]) -> list[int]:
    return [entry.image.id for entry in found]


def test_pages_end_where_the_images_end(shop: Workshop) -> None:
    first = library.page(shop, limit=2, after=None, state=None)
    assert (ids(first.images), first.next) == ([1, 2], 2)
    last = library.page(shop, limit=2, after=first.next, state=None)
    assert (ids(last.images), last.next) == ([3], None)


def test_deleted_images_leave_no_gap_in_a_page(shop: Workshop) -> None:
    assert library.delete(shop, [2, 99]) == 1
    assert library.delete(shop, [2]) == 0
    found = library.page(shop, limit=2, after=None, state=None)
    assert (ids(found.images), found.next) == ([1, 3], None)


def test_images_are_found_by_name_and_state(shop: Workshop) -> None:
    annotating.set_state(shop, 3, "done")

    def find(search: str | None, state: str | None = None, offset: int = 0) -> tuple[int, list[int]]:
        found = library.find(shop, search=search, state=state, limit=2, offset=offset)
        return found.total, [row.id for row in found.images]

    assert find(None) == (3, [1, 2])
    assert find(None, offset=2) == (3, [3])
    assert find("PHOTO-2") == (1, [2])
    assert find("photo", "done") == (1, [3])
    assert find("_") == (0, [])


def test_a_view_has_all_that_belongs_to_the_image(shop: Workshop) -> None:
    accept(shop, "k", square())
    annotating.keep_work(shop, 1, "o", {"points": [1]})
    skipping.skip(shop, 1, "s", object_key="p", reason="hard", state={}, times={})
    accept(shop, "other", square(), image_id=2)
    seen = library.view(shop, 1)
    assert (seen.entry.image.masks, seen.entry.image.skips, seen.entry.image.has_work) == (1, 1, True)
    assert [mask.key for mask in seen.masks] == ["k"]
    assert [skip.key for skip in seen.skips] == ["s"]
    assert seen.work is not None
    assert seen.work.object_key == "o"
    with pytest.raises(MissingRow, match="image 99"):
        library.view(shop, 99)


def test_opening_an_image_makes_prompts_ready(shop: Workshop) -> None:
    sha256 = library.image(shop, 1).working_sha256
    assert not shop.desk.is_ready(sha256)
    assert library.open_image(shop, 1, prefetch=[2, 3, 99]) >= 0
    assert shop.desk.is_ready(sha256)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"\xff\xd8\xff\xe0", "image/jpeg"), (b"\x89PNG\r\n", "image/png"), (b"<script>", "application/octet-stream")],
)
def test_the_media_type_is_that_of_the_bytes(data: bytes, kind: str) -> None:
    assert library.media_type(data) == kind


def count(settings: Settings) -> int:
    opened = open_library(settings)
    with opened.engines.reading() as session:
        found = images.count(opened.project_id, session=session)
    opened.close()
    return found


def test_the_first_start_brings_the_samples_and_later_ones_do_not_bring_them_back(settings: Settings) -> None:
    assert count(settings) == len(NAMES)
    opened = open_library(settings)
    library.delete(opened, list(range(1, len(NAMES) + 1)))
    opened.close()
    assert count(settings) == 0


def test_a_first_start_that_was_cut_off_is_gone_on_with(settings: Settings) -> None:
    library = open_library(settings)
    with library.engines.writing() as session:
        images.soft_delete([1], session=session)
        settings_store.put("samples", {"done": False}, session=session)
    library.close()
    library = open_library(settings)
    with library.engines.reading() as session:
        assert images.count(1, session=session) == len(NAMES)
    library.close()


def test_who_brings_photos_of_their_own_gets_no_samples(stocked: Library) -> None:
    assert count(stocked.settings) == 3


def test_the_environment_chooses_the_model_before_the_app_does(stocked: Library, settings: Settings) -> None:
    assert chosen_spec(stocked).name == "grabcut"
    choose_model(stocked, "vit_b", "/weights/b.pth")
    assert (chosen_spec(stocked).name, chosen_spec(stocked).path) == ("vit_b", "/weights/b.pth")
    stocked.settings = Settings(settings.data, settings.database_url, model="vit_l")
    assert chosen_spec(stocked).name == "vit_l"
    assert str(chosen_spec(stocked).path).endswith("models/sam_vit_l_0b3195.pth")
