"""Masks of other tools in the library: where they come to lie, and that none counts before somebody accepts it."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from core import annotating, masks, proposals, reviewing
from core.errors import InvalidInput
from core.export_report import FORMATS
from core.exporting import export
from core.formats import archive
from core.importing import import_bytes
from core.importing_masks import import_masks
from core.reviewing import Verdict
from core.workshop import Library
from storage import audits, images, reviews
from storage import masks as mask_queries
from storage.rows import MaskRow
from tests.conftest import HEIGHT, WIDTH, photo, square
from tests.core.conftest import accept, events

pytestmark = pytest.mark.both_databases


def coco(path: Path, *drawn: np.ndarray, name: str = "photo-1.png", **changes: Any) -> Path:
    """Write a COCO file of one image with these masks."""
    height, width = drawn[0].shape
    document = {
        "images": [{"id": 1, "file_name": name, "width": width, "height": height}],
        "categories": [{"id": 4, "name": "cup"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 4, "segmentation": masks.encode(mask), **changes}
            for number, mask in enumerate(drawn)
        ],
    }
    path.write_text(json.dumps(document))
    return path


def of_image(library: Library, image_id: int = 1) -> list[MaskRow]:
    with library.engines.reading() as session:
        return mask_queries.of_image(image_id, session=session)


def counted(library: Library) -> tuple[int, int, int, int, int]:
    """Return how many masks count: of the project, of image 1, to review, to audit, to learn from."""
    with library.engines.reading() as session:
        return (
            images.progress(1, session=session).masks,
            images.get(1, session=session).masks,
            len(reviews.unreviewed(1, but_of=None, session=session, limit=99)),
            len(audits.auditable_ids(1, session=session)),
            len(list(mask_queries.learnable(1, session=session))),
        )


def test_imported_masks_are_proposals_that_count_for_nothing(stocked: Library, tmp_path: Path) -> None:
    accept(stocked, "mine", square(70, 50))
    report = import_masks(stocked, coco(tmp_path / "a.json", square(), square(60, 20)), format="coco")
    assert (report.masks, report.images, report.known, report.unread, report.reasons) == (2, 1, 0, 0, [])
    assert report.sentence() == "2 masks on 1 image taken in, to be kept, fixed or deleted."
    mine, *found = of_image(stocked)
    assert not proposals.is_proposal(mine)
    assert all(proposals.is_proposal(row) for row in found)
    assert [(row.origin, row.label, row.times.active_ms, row.model_version_id) for row in found] == [
        ("imported", "cup", 0, None)
    ] * 2
    assert np.array_equal(masks.decode({"size": [HEIGHT, WIDTH], "counts": found[0].counts}), square())
    (flag,) = found[0].flags
    assert (flag.name, flag.severity, flag.detail["record"]) == ("imported", "warning", "annotation 0 of a.json")
    assert flag.message == "Imported from a.json: keep it if it is right, else edit or delete it."
    assert counted(stocked) == (1, 1, 1, 1, 1)
    with stocked.engines.reading() as session:
        row = images.get(1, session=session)
        assert (row.proposals, images.progress(1, session=session).proposals) == (2, 2)
        assert reviews.flagged(1, but_of=None, session=session, limit=9) == [one.id for one in found]
    assert export(stocked, tmp_path / "out", format="coco").masks == 1
    assert ("import_masks", 1, None) in events(stocked)


def test_an_export_says_what_it_leaves_out(stocked: Library, tmp_path: Path) -> None:
    import_masks(stocked, coco(tmp_path / "a.json", square()), format="coco")
    report = export(stocked, tmp_path / "out", format="yolo")
    assert (report.masks, report.proposals) == (0, 1)
    assert "1 imported masks that nobody has accepted yet are left out." in report.sentence()


def test_keeping_one_accepts_it_and_taking_that_back_does_not_count_it_any_more(
    stocked: Library, tmp_path: Path
) -> None:
    import_masks(stocked, coco(tmp_path / "a.json", square()), format="coco")
    (row,) = of_image(stocked)
    annotating.resolve_flag(stocked, row.flags[0].id, "kept")
    assert counted(stocked) == (1, 1, 1, 1, 1)
    (kept,) = of_image(stocked)
    assert (kept.origin, kept.person_id) == ("imported", stocked.person_id)
    assert ("accept_import", 1, row.id) in events(stocked)
    with stocked.engines.reading() as session:
        assert images.get(1, session=session).state == "in_work"
    annotating.resolve_flag(stocked, row.flags[0].id, None)
    assert counted(stocked) == (0, 0, 0, 0, 0)


def test_a_fixed_one_is_an_accepted_mask_that_supersedes_it(stocked: Library, tmp_path: Path) -> None:
    import_masks(stocked, coco(tmp_path / "a.json", square()), format="coco")
    (row,) = of_image(stocked)
    accept(stocked, "fixed", square(12), supersedes=row.key, origin="imported", edited=True)
    (fixed,) = of_image(stocked)
    assert (fixed.origin, fixed.supersedes_id) == ("imported", row.id)
    assert counted(stocked) == (1, 1, 1, 1, 1)
    annotating.delete_mask(stocked, "fixed", revive=True)
    assert counted(stocked) == (0, 0, 0, 0, 0)
    assert proposals.is_proposal(of_image(stocked)[0])


def test_only_a_correction_of_an_imported_mask_can_be_imported_itself(stocked: Library) -> None:
    accept(stocked, "mine", square())
    for supersedes in (None, "mine"):
        with pytest.raises(InvalidInput, match="must correct an imported one to be imported itself"):
            accept(stocked, "other", square(40), origin="imported", supersedes=supersedes)


def test_a_reviewer_s_approval_accepts_and_taking_it_back_opens_the_question_again(
    stocked: Library, tmp_path: Path
) -> None:
    import_masks(stocked, coco(tmp_path / "a.json", square(), square(60)), format="coco")
    first, second = of_image(stocked)
    review = reviewing.give(stocked, "r1", Verdict(first.id, "approve"))
    reviewing.give(stocked, "r2", Verdict(second.id, "reject"))
    assert counted(stocked)[0] == 1
    reviewing.take_back(stocked, review)
    assert counted(stocked)[0] == 0
    assert reviewing.next_mask(stocked, "flagged") == first.id


def test_the_same_file_twice_adds_nothing_also_after_a_mask_was_rejected(stocked: Library, tmp_path: Path) -> None:
    path = coco(tmp_path / "a.json", square(), square(60, 20), square())
    first = import_masks(stocked, path, format="coco")
    assert (first.masks, first.known) == (2, 1)
    annotating.delete_mask(stocked, of_image(stocked)[0].id)
    again = import_masks(stocked, path, format="coco")
    assert (again.masks, again.known) == (0, 3)
    assert len(of_image(stocked)) == 1
    assert "3 there already" in again.sentence()


def large(library: Library, orientation: int = 1) -> tuple[np.ndarray, Path]:
    """Import a photo twice as large as working images are, and return a mask of its upright size."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (2000, 3000, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    picture.save(buffer, "JPEG", exif=exif, quality=30)
    import_bytes(
        [("large.jpg", buffer.getvalue())],
        engines=library.engines,
        files=library.files,
        project_id=library.project_id,
    )
    return np.zeros((2000, 3000), bool), Path("large.jpg")


