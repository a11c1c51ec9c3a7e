"""Many rows at once come back as if they had been put in one by one."""

import pytest

from storage import bulk, images, masks, saving
from storage.engine import Engines
from storage.errors import StorageError
from storage.rows import Times
from tests.storage.conftest import new_image
from tests.storage.test_masks import new_mask


def test_ids_come_in_the_order_of_what_was_given(engines: Engines) -> None:
    with engines.writing() as session:
        added = bulk.add_images([new_image(f"{n}.jpg", n) for n in range(1, 40)], session=session)
        ids = bulk.add_masks([new_mask(f"k{n}", area=n, image_id=added[n % 39]) for n in range(1200)], session=session)
        one_more, created = saving.insert(new_mask("after"), session=session)
    assert created
    assert len(set(ids)) == 1200
    assert one_more not in ids
    with engines.reading() as session:
        assert [images.get(image_id, session=session).name for image_id in added] == [f"{n}.jpg" for n in range(1, 40)]
        for n in (0, 1, 38, 39, 1199):
            found = masks.get(ids[n], session=session)
            assert (found.key, found.area, found.image_id, found.counts) == (f"k{n}", n, added[n % 39], "0000")


def test_a_mask_put_in_in_bulk_is_as_one_that_was_accepted(engines: Engines) -> None:
    same = {"label": "cup", "predicted_iou": 0.9, "kept_iou": 0.8, "edited": True, "times": Times(1, 2, 3, 4)}
    with engines.writing() as session:
        (first,) = bulk.add_masks([new_mask("a", **same)], session=session)
        second, _ = saving.insert(new_mask("b", **same), session=session)
        a, b = (masks.get(mask_id, session=session) for mask_id in (first, second))
    names = [name for name in a.__slots__ if name not in ("id", "key", "object_key", "created_at")]
    assert {name: getattr(a, name) for name in names} == {name: getattr(b, name) for name in names}


def test_nothing_is_kept_of_a_block_with_a_key_that_is_taken(engines: Engines) -> None:
    with pytest.raises(StorageError, match=r"(?i)unique constraint"), engines.writing() as session:
        bulk.add_masks([new_mask("a"), new_mask("b"), new_mask("a")], session=session)
    with engines.writing() as session:
        assert bulk.add_masks([], session=session) == bulk.add_images([], session=session) == []
        assert masks.of_image(1, session=session) == []
