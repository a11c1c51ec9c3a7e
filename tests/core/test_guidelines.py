"""Guidelines and their pictures: taken in as photos are, without what a camera noted, and never lost to another."""

from io import BytesIO

import pytest
from PIL import Image

from core import auditing, guidelines, projects
from core.errors import Conflict, Forbidden, InvalidImage, InvalidInput, NotFound
from core.project_settings import MOST_GUIDELINES, MOST_PICTURES, GuidelinePicture, ProjectSettings
from core.workshop import Library
from tests.conftest import photo, square
from tests.core.conftest import accept


def jpeg_with_notes() -> bytes:
    """Return a photo on its side, of which the camera has noted the place and somebody a remark."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretCam"
    exif.get_ifd(0x8825)[1] = "N"
    buffer = BytesIO()
    Image.new("RGB", (40, 20), "teal").save(buffer, "JPEG", exif=exif, comment=b"secret remark")
    return buffer.getvalue()


def test_a_picture_loses_what_the_camera_noted_and_stands_upright(library: Library) -> None:
    data = jpeg_with_notes()
    assert b"SecretCam" in data
    assert b"secret remark" in data
    (kept,) = guidelines.add_picture(library, "../my (best) photo.jpg", data).guideline_pictures
    assert kept.name == "my-best-photo.jpg"
    found = guidelines.picture(library, kept.sha256)
    assert b"SecretCam" not in found
    assert b"secret remark" not in found
    with Image.open(BytesIO(found)) as picture:
        assert picture.size == (20, 40)
        assert not picture.getexif()


def test_a_picture_of_the_same_name_takes_the_others_place_and_can_be_removed(library: Library) -> None:
    first = guidelines.add_picture(library, "a.png", photo(1)).guideline_pictures
    second = guidelines.add_picture(library, "a.png", photo(2)).guideline_pictures
    assert [one.name for one in second] == ["a.png"]
    assert first != second
    with pytest.raises(NotFound):
        guidelines.picture(library, first[0].sha256)
    assert guidelines.remove_picture(library, "a.png").guideline_pictures == ()
    assert guidelines.remove_picture(library, "a.png").guideline_pictures == ()


def test_what_is_no_picture_or_one_too_many_is_refused(library: Library) -> None:
    with pytest.raises(InvalidImage, match="must be JPEG, PNG, WebP, TIFF or BMP"):
        guidelines.add_picture(library, "a.svg", b"<svg onload='alert(1)'/>")
    many = [{"name": f"{number}.png", "sha256": f"{number:064x}"} for number in range(MOST_PICTURES)]
    projects.change_settings(library, {"guideline_pictures": many})
    with pytest.raises(InvalidInput, match="at most 40 pictures"):
        guidelines.add_picture(library, "a.png", photo(1))
    annotator = library.for_person(library.person_id, "annotator")
    with pytest.raises(Forbidden):
        guidelines.remove_picture(annotator, "a.png")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"by_hand_share": 0.6}, "the share outlined by hand must be from 0 to 0.5, got 0.6"),
        ({"overlap_share": -0.1}, "the share of images done twice must be from 0 to 1, got -0.1"),
        ({"audit_rate": float("nan")}, "the audit rate must be from 0 to 1, got nan"),
        ({"audit_rate": None}, "the audit rate must be from 0 to 1, got None"),
        ({"checks_off": ["magic"]}, r"must be of small, islands, .*, got \['magic'\]"),
        ({"checks_off": [["small"]]}, "must be of small, islands"),
        ({"checks_off": "small"}, "must be of small, islands"),
        ({"guidelines": "x" * (MOST_GUIDELINES + 1)}, "at most 20,000 characters, got 20001"),
        ({"guidelines": 5}, "at most 20,000 characters, got 5"),
        ({"guideline_pictures": [{"name": "a"}]}, "must each have a name and a hash"),
        ({"guideline_pictures": [{"name": "a", "sha256": "../x"}]}, "must have the hash of a file"),
        ({"guideline_pictures": [{"name": "a", "sha256": "0" * 64}] * 2}, "must have a name of its own"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(library: Library, changes: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        projects.change_settings(library, changes)
    assert projects.settings(library) == ProjectSettings()


def test_settings_are_the_same_after_a_way_through_json() -> None:
    made = ProjectSettings(
        label_names=("cup",),
        checks_off=("small", "rough"),
        overlap_share=0.25,
        guidelines="# A",
        guideline_pictures=(GuidelinePicture("a.png", "0" * 64),),
    )
    assert ProjectSettings.from_json(made.to_json()) == made
    assert ProjectSettings.from_json({}) == ProjectSettings()


def test_nobodys_change_is_undone_unseen(library: Library) -> None:
    shown = projects.settings(library)
    projects.change_settings(library, {"min_area": 7}, shown=shown)
    projects.change_settings(library, {"skip_limit_s": 60}, shown=shown)
    with pytest.raises(Conflict, match="min_area was changed by somebody else meanwhile"):
        projects.change_settings(library, {"min_area": 8, "labels": True}, shown=shown)
    projects.change_settings(library, {"min_area": 7}, shown=shown)  # as it is by now
    assert projects.settings(library) == ProjectSettings(min_area=7, skip_limit_s=60)


def test_an_audit_rate_says_how_many_masks_are_still_to_be_drawn(stocked: Library) -> None:
    assert auditing.due(stocked) is None
    projects.change_settings(stocked, {"audit_rate": 0.5})
    for number in range(5):
        accept(stocked, f"k{number}", square(x=20 * number, side=15))
    assert auditing.due(stocked) == 3
    auditing.begin(stocked, auditing.Asked(count=2), seed=1)
    assert auditing.due(stocked) == 1