def test_a_mask_of_the_photo_s_full_size_is_made_smaller_and_the_loss_is_said(library: Library, tmp_path: Path) -> None:
    mask, name = large(library)
    mask[200:600, 1000:1400] = True
    odd, speck = mask.copy(), np.zeros_like(mask)
    odd[:200] = False
    odd[601, 1000:1400] = True
    speck[7, 7] = True
    report = import_masks(library, coco(tmp_path / "a.json", mask, odd, speck, name=str(name)), format="coco")
    assert (report.masks, report.resized, report.vanished) == (2, 2, 1)
    first, _ = of_image(library)
    expected = np.zeros((1000, 1500), bool)
    expected[100:300, 500:700] = True
    assert np.array_equal(masks.decode({"size": [1000, 1500], "counts": first.counts}), expected)
    assert 0.99 < report.resized_iou < 1
    assert "2 masks made smaller with the photo: 99." in report.sentence()
    assert "1 mask too small for that left out." in report.sentence()


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_mask_drawn_on_the_photo_as_it_lies_is_turned_with_it(
    library: Library, tmp_path: Path, orientation: int
) -> None:
    mask, name = large(library, orientation)
    mask[:100, :300] = True
    report = import_masks(library, coco(tmp_path / "a.json", mask, name=str(name)), format="coco")
    assert (report.masks, report.turned, report.resized) == (1, 1, 1)
    (row,) = of_image(library)
    # Pillow turns a picture of the same pixels as every viewer does: that is where the mask must be.
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(buffer)))[::2, ::2] > 0
    assert np.array_equal(masks.decode({"size": [1500, 1000], "counts": row.counts}), upright)


