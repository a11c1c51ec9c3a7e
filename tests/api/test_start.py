"""A start that fails for a reason that can be mended is told in one sentence."""

import re
from pathlib import Path

import pytest

from benchmarks.app_process import AppProcess


def test_a_model_that_cannot_be_loaded_ends_the_start_in_a_sentence(tmp_path: Path) -> None:
    refused(
        AppProcess(tmp_path / "data", {"MASKSMITH_MODEL": "vit_b"}), "the checkpoint must exist, but there is no .*"
    )


def test_a_database_that_cannot_be_opened_ends_the_start_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    app = AppProcess(tmp_path / "data", {"DATABASE_URL": f"sqlite:///{tmp_path / 'folder.db'}"})
    refused(app, "the database must answer, got: unable to open database file")


def refused(app: AppProcess, reason: str) -> None:
    """Check that a server ends with 1, and that its log is one sentence but for what comes before its start."""
    with pytest.raises(RuntimeError, match="the app ended with 1:"):
        app.start()
    log = app.log.read_text()
    assert re.search(rf"^Masksmith did not start: {reason}\.$", log, re.MULTILINE)
    assert "Traceback" not in log
