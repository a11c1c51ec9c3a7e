"""Surveys in the database: fresh or not, streamed, ranked."""

from dataclasses import replace

import numpy as np
import pytest

from core.quality.coverage import BANDS
from storage import images, masks, saving, surveys
from storage.engine import Engines
from storage.rows import NewSurvey
from tests.storage.conftest import new_image
from tests.storage.test_masks import new_mask

MODEL, ENCODER = "m" * 64, "e" * 64


def new_survey(image_id: int, left: int = 3, mask_ids: tuple[int, ...] = ()) -> NewSurvey:
    vector = np.full(4, image_id, "<f2").tobytes()
    spread = {"bands": [left, 0, 0], "places": [left] + [0] * 8}
    return NewSurvey(
        1, image_id, MODEL, ENCODER, mask_ids, left, left, 0.5, 0.9, {"size": [6, 8], "left": []}, spread, vector
    )


@pytest.fixture
def five(engines: Engines) -> Engines:
    """A library of five images, of which 1 to 4 have surveys with 1, 9, 9 and 0 left."""
    with engines.writing() as session:
        for number in range(2, 6):
            images.insert(new_image(f"{number}.jpg", number), session=session)
        for image_id, left in ((1, 1), (2, 9), (3, 9), (4, 0)):
            surveys.put(new_survey(image_id, left), session=session)
    return engines


def waiting(engines: Engines, model: str = MODEL) -> list[int]:
    with engines.reading() as session:
        found = surveys.to_do(1, model, session=session, after=0, limit=9)
        assert len(found) == surveys.count_to_do(1, model, session=session)
    return found


def test_a_survey_is_fresh_while_the_image_has_the_same_masks(five: Engines) -> None:
    assert waiting(five) == [5]
    with five.writing() as session:
        mask_id, _ = saving.insert(new_mask("k"), session=session)
    assert waiting(five) == [1, 5]
    with five.writing() as session:
        assert not surveys.some([1, 2, 5], session=session)[1].is_fresh
        assert surveys.some([1, 2, 5], session=session)[2].is_fresh
        assert surveys.totals(1, session=session).fresh == 3
        surveys.put(new_survey(1, 0, (mask_id,)), session=session)
    assert waiting(five) == [5]
    with five.writing() as session:
        masks.delete("k", session=session)
        saving.insert(new_mask("other"), session=session)
    assert waiting(five) == [1, 5], "as many masks as before, but another one"
    with five.writing() as session:
        masks.delete("other", session=session)
        masks.restore("k", session=session)
    assert waiting(five) == [5]


def test_another_model_surveys_anew_and_the_old_survey_is_replaced(five: Engines) -> None:
    assert waiting(five, "n" * 64) == [1, 2, 3, 4, 5]
    with five.writing() as session:
        surveys.put(replace(new_survey(2, 4), content_hash="n" * 64), session=session)
        assert surveys.some([2], session=session)[2].left_over == 4
        assert surveys.totals(1, session=session).surveyed == 4
    assert waiting(five, "n" * 64) == [1, 3, 4, 5]


def test_deleted_images_are_left_alone(five: Engines) -> None:
    with five.writing() as session:
        images.soft_delete([2, 5], session=session)
        found = surveys.totals(1, session=session)
    assert (found.images, found.surveyed, found.left_over) == (3, 3, 10)
    assert waiting(five) == []


def test_pages_with_most_left_first_hold_each_surveyed_image_once(five: Engines) -> None:
    with five.reading() as session:
        pages = [images.most_left(1, session=session, limit=2, offset=offset) for offset in (0, 2, 4)]
        assert images.count_surveyed(1, session=session) == 4
        found = images.most_left(1, session=session, limit=9, search="2.JPG", state="new")
    assert [[row.id for row in page] for page in pages] == [[3, 2], [1, 4], []]
    assert [row.id for row in found] == [2]


def test_the_queue_goes_by_place_and_then_as_imported(five: Engines) -> None:
    with five.writing() as session:
        images.set_places(1, [3, 1], session=session)
    with five.reading() as session:
        whole = [row.id for row in images.queue(1, session=session, limit=9)]
        paged = []
        after = None
        while page := images.queue(1, session=session, limit=2, after=after):
            paged += [row.id for row in page]
            after = page[-1].id
    assert whole == paged == [3, 1, 2, 4, 5]
    with five.writing() as session:
        images.set_places(1, [4], session=session)
        assert [row.id for row in images.queue(1, session=session, limit=9)] == [4, 1, 2, 3, 5]


def test_vectors_come_back_as_they_were_kept(five: Engines) -> None:
    with five.reading() as session:
        assert surveys.newest_encoder(1, session=session) == ENCODER
        pages = list(surveys.summaries(1, ENCODER, session=session))
        assert list(surveys.summaries(1, "f" * 64, session=session)) == []
    assert [np.frombuffer(vector, "<f2").tolist() for _, vector in pages[0]] == [[n] * 4 for n in (1, 2, 3, 4)]


def test_clusters_have_their_first_images_as_samples(five: Engines) -> None:
    with five.writing() as session:
        ids = [one.survey_id for one in surveys.standings(1, session=session)]
        surveys.set_clusters([(ids[0], 0), (ids[1], 1), (ids[2], 0), (ids[3], 0)], session=session)
        assert surveys.of_cluster(1, 0, session=session, limit=2) == [1, 3]
        surveys.put(new_survey(1, 0), session=session)
        assert surveys.of_cluster(1, 0, session=session, limit=9) == [1, 3, 4], "a new survey keeps its place"
        surveys.put(replace(new_survey(1, 0), encoder_hash="f" * 64), session=session)
        assert surveys.of_cluster(1, 0, session=session, limit=9) == [3, 4], "but not by another encoder"


def test_masks_are_counted_by_size_and_place(five: Engines) -> None:
    # Images are 8 x 6: a mask of 1 pixel covers 2 %, one of 20 more than 40 %.
    with five.writing() as session:
        for key, area, bbox in (("a", 1, (0, 0, 1, 1)), ("b", 1, (7, 5, 1, 1)), ("c", 20, (1, 1, 6, 4))):
            saving.insert(replace(new_mask(key), area=area, bbox=bbox), session=session)
        saving.insert(replace(new_mask("gone"), area=20), session=session)
        masks.delete("gone", session=session)
        found = surveys.mask_spread(1, BANDS, session=session)
    assert sorted((one.band, one.place, one.masks) for one in found) == [(1, 0, 1), (1, 8, 1), (2, 4, 1)]
