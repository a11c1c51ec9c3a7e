"""Faces are blurred before anybody sees them, boxes come and go, and what showed more is gone from the disk."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from core import jobs, projects, protecting, remaking, searching
from core import library as looking
from core.errors import Conflict, Forbidden, InvalidInput, MasksmithError
from core.exporting import export
from core.importing import ImportReport, import_bytes, import_paths
from core.job_process import work
from core.pictures import picture_of, read_picture, read_upright
from core.privacy.blurring import blurred
from core.privacy.regions import Region
from core.rounds import Asked, begin
from core.samples import import_samples
from core.segmentation.cache import cache_key
from core.settings import Settings
from core.workshop import Library, open_library
from storage import images, migrate, model_versions, regions
from storage import projects as project_queries
from storage.engine import Session, make_engines
from storage.errors import MissingRow, StorageError
from storage.files import FileStore
from storage.models import Project
from storage.rows import ImageRow
from tests.conftest import HEIGHT, WIDTH, photo, square
from tests.core.conftest import accept, events
from tests.core.privacy.photos import FACE, MARK, Marks, astronaut, marked, sharpness


@pytest.fixture(autouse=True)
def marks_are_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made mark is what is found: what the cascades find is tested by itself."""
    monkeypatch.setenv("MASKSMITH_DETECTOR", "tests.core.privacy.photos:marks")


def take(opened: Library, *uploads: tuple[str, bytes]) -> ImportReport:
    return import_bytes(uploads, engines=opened.engines, files=opened.files, project_id=opened.project_id)


def shown(opened: Library, image_id: int = 1) -> np.ndarray:
    return opened.working_pixels(looking.image(opened, image_id).working_sha256)


def stored(opened: Library, kind: str) -> list[bytes]:
    return [path.read_bytes() for path in (opened.files.root / kind).rglob("*") if path.is_file()]


def unblurred(opened: Library, *photos: bytes) -> None:
    """Take photos in as they are."""
    projects.change_settings(opened, {"blur": False})
    take(opened, *((f"photo-{number}.png", data) for number, data in enumerate(photos)))


def test_a_photo_is_blurred_before_anything_but_its_original_is_written(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, bytes]] = []
    put = FileStore.put

    def noting(store: FileStore, kind: str, data: bytes) -> str:
        written.append((kind, data))
        return put(store, kind, data)

    monkeypatch.setattr(FileStore, "put", noting)
    report = take(library, ("a.png", marked()))
    assert report.sentence() == "1 imported, 1 face blurred."
    assert {kind for kind, _ in written} == {"originals", "working", "thumbs"}
    for kind, data in written:
        pixels = np.asarray(Image.open(BytesIO(data)))
        assert (sharpness(pixels) > 40) == (kind == "originals")
    (box,) = protecting.boxes_of(library, 1)
    assert (box.kind, box.source, box.box) == ("face", "found", tuple(map(float, MARK)))


