"""The library moved to PostgreSQL by the command, worked on there, and moved back into a file."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from core.workshop import Library, open_library
from storage import masks, tallies
from tests.cli.conftest import Run, told
from tests.conftest import square
from tests.core.conftest import accept
from tests.postgresql import Server


def test_a_library_goes_on_where_it_was_moved_to_and_comes_back(
    run: Run, stocked: Library, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(stocked, "here", square())
    there, back = server.make(), f"sqlite:///{tmp_path / 'back.db'}"
    said = run("migrate-to", there)
    first, second, third = said.stdout.strip().split(". ")
    assert re.fullmatch(r"\d+ rows of \d+ tables are in the postgresql database now, and compared", first)
    assert second == "Set DATABASE_URL to its address to use it"
    assert third == f"The files stay in {stocked.settings.files}; the old database is kept."
    moved = open_library(replace(stocked.settings, database_url=there))
    accept(moved, "there", square(60, 40), image_id=2)
    moved.close()
    monkeypatch.setenv("DATABASE_URL", there)
    report = told(run("migrate-to", back, "--json"))
    assert (report["database"], report["files"]) == ("sqlite", str(stocked.settings.files))
    assert {"name", "rows", "checksum"} == set(report["tables"][0])
    assert sum(table["rows"] for table in report["tables"]) == report["rows"]
    returned = open_library(replace(stocked.settings, database_url=back))
    with returned.engines.reading() as session:
        assert [mask.key for image in (1, 2) for mask in masks.of_image(image, session=session)] == ["here", "there"]
        assert tallies.masks_of(1, session=session) == 2
    returned.close()


def test_what_cannot_be_done_is_said_in_one_sentence(run: Run, stocked: Library, server: Server) -> None:
    used = server.make()
    assert run("migrate-to", used).exit_code == 0
    refused = {
        used: "nothing was copied: the target must be empty, but its table",
        server.url("nowhere"): "nothing was copied: the database must answer, got: connection failed",
        "postgres": "nothing was copied: the target must name a database with an installed driver, got: Could not",
    }
    for url, says in refused.items():
        result = run("migrate-to", url)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(says), result.stderr
        assert len(result.stderr.splitlines()) == 1
