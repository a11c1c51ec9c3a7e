"""Errors as RFC 9457 problem details: one sentence for people, a type for programs."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from core.errors import (
    Conflict,
    InvalidInput,
    MasksmithError,
    ModelUnavailable,
    NotFound,
    Superseded,
)
from storage.errors import MissingRow, StorageError

log = logging.getLogger(__name__)

# The first class that fits decides, so subclasses stand before their parents.
_KINDS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (InvalidInput, 422, "invalid-input", "The request cannot be meant"),
    (NotFound, 404, "not-found", "No such thing"),
    (MissingRow, 404, "not-found", "No such thing"),
    (Superseded, 409, "superseded", "A newer request came first"),
    (Conflict, 409, "conflict", "It has changed meanwhile"),
    (ModelUnavailable, 503, "model-unavailable", "The model cannot be used"),
    (StorageError, 503, "storage", "The library cannot be read or written"),
)


def problem(status: int, kind: str, title: str, detail: str) -> JSONResponse:
    """Return a problem+json response; `detail` is the sentence people read."""
    body = {"type": f"/problems/{kind}", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


async def on_foreseen(_request: Request, error: Exception) -> JSONResponse:
    """Answer an error the app raised on purpose."""
    for cls, status, kind, title in _KINDS:
        if isinstance(error, cls):
            if status >= 500:
                log.error("%s", error, exc_info=error)
            return problem(status, kind, title, str(error))
    return await on_unforeseen(_request, error)


async def on_http(_request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses, such as an unknown path or method."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http", "The request was refused", str(error.detail))


async def on_unforeseen(request: Request, error: Exception) -> JSONResponse:
    """Answer a bug: the details go to the log, people get one plain sentence."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "internal", "Something broke", "The server failed on this request; its log says more.")


HANDLERS = {MasksmithError: on_foreseen, StorageError: on_foreseen, HTTPException: on_http, Exception: on_unforeseen}
