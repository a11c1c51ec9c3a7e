"""A thousand tabs: the server keeps them all, and whoever works goes on."""

import asyncio
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.app_process import AppProcess
from core.segmentation.catalogue import GRABCUT
from tests.e2e.test_kill import accept

TABS = 1000
OLD_LIMIT = 1024
"""Sockets and files that most systems let a process begin with."""
AT_ONCE = 20
"""Tabs that are being opened at a time."""
RUNNING = 10
"""Of so many tabs one lets the page run, as all would over a day."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[AppProcess]:
    """A server that is started with few files allowed, as service managers do."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    running = AppProcess(tmp_path / "data", {"MASKSMITH_MODEL": GRABCUT})
    resource.setrlimit(resource.RLIMIT_NOFILE, (OLD_LIMIT, before[1]))
    try:
        running.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    yield running
    running.stop()


def test_a_thousand_tabs_are_kept_and_hold_nobody_up(app: AppProcess) -> None:
    with ThreadPoolExecutor(1) as elsewhere:  # this thread's loop may be the browser's
        elsewhere.submit(asyncio.run, _open_and_close(app)).result()
    assert _accept(app, "after-the-tabs") > 0


async def _open_and_close(app: AppProcess) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    tabs = await asyncio.gather(*(_tab(app, number, gate) for number in range(TABS)))
    assert psutil.Process(app.pid).num_fds() > OLD_LIMIT
    async with httpx.AsyncClient(base_url=app.url, timeout=20.0) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert await asyncio.to_thread(_accept, app, "beside-the-tabs") > 0
        prompted = await client.post("/api/images/2/prompt", json={"points": [[60, 45, 1]]})
        assert prompted.status_code == 200
        await asyncio.gather(*(tab.ping() for tab in tabs))  # none was dropped meanwhile
    await asyncio.gather(*(tab.close() for tab in tabs))


def _accept(app: AppProcess, key: str) -> int:
    with httpx.Client(base_url=app.url, timeout=20.0) as client:
        return accept(client, client.get("/api/images/2").json(), key, 7)


async def _tab(app: AppProcess, number: int, gate: asyncio.Semaphore) -> ClientConnection:
    """Open a page's socket as a browser does; of some the page runs to its end."""
    async with gate:
        address = f"ws://127.0.0.1:{app.port}/_stcore/stream"
        tab = await connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=60)  # type: ignore[list-item]
        if number % RUNNING == 0:
            run = BackMsg()
            run.rerun_script.query_string = ""
            await tab.send(run.SerializeToString())
            message = ForwardMsg()
            while message.WhichOneof("type") != "script_finished":
                message.ParseFromString(await asyncio.wait_for(tab.recv(), 60))  # type: ignore[arg-type]
            assert message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
    return tab
