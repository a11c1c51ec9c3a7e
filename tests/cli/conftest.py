"""The command as a test runs it: in this process, on a data folder of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from core.settings import Settings

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command on a data folder of the test's own."""
    for name in ("DATABASE_URL", "MASKSMITH_MODEL", "MASKSMITH_DEVICE", "MASKSMITH_CACHE_MB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASKSMITH_DATA", str(settings.data))
    monkeypatch.setenv("MASKSMITH_WORKERS", "1")
    return lambda *args: CliRunner().invoke(app, [str(arg) for arg in args])


def told(result: Result) -> dict[str, Any]:
    """Return the one JSON object that the command printed."""
    (line,) = result.stdout.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer
