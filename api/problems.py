"""Errors as RFC 9457 problem details: one sentence for people, a type for programs."""

import logging
import math
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from api.bodies import TooLarge, TooSlow
from core.errors import (
    Conflict,
    Forbidden,
    Held,
    HeldQuietly,
    InvalidInput,
    MasksmithError,
    ModelUnavailable,
    NotFound,
    NotSignedIn,
    PasswordDue,
    Superseded,
    TooManyAttempts,
)
from storage.errors import DiskFull, MissingRow, StorageError

log = logging.getLogger(__name__)

# The first class that fits decides, so subclasses stand before their parents.
_KINDS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (NotSignedIn, 401, "sign-in", "Nobody is signed in"),
    (PasswordDue, 403, "password-due", "A password must be chosen first"),
    (Forbidden, 403, "role", "The role does not reach"),
    (TooManyAttempts, 429, "too-many-attempts", "Signing in failed too often"),
    (TooLarge, 413, "too-large", "The request is too large"),
    (TooSlow, 408, "too-slow", "The request did not end"),
    (InvalidInput, 422, "invalid-input", "The request cannot be meant"),
    (NotFound, 404, "not-found", "No such thing"),
    (MissingRow, 404, "not-found", "No such thing"),
    (Superseded, 409, "superseded", "A newer request came first"),
    (HeldQuietly, 409, "held-quietly", "Somebody else is on the image"),
    (Held, 409, "held", "Somebody else is on the image"),
    (Conflict, 409, "conflict", "It has changed meanwhile"),
    (ModelUnavailable, 503, "model-unavailable", "The model cannot be used"),
    (DiskFull, 507, "disk-full", "The disk is full"),
    (StorageError, 503, "storage", "The library cannot be read or written"),
    (MasksmithError, 503, "not-ready", "The server is not ready"),
)


def problem(status: int, kind: str, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a problem+json response; `detail` is the sentence people read."""
    body = {"type": f"/problems/{kind}", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


async def on_foreseen(_request: Request | None, error: Exception) -> JSONResponse:
    """Answer an error the app raised on purpose."""
    for cls, status, kind, title in _KINDS:
        if isinstance(error, cls):
            if status >= 500:
                log.error("%s", error, exc_info=error)
            return problem(status, kind, title, str(error), _headers(error))
    raise error


def _headers(error: Exception) -> dict[str, str] | None:
    return {"Retry-After": str(math.ceil(error.wait_s))} if isinstance(error, TooManyAttempts) else None


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses: an unknown path or method."""
    assert isinstance(error, HTTPException)
    detail, path = str(error.detail), request.url.path[:80]
    if error.status_code == 404:
        detail = f"a path must be one that the server knows, got {path!r}"
    elif error.status_code == 405:
        allowed = sorted((error.headers or {}).get("Allow", "another").split(", "))
        detail = f"the method for {path!r} must be {' or '.join(allowed)}, got {request.method[:20]}"
    return problem(error.status_code, "http", "The request was refused", detail, error.headers)


async def on_unforeseen(request: Request, error: Exception) -> JSONResponse:
    """Answer a bug: the details go to the log, people get one plain sentence."""
    log.error("a request failed", exc_info=error)
    return problem(500, "internal", "Something broke", "The server failed on this request; its log says more.")


HANDLERS = {MasksmithError: on_foreseen, StorageError: on_foreseen, HTTPException: on_http, Exception: on_unforeseen}
