"""What a server does again and again while it runs."""

import asyncio
import logging
from collections.abc import Callable

from core.errors import FORESEEN

log = logging.getLogger(__name__)


async def every(seconds: float, act: Callable[[], object], *, what: str) -> None:
    """Act in a thread now and each time after so many seconds, until it is cancelled.

    An error is told with `what` could not be done, and the next time is tried as ever: a server runs for weeks, and
    what went wrong once, such as a full disk, may be well again.
    """
    while True:
        try:
            await asyncio.to_thread(act)
        except FORESEEN as error:
            log.warning("%s: %s", what, error)
        except Exception:
            log.exception("%s: something unforeseen happened", what)
        await asyncio.sleep(seconds)