def test_masks_of_another_size_are_refused_with_both_sizes(stocked: Library, tmp_path: Path) -> None:
    report = import_masks(stocked, coco(tmp_path / "a.json", np.ones((91, 120), bool)), format="coco")
    assert (report.masks, report.unmatched) == (0, 1)
    assert report.reasons == [
        "photo-1.png: masks must have the size of their photo 120 x 90 or of its working image 120 x 90, got 120 x 91"
    ]


def test_images_are_found_by_name_with_and_without_suffix_and_folders(stocked: Library, tmp_path: Path) -> None:
    for place, name in enumerate(("photo-1.png", "train/photo-1.png", "..\\photo-2.png", "photo-2")):
        report = import_masks(stocked, coco(tmp_path / "a.json", square(place), name=name), format="coco")
        assert report.masks == 1, name
    report = import_masks(stocked, coco(tmp_path / "a.json", square(), name="photo-9.png"), format="coco")
    assert report.reasons == ["photo-9.png must be the name of one image of the library, got none"]


def test_two_images_of_one_name_are_not_guessed_between(stocked: Library, tmp_path: Path) -> None:
    import_bytes(
        [("photo-1.png", photo(7))], engines=stocked.engines, files=stocked.files, project_id=stocked.project_id
    )
    report = import_masks(stocked, coco(tmp_path / "a.json", square()), format="coco")
    assert report.reasons == ["photo-1.png must be the name of one image of the library, got 2 of this name"]
    # The photo itself beside the file tells which.
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "photo-1.png").write_bytes(photo(7))
    assert import_masks(stocked, tmp_path / "a.json", format="coco").masks == 1
    assert len(of_image(stocked, 4)) == 1


def test_photos_of_one_name_in_several_folders_are_told_apart_or_refused(stocked: Library, tmp_path: Path) -> None:
    for folder, number in (("train", 5), ("val", 6)):
        (tmp_path / "photos" / folder).mkdir(parents=True)
        (tmp_path / "photos" / folder / "x.png").write_bytes(photo(number))
    for place, name in enumerate(("train/x.png", "val\\x.png", "val/x.png"), start=1):
        path = coco(tmp_path / "a.json", square(place), name=name)
        assert import_masks(stocked, path, format="coco", photos=tmp_path / "photos").masks == 1
    assert [len(of_image(stocked, image_id)) for image_id in (4, 5)] == [1, 2]
    path = coco(tmp_path / "a.json", square(9), name="x.png")
    report = import_masks(stocked, path, format="coco", photos=tmp_path / "photos")
    assert report.reasons == ["x.png must be the name of one photo, got 2 that differ"]


def test_two_photos_of_a_file_are_not_one_image_of_the_library(stocked: Library, tmp_path: Path) -> None:
    document = json.loads(coco(tmp_path / "a.json", square()).read_text())
    document["images"] = [{**document["images"][0], "id": n, "file_name": f"{n}/photo-1.png"} for n in (1, 2)]
    document["annotations"].append({**document["annotations"][0], "id": 5, "image_id": 2})
    (tmp_path / "a.json").write_text(json.dumps(document))
    report = import_masks(stocked, tmp_path / "a.json", format="coco")
    assert (report.masks, report.unmatched) == (1, 1)
    assert report.reasons == ["2/photo-1.png must be another image of the library than 1/photo-1.png, got the same"]


