"""The server's log: a line for each request and each thing that went wrong, with nobody's name in it.

What people call things (themselves, photos, labels, projects) and what they point at is in no line; messages of
errors that were not foreseen may hold such things, so of those only the kind and the places in the code are told.
"""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Literal

from core.errors import FORESEEN

Form = Literal["json", "text"]
REQUEST_LOG: Final = "masksmith.request"
_TAKEN_OVER: Final = ("uvicorn", "uvicorn.error", "streamlit")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request being answered; threads that work for it inherit it."""


def begin(form: Form | None) -> None:
    """Write every line of this process in one form to standard error; None leaves logging as it is."""
    if form is None:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else it tells the address of every download
    for name in _TAKEN_OVER:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how grave, who says it, what, in which request."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        return json.dumps(_told(record), default=str)


class TextLines(logging.Formatter):
    """The same for eyes: when, how grave, what, and then name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line; the places of an error follow it, one a line."""
        told = _told(record)
        at, level, message = told.pop("at"), told.pop("level"), told.pop("message")
        frames = told.pop("frames", [])
        rest = " ".join(f"{name}={value}" for name, value in told.items())
        return "\n  ".join([f"{at} {level} {message} {rest}", *frames])


def _told(record: logging.LogRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        **getattr(record, "fields", {}),
    }
    identity = getattr(record, "request_id", None) or request_id.get()
    if identity:
        told["request_id"] = identity
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        told["error"] = type(error).__name__
        if isinstance(error, FORESEEN):
            told["said"] = str(error)
        frames = traceback.extract_tb(error.__traceback__)
        told["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return told
