"""kill -9 at every step of every write, and then what there is: all of it, or nothing of it.

The steps are what a process tells of itself: each statement and commit it sends, each file it opens to write, renames
or removes. A process is forked for each step, and kills itself there.
"""

import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event

from core.backup import back_up
from core.errors import InvalidInput
from core.exporting import export
from core.importing import import_bytes
from core.restoring import restore
from core.segmentation.grabcut import GrabCutSegmenter
from core.versions import Made, register
from core.workshop import Library, choose_model, chosen_spec, open_library, version_of
from storage import images, masks, migrate, settings_store, tallies
from storage.engine import make_engines
from tests.conftest import photo, settings_of, square
from tests.core.conftest import accept

MOST_STEPS: Final = 16
"""Of longer writes, so many steps are tried, the first and the last among them."""
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


class Other(GrabCutSegmenter):
    """A segmenter of other weights."""

    content_hash = "c" * 64


def opened(data: Path) -> Library:
    return open_library(settings_of(data), samples=False)


def importing(data: Path) -> None:
    library = opened(data)
    uploads = [(f"{number}.png", photo(number)) for number in (4, 5)]
    import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)


def accepting(data: Path) -> None:
    accept(opened(data), "new", square(), prompts=[POINT], edits=[EDIT])


def correcting(data: Path) -> None:
    accept(opened(data), "new", square(x=40), supersedes="old", prompts=[POINT])


def exporting(data: Path) -> None:
    export(opened(data), data.parent / "out", format="coco")


def backing_up(data: Path) -> None:
    back_up(settings_of(data), data.parent / "backup")


def restoring(data: Path) -> None:
    restore(data.parent / "backup", data.parent / "again")


def promoting(data: Path) -> None:
    library = opened(data)
    base = version_of(library, GrabCutSegmenter(), chosen_spec(library))
    made = register(library, Other(), base, Made(b"weights", 1, {}))
    choose_model(library, "starter", None, made.detail["head"])


def migrating(data: Path) -> None:
    engines = make_engines(settings_of(data).database_url)
    migrate.upgrade(engines)


POINT: Final = {"kind": "point", "x": 12.0, "y": 22.0, "label": 1, "at_ms": 5}
EDIT: Final = {"kind": "brush", "detail": {"size": 3}, "at_ms": 9}
WRITES: Final[dict[str, Callable[[Path], None]]] = {
    "import": importing,
    "accept": accepting,
    "correction": correcting,
    "export": exporting,
    "backup": backing_up,
    "restore": restoring,
    "promotion": promoting,
    "migration": migrating,
}


def run(write: str, data: Path, step: int | None, told: Any) -> None:
    """Do a write in this process until its step of this number, or to the end and tell how many there were."""
    steps = 0

    def reached(*_: object) -> None:
        nonlocal steps
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    def audited(name: str, arguments: tuple[Any, ...]) -> None:
        if name in ("os.rename", "os.remove", "os.rmdir", "os.mkdir"):
            reached()
        elif name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            reached()

    sys.addaudithook(audited)
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, moment, reached)
    WRITES[write](data)
    told.send(steps)


def killed_at(write: str, data: Path, step: int | None) -> int | None:
    """Run a write in a process that dies at this step; return how many steps it had if it came to its end."""
    here, there = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=run, args=(write, data, step, there))
    process.start()
    there.close()
    process.join()
    if process.exitcode == 0:
        return int(here.recv())
    assert process.exitcode == -signal.SIGKILL, f"{write} failed by itself"
    return None


@pytest.fixture
def before(filled: Path, tmp_path: Path) -> Callable[[str, int | None], Path]:
    """Makes the folder that a write begins with, each in a place of its own."""
    whole = tmp_path / "before"
    shutil.copytree(filled, whole / "data")
    library = opened(whole / "data")
    accept(library, "old", square())
    library.close()
    back_up(settings_of(whole / "data"), whole / "backup")
    library = opened(whole / "data")
    accept(library, "later", square(x=50), image_id=2)
    library.close()
    older = tmp_path / "older"
    (older / "data" / "files").mkdir(parents=True)
    engines = make_engines(settings_of(older / "data").database_url)
    migrate.upgrade(engines, "0003")
    engines.dispose()

    def make(write: str, step: int | None) -> Path:
        place = tmp_path / f"{step}"
        shutil.copytree(older if write == "migration" else whole, place)
        return place / "data"

    return make


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_killed_is_whole_or_nothing(write: str, before: Callable[[str, int | None], Path]) -> None:
    total = killed_at(write, before(write, None), None)
    assert total is not None
    assert total > MOST_STEPS
    for step in sorted({round(n * (total - 1) / (MOST_STEPS - 1)) for n in range(MOST_STEPS)}):
        data = before(write, step)
        assert killed_at(write, data, step) is None
        CHECKS[write](data)
        shutil.rmtree(data.parent)