def test_a_name_that_leads_elsewhere_is_a_name_only(stocked: Library, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(photo(1))
    (tmp_path / "in").mkdir()
    for name in ("../secret.png", str(tmp_path / "secret.png"), "\0.png", "x" * 3000 + ".png"):
        report = import_masks(stocked, coco(tmp_path / "in" / "a.json", square(), name=name), format="coco")
        assert (report.masks, report.unmatched) == (0, 1)


def test_with_a_folder_of_photos_those_that_are_missing_are_imported(stocked: Library, tmp_path: Path) -> None:
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    (tmp_path / "photos" / "deep" / "new.png").write_bytes(photo(8))
    (tmp_path / "photos" / "bad.png").write_bytes(b"no photo")
    path = coco(tmp_path / "a.json", square(), name="new.png")
    assert import_masks(stocked, path, format="coco").unmatched == 1
    report = import_masks(stocked, path, format="coco", photos=tmp_path / "photos")
    assert (report.masks, report.photos.imported) == (1, 1)
    assert len(of_image(stocked, 4)) == 1
    again = import_masks(stocked, path, format="coco", photos=tmp_path / "photos")
    assert (again.masks, again.known, again.photos.imported) == (0, 1, 0)
    bad = coco(tmp_path / "b.json", square(), name="bad.png")
    report = import_masks(stocked, bad, format="coco", photos=tmp_path / "photos")
    assert (report.unmatched, report.photos.refused) == (1, 1)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_exported_comes_back_as_proposals_of_the_same_images(
    stocked: Library, tmp_path: Path, format: Any
) -> None:
    drawn = [square(10, 20, 30), square(50, 30, 20)]
    accept(stocked, "a", drawn[0], label="cup")
    accept(stocked, "b", drawn[1], image_id=3, label="big dish")
    export(stocked, tmp_path / "out", format=format)
    for row in (*of_image(stocked, 1), *of_image(stocked, 3)):
        annotating.delete_mask(stocked, row.id)
    report = import_masks(stocked, tmp_path / "out", format=format)
    assert (report.masks, report.images, report.reasons) == (2, 2, [])
    for image_id, mask, label in ((1, drawn[0], "cup"), (3, drawn[1], "big dish")):
        (row,) = of_image(stocked, image_id)
        assert np.array_equal(masks.decode({"size": [HEIGHT, WIDTH], "counts": row.counts}), mask)
        assert row.label == (None if format == "sa1b" else label)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def test_a_zip_file_is_read_as_the_folder_in_it(stocked: Library, tmp_path: Path) -> None:
    inside = coco(tmp_path / "a.json", square()).read_bytes()
    for place, name in enumerate(("a.json", "export/annotations/a.json")):
        packed = zipped(tmp_path / f"{place}.zip", {name: inside})
        report = import_masks(stocked, packed, format="coco")
        assert (report.masks, report.known) == ((1, 0) if place == 0 else (0, 1))


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"../evil.json": b"{}"}, "must unpack into its own folder"),
        ({"/evil.json": b"{}"}, "must unpack into its own folder"),
        ({"C:\\evil.json": b"{}"}, "must unpack into its own folder"),
        ({"bomb.json": b"0" * 30_000_000}, "must unpack to at most"),
    ],
)
def test_a_hostile_zip_file_is_refused_and_leaves_nothing(
    stocked: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], says: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(InvalidInput, match=says):
        import_masks(stocked, zipped(tmp_path / "a.zip", files), format="coco")
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "evil.json").exists()


def test_a_zip_file_s_whole_size_is_bounded_and_damage_is_named(tmp_path: Path) -> None:
    many = zipped(tmp_path / "a.zip", {f"{n}.json": bytes(200_000) for n in range(10)})
    with pytest.raises(InvalidInput, match="must unpack to at most"), archive.opened(many, most_bytes=1_000_000):
        pass
    (tmp_path / "b.zip").write_bytes(b"PK no zip at all")
    with pytest.raises(InvalidInput, match=r"b.zip must be a readable zip file"), archive.opened(tmp_path / "b.zip"):
        pass


def test_what_cannot_be_meant_is_refused_whole(stocked: Library, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the format of masks must be one of coco, sa1b"):
        import_masks(stocked, tmp_path, format="gif")
    with pytest.raises(InvalidInput, match="a path to import must exist"):
        import_masks(stocked, tmp_path / "none", format="coco")


def test_more_masks_than_an_image_may_have_are_left_out_and_counted(
    stocked: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.importing_masks.MOST_PER_IMAGE", 2)
    drawn = [square(), square(40), square(70), square(90)]
    report = import_masks(stocked, coco(tmp_path / "a.json", *drawn), format="coco")
    assert (report.masks, report.unread) == (2, 2)
    assert report.reasons == ["photo-1.png must have at most 2 masks, got 4; the rest is left out"]


def test_scores_of_sam_are_predicted_iou_and_others_are_told_in_the_flag(stocked: Library, tmp_path: Path) -> None:
    import_masks(stocked, coco(tmp_path / "a.json", square(), score=0.75), format="coco")
    (row,) = of_image(stocked)
    assert (row.predicted_iou, row.flags[0].detail["score"]) == (None, 0.75)
    assert "with a score of 0.75" in row.flags[0].message
    sa1b = {
        "image": {"file_name": "photo-2.png", "width": WIDTH, "height": HEIGHT},
        "annotations": [{"segmentation": masks.encode(square()), "predicted_iou": 0.5, "stability_score": 0.25}],
    }
    (tmp_path / "b.json").write_text(json.dumps(sa1b))
    import_masks(stocked, tmp_path / "b.json", format="sa1b")
    (row,) = of_image(stocked, 2)
    assert (row.predicted_iou, row.stability_score) == (0.5, 0.25)