def test_a_real_face_is_blurred_by_default(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKSMITH_DETECTOR")
    assert projects.settings(library).blur is True
    assert take(library, ("face.png", astronaut())).blurred["face"] >= 1
    sharp = read_upright(astronaut()).pixels
    assert sharpness(shown(library), FACE) < sharpness(sharp, FACE) / 2
    corner = np.abs(shown(library)[:60, 400:].astype(int) - sharp[:60, 400:])
    assert corner.mean() < 3


def test_who_turns_it_off_gets_photos_as_they_are(library: Library) -> None:
    unblurred(library, marked())
    assert library.files.get("working", images_of(library)[0].working_sha256) == read_picture(marked()).working
    assert protecting.boxes_of(library, 1) == []
    with pytest.raises(InvalidInput, match="blur must be on or off"):
        projects.change_settings(library, {"blur": "yes"})


def images_of(opened: Library) -> list[ImageRow]:
    with opened.engines.reading() as session:
        return images.page(opened.project_id, session=session, limit=99)


def test_the_sample_photos_stay_sharp(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKSMITH_DETECTOR")
    report = import_samples(engines=library.engines, files=library.files, project_id=library.project_id)
    assert report.blurred == {}
    (face,) = [row for row in images_of(library) if row.name == "astronaut.png"]
    assert library.files.get("working", face.working_sha256) == read_picture(astronaut()).working


def test_a_photo_that_cannot_be_searched_is_not_taken_in(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Marks, "find", lambda *_: 1 / 0)
    report = take(library, ("a.png", marked()))
    assert (report.imported, report.refused) == (0, 1)
    assert "must be searched for faces, but marks 1 failed: division by zero" in report.reasons[0][1]
    assert not any(stored(library, kind) for kind in ("originals", "working", "thumbs"))
    monkeypatch.setenv("MASKSMITH_DETECTOR", "no.such:detector")
    with pytest.raises(MasksmithError, match=r"the detector no\.such:detector must load"):
        take(library, ("a.png", marked()))


def test_photos_that_are_there_are_searched_once_and_the_old_bytes_are_gone(library: Library) -> None:
    unblurred(library, marked(1), photo(1), marked(2))
    old = [library.files.get("working", row.working_sha256) for row in images_of(library)]
    thumbs = [library.files.get("thumbs", row.thumb_sha256) for row in images_of(library)]
    with library.engines.writing() as session:
        model_versions.register("m", content_hash="c", encoder_hash="encoder", detail={}, session=session)
    keys = [cache_key(row.working_sha256, "encoder") for row in images_of(library)]
    for key in keys:
        library.files.put_named("embeddings", key, b"what the model saw")
    mask = accept(library, "a", square())
    report = searching.search_library(library)
    assert report.sentence() == "3 images searched, 2 faces blurred; 0 still to be searched."
    for number, gone in ((0, True), (1, False), (2, True)):
        assert (old[number] in stored(library, "working")) != gone
        assert (thumbs[number] in stored(library, "thumbs")) != gone
        assert library.files.exists("embeddings", keys[number]) != gone
    assert sharpness(shown(library, 1)) < 20
    assert len(stored(library, "working")) == 3
    # Masks stay: the working image keeps its size.
    assert (images_of(library)[0].width, images_of(library)[0].masks, mask.mask_id) == (WIDTH, 1, 1)
    assert (
        searching.search_library(library).sentence()
        == "0 images searched, nothing new blurred; 0 still to be searched."
    )


def test_a_box_is_removed_and_drawn_and_the_photo_is_made_anew_from_its_original(library: Library) -> None:
    take(library, ("a.png", marked()))
    (box,) = protecting.boxes_of(library, 1)
    hidden = library.files.get("working", images_of(library)[0].working_sha256)
    protecting.remove(library, box.id)
    protecting.remove(library, box.id)
    sharp = read_picture(marked())
    assert library.files.get("working", images_of(library)[0].working_sha256) == sharp.working
    assert hidden not in stored(library, "working")
    drawn = protecting.draw(library, 1, "plate", (-5.0, 60.0, 30.0, 500.0))
    (now,) = protecting.boxes_of(library, 1)
    assert (now.id, now.kind, now.source, now.box, now.person_id) == (drawn, "plate", "drawn", (0, 60, 30, HEIGHT), 1)
    wanted = picture_of(read_upright(marked()), blurred(read_upright(marked()).pixels, [now.box]))
    assert stored(library, "working") == [wanted.working]
    assert stored(library, "thumbs") == [wanted.thumb]
    assert [kind for kind, *_ in events(library)] == ["remove_box", "draw_box"]


def test_what_somebody_removed_stays_removed_and_a_better_detector_searches_again(library: Library) -> None:
    take(library, ("a.png", marked(1)), ("b.png", marked(2)))
    protecting.remove(library, protecting.boxes_of(library, 1)[0].id)
    assert searching.search_library(library).searched == 0
    again = searching.search_library(library, detector=Marks("marks 2"))
    assert (again.searched, again.found) == (2, {})
    assert protecting.boxes_of(library, 1) == []
    assert sharpness(shown(library, 1)) > 40
    assert sharpness(shown(library, 2)) < 20


def test_photos_with_boxes_wait_until_somebody_checked_them(library: Library) -> None:
    take(library, ("a.png", marked(1)), ("b.png", photo(1)), ("c.png", marked(2)))
    assert [row.id for row in protecting.with_boxes(library, seen=False, offset=0, limit=9)] == [1, 3]
    assert protecting.standing(library) == protecting.Standing(0, 2, 0)
    protecting.set_seen(library, 1)
    assert protecting.standing(library) == protecting.Standing(0, 1, 1)
    assert [row.id for row in protecting.with_boxes(library, seen=True, offset=0, limit=9)] == [1]
    # What another detector finds there is new to whoever checked.
    new = SimpleNamespace(name="sees all", find=lambda _: [Region("plate", (60, 60, 90, 80))])
    searching.search_library(library, detector=new)
    assert [row.id for row in protecting.with_boxes(library, seen=False, offset=0, limit=9)] == [1, 2, 3]


def test_a_deleted_photo_comes_back_blurred(library: Library) -> None:
    unblurred(library, marked(1), marked(2))
    looking.delete(library, [1, 2])
    projects.change_settings(library, {"blur": True})
    assert take(library, ("a.png", marked(1))).imported == 1
    assert sharpness(shown(library, 1)) < 20
    assert [box.source for box in protecting.boxes_of(library, 1)] == ["found"]
    # While nothing is blurred, it comes back as it was.
    assert protecting.standing(library).to_search == 0
    projects.change_settings(library, {"blur": False})
    take(library, ("b.png", marked(2)))
    assert sharpness(shown(library, 2)) > 40
    assert len(stored(library, "working")) == 2


def test_a_deleted_photo_comes_back_as_people_left_it(library: Library) -> None:
    take(library, ("a.png", marked()))
    protecting.remove(library, protecting.boxes_of(library, 1)[0].id)
    looking.delete(library, [1])
    take(library, ("a.png", marked()))
    assert protecting.boxes_of(library, 1) == []
    assert stored(library, "working") == [read_picture(marked()).working]


def test_copies_in_rounds_are_blurred_with_their_photo(library: Library) -> None:
    unblurred(library, marked())
    accept(library, "a", square())
    with library.engines.writing() as session:
        images.set_state(1, "done", session=session)
    begin(library, Asked("r", (library.person_id,), 1, "calibration"))
    old = stored(library, "working")
    searching.search_library(library)
    assert not set(old) & set(stored(library, "working"))
    with library.engines.reading() as session:
        copies = [images.get(image_id, session=session) for image_id in images.copies(1, session=session)]
        seat = copies[1].project_id
    assert len(copies) == 3
    assert len({copy.working_sha256 for copy in copies}) == 1
    with pytest.raises(InvalidInput, match="is a seat in 'r'"):
        projects.enter(library, seat)


def test_a_photo_that_another_project_shows_keeps_its_file(library: Library) -> None:
    with library.engines.writing() as session:
        session.add(Project(name="other", settings={"blur": False}))
        session.flush()
    unblurred(library, marked())
    there = library.at(2)
    take(there, ("a.png", marked()))
    sharp = images_of(there)[0].working_sha256
    assert images_of(library)[0].working_sha256 == sharp
    searching.search_library(library)
    assert images_of(library)[0].working_sha256 != sharp
    assert images_of(there)[0].working_sha256 == sharp
    assert sharpness(there.working_pixels(sharp)) > 40
    with pytest.raises(MissingRow):
        protecting.boxes_of(there, 1)
    with library.engines.reading() as session:
        box = regions.of_image(1, session=session)[0]
    with pytest.raises(MissingRow):
        protecting.remove(there, box.id)


def test_exports_in_the_browser_that_show_the_photo_as_it_was_are_removed(library: Library) -> None:
    unblurred(library, marked(), photo(1))
    accept(library, "a", square())
    accept(library, "b", square(), image_id=2)
    folder = library.settings.exports / "old"
    export(library, folder, format="coco")
    kept = library.settings.exports / "without-photos"
    export(library, kept, format="coco", with_images=False)
    searching.search_library(library)
    assert not folder.exists()
    assert kept.exists()


def test_exports_are_removed_only_once_the_photo_is_another(library: Library) -> None:
    unblurred(library, marked())
    accept(library, "a", square())
    folder = library.settings.exports / "old"
    export(library, folder, format="coco")
    before = remaking.before_of(library, 1)
    made = remaking.made_anew(before, lambda _known, _photo: [tuple(map(float, MARK))])

    def refuse_at_the_commit(session: Session) -> None:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(text("INSERT INTO lease VALUES (999, 999, '', '2026-01-01', '2026-01-02')"))

    with pytest.raises(StorageError, match="FOREIGN KEY"):
        remaking.replaced(library, 1, before.known, made, refuse_at_the_commit)
    assert folder.exists()
    assert remaking.replaced(library, 1, before.known, made, lambda _session: None)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ((5.0, 5.0, 8.0, 30.0), "a box must have 4 pixels of the photo a side, got 3 x 25"),
        ((-50.0, 0.0, 3.0, 30.0), "a box must have 4 pixels of the photo a side, got 3 x 30"),
        ((9.0, 9.0, 2.0, 2.0), "a box must have 4 pixels of the photo a side, got -7 x -7"),
        ((float("nan"), 0.0, 9.0, 9.0), "the corners of a box must be finite numbers"),
    ],
)
def test_a_box_without_size_is_refused(library: Library, box: tuple[float, float, float, float], says: str) -> None:
    take(library, ("a.png", photo(1)))
    with pytest.raises(InvalidInput, match=says):
        protecting.draw(library, 1, "face", box)
    with pytest.raises(InvalidInput, match="a box must be around a face or a plate, got 'dog'"):
        protecting.draw(library, 1, "dog", (0, 0, 50, 50))