def sound(data: Path) -> Library:
    """Return the library, once nothing in it is torn: rows without their parts, counters, files."""
    connection = sqlite3.connect(data / "masksmith.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    torn = "SELECT id FROM mask WHERE id NOT IN (SELECT mask_id FROM mask_rle)"
    assert connection.execute(torn).fetchall() == []
    connection.close()
    library = opened(data)
    with library.engines.writing() as session:
        counted = tallies.masks_of(1, session=session)
        tallies.recount(session=session)
        assert counted == tallies.masks_of(1, session=session)
        for image in images.page(1, session=session, limit=100):
            for kind, sha256 in (
                ("originals", image.sha256),
                ("working", image.working_sha256),
                ("thumbs", image.thumb_sha256),
            ):
                library.files.get(kind, sha256)
    return library


def after_import(data: Path) -> None:
    sound(data).close()
    importing(data)
    library = sound(data)
    with library.engines.reading() as session:
        assert [image.name for image in images.page(1, session=session, limit=9)][3:] == ["4.png", "5.png"]
    library.close()


def after_accept(data: Path) -> None:
    library = sound(data)
    saved = accept(library, "new", square(), prompts=[POINT], edits=[EDIT])
    assert accept(library, "new", square(), prompts=[POINT], edits=[EDIT]).mask_id == saved.mask_id
    with library.engines.reading() as session:
        mask = masks.get("new", session=session)
        assert len(mask.prompts) == 1
        assert len(masks.edits_of(mask.id, session=session)) == 1
        assert len(masks.of_image(1, session=session)) == 2
    library.close()


def after_correction(data: Path) -> None:
    library = sound(data)
    with library.engines.reading() as session:
        keys = [mask.key for mask in masks.of_image(1, session=session)]
    assert keys in (["old"], ["new"]), "one of both stands"
    accept(library, "new", square(x=40), supersedes="old", prompts=[POINT])
    with library.engines.reading() as session:
        assert [mask.key for mask in masks.of_image(1, session=session)] == ["new"]
    library.close()


def after_export(data: Path) -> None:
    library, out = sound(data), data.parent / "out"
    if out.exists():
        with pytest.raises(InvalidInput, match="new or empty"):
            export(library, out, format="coco")
        assert len(list((out / "images").iterdir())) == 3
    else:
        assert export(library, out, format="coco").masks == 2
    library.close()


def after_backup(data: Path) -> None:
    sound(data).close()
    assert restore(data.parent / "backup", data.parent / "found").rows["mask"] in (1, 2)
    assert back_up(settings_of(data), data.parent / "backup").rows["mask"] == 2
    assert restore(data.parent / "backup", data.parent / "again").rows["mask"] == 2


def after_restore(data: Path) -> None:
    again = data.parent / "again"
    if not again.exists():
        restore(data.parent / "backup", again)
    library = sound(again)
    with library.engines.reading() as session:
        assert len(masks.of_image(1, session=session)) == 1
    library.close()


def after_promotion(data: Path) -> None:
    library = sound(data)
    with library.engines.reading() as session:
        chosen = settings_store.get("segmenter", session=session) or {}
    if chosen["name"] == "starter":
        assert library.files.get("checkpoints", chosen["head"]) == b"weights"
    else:
        assert chosen == {"name": "grabcut", "path": None, "head": None}
    library.close()


def after_migration(data: Path) -> None:
    engines = make_engines(settings_of(data).database_url)
    with engines.reading() as session:
        connection = session.connection()
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        assert ("tally" in names) == (version != "0003")
    engines.dispose()
    opened(data).close()


CHECKS: Final[dict[str, Callable[[Path], None]]] = {
    "import": after_import,
    "accept": after_accept,
    "correction": after_correction,
    "export": after_export,
    "backup": after_backup,
    "restore": after_restore,
    "promotion": after_promotion,
    "migration": after_migration,
}
