"""The loop as a program runs it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.targets import target_photo
from core.assisted import Assist, AssistedAnnotator
from core.errors import InvalidInput
from core.segmentation.protocol import Mask
from core.settings import Settings
from storage import masks
from tests.conftest import png


@pytest.fixture
def annotator(settings: Settings) -> Iterator[AssistedAnnotator]:
    with AssistedAnnotator("grabcut", settings=settings) as made:
        yield made


def test_what_is_accepted_is_kept_with_its_prompts_and_model(annotator: AssistedAnnotator, tmp_path: Path) -> None:
    photo = target_photo(4)
    path = tmp_path / "target.png"
    path.write_bytes(png(photo.image))
    rows, columns = np.nonzero(photo.masks[0])
    centre = (float(columns.mean()), float(rows.mean()), 1)

    def human(assist: Assist) -> Iterator[Mask]:
        assert assist.image.shape == photo.image.shape
        assist.prompt([centre])
        second = assist.prompt([centre, (5.0, 5.0, 0)])
        yield second[1].mask()
        yield photo.masks[1]

    first, by_hand = annotator.annotate_image(path, human)
    with annotator.shop.engines.reading() as session:
        kept, painted = (masks.get(one.mask_id, session=session) for one in (first, by_hand))
    assert [(p.kind, p.x, p.label) for p in kept.prompts] == [("point", centre[0], 1), ("point", 5.0, 0)]
    assert kept.prompts[0].at_ms <= kept.prompts[1].at_ms
    assert (kept.candidate_rank, kept.edited) == (1, False)
    assert kept.model_version_id is not None
    assert kept.predicted_iou is not None
    assert (painted.candidate_rank, painted.edited, painted.prompts) == (None, True, ())
    again = annotator.annotate_image(path, lambda assist: [photo.masks[2]])
    with annotator.shop.engines.reading() as session:
        assert masks.get(again[0].mask_id, session=session).image_id == kept.image_id, "one photo, one image"


def test_what_cannot_be_meant_is_told(annotator: AssistedAnnotator) -> None:
    with pytest.raises(InvalidInput, match="must be"):
        annotator.annotate_image(b"no photo", lambda assist: [])
    data = png(target_photo(4).image)
    with pytest.raises(InvalidInput, match="a point must lie in the image of 640 x 480"):
        annotator.annotate_image(data, lambda assist: [assist.prompt([(900.0, 5.0, 1)])[0].mask()])
    with pytest.raises(InvalidInput):
        annotator.annotate_image(data, lambda assist: [np.ones((3, 4), bool)])


def test_retraining_says_why_it_cannot_be(settings: Settings) -> None:
    with (
        AssistedAnnotator("starter", settings=settings) as annotator,
        pytest.raises(InvalidInput, match="must have at least 10 masks accepted, got 0"),
    ):
        annotator.retrain_model()