def test_a_missing_original_leaves_the_photo_as_it_is_and_the_others_are_searched(library: Library) -> None:
    unblurred(library, marked(1), marked(2))
    before = images_of(library)[0]
    library.files.path("originals", before.sha256).unlink()
    report = searching.search_library(library)
    assert (report.searched, [image for image, _ in report.failed], report.waiting) == (1, [1], 1)
    assert images_of(library)[0] == before
    with pytest.raises(StorageError, match="is missing"):
        protecting.draw(library, 1, "face", (0, 0, 50, 50))


@pytest.mark.parametrize("role", ["annotator", "reviewer", "manager"])
def test_only_managers_touch_boxes_and_only_owners_get_originals(library: Library, role: str) -> None:
    take(library, ("a.png", marked()))
    theirs = library.for_person(library.person_id, role)  # type: ignore[arg-type]
    (box,) = protecting.boxes_of(library, 1)
    with pytest.raises(Forbidden, match="must be owner or above"):
        protecting.original(theirs, 1)
    if role != "manager":
        for refused in (
            lambda: protecting.draw(theirs, 1, "face", (0, 0, 50, 50)),
            lambda: protecting.remove(theirs, box.id),
            lambda: protecting.set_seen(theirs, 1),
            lambda: searching.search_library(theirs),
            lambda: jobs.begin_blur(theirs, start=False),
        ):
            with pytest.raises(Forbidden, match="must be manager or above"):
                refused()
    assert protecting.original(library, 1) == protecting.Original("a.png", marked())
    assert ("original", 1, None) in events(library)


