"""What docs/operations.md and the Containerfile name is there: commands, settings, files; systemd reads the unit."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from cli.main import app
from core import settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "operations.md"
CONTAINER = ROOT / "Containerfile"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (DOCS, CONTAINER, ROOT / "docs" / "install.md")}


@pytest.mark.parametrize("name", TEXTS)
def test_every_setting_that_is_named_is_read(name: str) -> None:
    read = set(re.findall(r'"(MASKSMITH_[A-Z_]+)"', Path(settings.__file__).read_text(encoding="utf-8")))
    named = set(re.findall(r"MASKSMITH_[A-Z_]+[A-Z]", TEXTS[name]))
    assert named
    assert named <= read


@pytest.mark.parametrize("name", [DOCS.name, "install.md"])
def test_every_command_that_is_named_is_one(name: str) -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"^    (?:\.venv/bin/)?masksmith ([a-z-]+)", TEXTS[name], re.M))
    named |= set(re.findall(r"`masksmith ([a-z-]+)[ `]", TEXTS[name]))
    assert named
    assert named <= known


def test_all_that_goes_into_the_image_is_there_and_let_in() -> None:
    steps = TEXTS[CONTAINER.name]
    copied = {name for line in re.findall(r"^COPY (.*)$", steps, re.M) for name in line.split()[:-1]}
    floors = {"api", "cli", "core", "pages", "storage", "app.py", ".streamlit"}
    assert floors <= copied
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name
    pinned = re.search(r'"(torch==[0-9.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pinned is not None
    assert pinned[1] in steps


def test_the_unit_is_one_that_systemd_reads(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze must be there to read the unit, but is not")
    block = TEXTS[DOCS.name].split("## systemd")[1].split("`", 1)[0]
    unit = "\n".join(line[4:] for line in block.splitlines() if line.startswith("    "))
    unit = re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", unit, flags=re.M)
    path = tmp_path / "masksmith.service"
    path.write_text(unit, encoding="utf-8")
    said = subprocess.run([verify, "verify", "--man=no", path], capture_output=True, text=True, check=False)
    about = [line for line in said.stderr.splitlines() if "masksmith.service" in line]
    assert about == []
