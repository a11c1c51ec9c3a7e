"""What a worker does, wherever it runs: it unpacks what was sent, works, and answers with a value or an error."""

import logging
import pickle
from collections.abc import Callable
from typing import Any

from core.crew.protocol import Outcome
from core.errors import FORESEEN, MasksmithError

log = logging.getLogger(__name__)


def packed(value: Any) -> bytes:
    """Return a value as it travels between processes of one program; nothing from outside is ever unpacked."""
    return pickle.dumps(value, protocol=5)


def unpacked(data: bytes) -> Outcome[Any]:
    """Return a value that was sent, or the error that it came to."""
    return _tried(lambda: pickle.loads(data))


def done(given: Outcome[Any], data: bytes) -> Outcome[Any]:
    """Do a piece of work: `data` is a task and what is its own, packed."""

    def work() -> Any:
        task, payload = pickle.loads(data)
        return task(given.result(), payload)

    return _tried(work)


def _tried(work: Callable[[], Any]) -> Outcome[Any]:
    try:
        return Outcome(work())
    except FORESEEN as error:
        return Outcome(error=_portable(error))
    except Exception as error:
        log.exception("a piece of work failed")  # only here its place in the code is known
        return Outcome(error=_portable(error))


def _portable(error: Exception) -> Exception:
    """Return an error that can travel: itself, or one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        kind = MasksmithError if isinstance(error, FORESEEN) else RuntimeError
        return kind(str(error))
    return error