def test_a_search_is_a_job_that_goes_on(library: Library) -> None:
    unblurred(library, marked(1), marked(2))
    searching.search_library(library, limit=1)
    job_id = jobs.begin_blur(library, start=False)
    with pytest.raises(Conflict, match="a search for faces must end before another begins"):
        jobs.begin_blur(library, start=False)
    ended = work(library, job_id)
    assert (ended.state, ended.message) == ("done", "1 image searched, 1 face blurred; 0 still to be searched.")
    assert protecting.standing(library).to_search == 0


KILLED = """
import os, sys
from core import searching, working_files
from core.settings import Settings
from core.workshop import open_library
from pathlib import Path
from storage.files import FileStore
from storage.models import Project
from storage.rows import ImageRow

data, where = Path(sys.argv[1]), sys.argv[2]
library = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)

def die(*args, **kwargs):
    os._exit(9)

if where == "before the files":
    FileStore.put = die
elif where == "before the commit":
    working_files.replace = die
elif where == "before the old files go":
    inner, calls = working_files.discard, []
    def discard(*args):
        calls.append(1)
        die() if len(calls) > 1 else inner(*args)
    working_files.discard = discard
elif where == "between the old files":
    FileStore.delete = die
searching.search_library(library)
"""


@pytest.mark.parametrize(
    ("where", "is_new"),
    [
        ("before the files", False),
        ("before the commit", False),
        ("before the old files go", True),
        ("between the old files", True),
    ],
)
def test_a_kill_leaves_the_old_or_the_new_and_the_next_start_deletes_what_is_left(
    library: Library, settings: Settings, where: str, is_new: bool
) -> None:
    unblurred(library, marked())
    old = images_of(library)[0]
    sharp = library.files.get("working", old.working_sha256)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(settings.data), where], cwd=Path(__file__).parents[2])
    assert ended.returncode == 9
    now = images_of(library)[0]
    assert (now.working_sha256 != old.working_sha256) == is_new
    assert bool(protecting.boxes_of(library, 1)) == is_new
    assert (sharpness(shown(library)) < 20) == is_new
    open_library(settings, samples=False).close()
    assert (sharp in stored(library, "working")) != is_new
    assert searching.search_library(library).searched == (not is_new)
    assert sharp not in stored(library, "working")
    assert sharpness(shown(library)) < 20


