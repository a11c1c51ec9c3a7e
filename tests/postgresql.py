"""A PostgreSQL server of the tests' own, and what to do where its programs are missing."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

DEBIAN = Path("/usr/lib/postgresql")
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "jit=off")
STARTED_WITHIN_S = 30.0
KEPT = 8


class Server:
    """A running server, reached by a socket in a folder; a test gets a database of its own on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)
        self._used: list[str] = []

    def url(self, name: str) -> str:
        """Return the address of a database as DATABASE_URL has it."""
        return f"postgresql+psycopg://masksmith@/{name}?host={self.folder}"

    def make(self, name: str | None = None, *, template: str = "template1") -> str:
        """Make a database, empty or a copy of another one, and return its address; without a name it is one test's.

        Some databases later it goes: its test is over by then, and so are its connections, which would be waited for.
        """
        if name is None:
            name = f"test_{next(self._numbers)}"
            self._used.append(name)
        if len(self._used) > KEPT:
            self.ask(f"DROP DATABASE {self._used.pop(0)} WITH (FORCE)")
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def fill(self, url: str, *, template: str) -> None:
        """Make the database of this address, which nobody is connected to, a copy of another one."""
        name = make_url(url).database
        self.ask(f"DROP DATABASE {name}")
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template}")

    def ask(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=masksmith dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server; skip the test where PostgreSQL is missing, or fail it where CI is set."""
    programs = _programs()
    if programs is None:
        reason = "tests on PostgreSQL need its server (Debian's package postgresql), and there is none here"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    memory = Path("/dev/shm")
    # Nothing of it outlives the tests, and making a database copies files. A socket's path must be short, too.
    folder = Path(tempfile.mkdtemp(prefix="masksmith-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        with _server(programs, folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(programs: Path, folder: Path) -> Iterator[Server]:
    options: dict[str, Any] = {"cwd": folder, **_somebody_but_root(folder)}
    data = str(folder / "data")
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "masksmith", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        **options,
    )
    settings = [part for setting in ("listen_addresses=", *QUICK) for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *settings],
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C is for the tests, which stop the server when they have ended
            **options,
        )
    server = Server(folder)
    try:
        _await(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # ends its clients' connections
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTED_WITHIN_S
    while True:
        try:
            server.ask("SELECT 1")
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL must start, its log: {(server.folder / 'log').read_text()}") from None
            time.sleep(0.02)


def _programs() -> Path | None:
    """Return the folder of initdb and postgres, of the newest version, or None."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    return found[-1].parent if found else None


def _somebody_but_root(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: give the folder to somebody else, and return how to be them."""
    if os.geteuid() != 0:
        return {}
    name = next(name for name in ("postgres", "nobody") if _is_known(name))
    shutil.chown(folder, name)
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def _is_known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
