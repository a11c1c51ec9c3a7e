"""What a server does again and again goes on after whatever went wrong."""

import asyncio
import logging

import pytest

from core.caretaking import every
from storage.errors import StorageError


def test_an_error_is_told_and_the_next_time_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    wrong: list[Exception] = [OSError(28, "No space left on device"), StorageError("the disk must have room")]

    async def run() -> None:
        loop, well = asyncio.get_running_loop(), asyncio.Event()

        def act() -> None:
            if wrong:
                raise wrong.pop(0)
            loop.call_soon_threadsafe(well.set)

        task = asyncio.create_task(every(0, act, what="jobs could not be looked for"))
        await asyncio.wait_for(well.wait(), 10)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert [
        (one.levelno, one.message, one.exc_info is not None) for one in caplog.records if "jobs" in one.message
    ] == [
        (logging.ERROR, "jobs could not be looked for: something unforeseen happened", True),
        (logging.WARNING, "jobs could not be looked for: the disk must have room", False),
    ]