def test_two_changes_at_once_are_both_kept(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    take(library, ("a.png", photo(1)))
    real, other = remaking.picture_of, []

    def meanwhile(*args: object) -> object:
        if not other:
            other.append(True)
            protecting.draw(library, 1, "plate", (0, 0, 30, 30))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(remaking, "picture_of", meanwhile)
    protecting.draw(library, 1, "face", (50, 50, 80, 80))
    boxes = [box.box for box in protecting.boxes_of(library, 1)]
    assert boxes == [(0, 0, 30, 30), (50, 50, 80, 80)]
    sharp = read_upright(photo(1))
    assert stored(library, "working") == [picture_of(sharp, blurred(sharp.pixels, boxes)).working]


def test_a_project_that_was_there_before_goes_on_as_it_did(tmp_path: Path) -> None:
    engines = make_engines(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(engines, "0009")
    with engines.write.begin() as connection:
        connection.exec_driver_sql("INSERT INTO project VALUES (1, 'p', '{\"labels\": true}', '2026-01-02 03:04:05')")
    migrate.upgrade(engines)
    with engines.reading() as session:
        assert project_queries.get(1, session=session).settings == {"labels": True, "blur": False}
    engines.dispose()


def test_a_folder_is_blurred_as_the_project_says_unless_the_caller_knows_better(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(marked(1))
    (tmp_path / "b.png").write_bytes(marked(2))
    where = {"engines": library.engines, "files": library.files, "project_id": 1}
    assert import_paths([tmp_path / "a.png"], **where).blurred == {"face": 1}  # type: ignore[arg-type]
    assert import_paths([tmp_path / "b.png"], blur=False, **where).blurred == {}  # type: ignore[arg-type]


def test_originals_are_closed_to_other_accounts(library: Library) -> None:
    assert (library.files.root / "originals").stat().st_mode & 0o077 == 0
