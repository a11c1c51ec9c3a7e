"""What every route needs: the workshop, the person, ids from the path and numbers from the query."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from core.bounds import KEY, check_key
from core.errors import InvalidInput
from core.workshop import Workshop

P = ParamSpec("P")
T = TypeVar("T")

MAX_ID: Final = 2**31 - 1
"""The largest id that every database can hold."""

_COMPUTING: Final = CapacityLimiter(200)


def opened(request: Request) -> Workshop:
    """Return the open workshop of this server, in nobody's name yet."""
    provider: Callable[[], Workshop] = request.app.state.workshop
    return provider()


def workshop(request: Request) -> Workshop:
    """Return the workshop in the hands of whoever asks, as `api.access.may` has found them."""
    shop: Workshop = request.state.workshop
    return shop


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking `function` beside the event loop and return what it returns."""
    return await run_in_threadpool(function, *args, **kwargs)


async def computing(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a `function` that may wait for the model, among threads of their own.

    However many images wait to be encoded, saving and looking still find a thread.
    """
    return await to_thread.run_sync(partial(function, *args, **kwargs), limiter=_COMPUTING)


def path_id(request: Request, name: str) -> int:
    """Return a path parameter that is a database id.

    Raises
    ------
    InvalidInput
        If it is no positive whole number.
    """
    return _id(request.path_params[name], name)


def path_ref(request: Request, name: str = "ref") -> int | str:
    """Return a path parameter that is a database id or an idempotency key."""
    text = str(request.path_params[name])
    if text.isascii() and text.isdecimal():
        return _id(text, name)
    if not re.fullmatch(KEY, text):
        raise InvalidInput(f"{name} must be an id or a key of 1 to 64 letters, digits or _.:- , got {text[:80]!r}")
    return text


def query_int(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """Return a whole number from the query, `default` when absent.

    Raises
    ------
    InvalidInput
        If it is no whole number within [low, high].
    """
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and low <= int(text) <= high):
        raise InvalidInput(f"{name} must be a whole number from {low} to {high}, got {text[:80]!r}")
    return int(text)


def query_key(request: Request, name: str) -> str | None:
    """Return a key from the query, None when absent.

    Raises
    ------
    InvalidInput
        If it has characters that no key has.
    """
    text = request.query_params.get(name)
    if text is not None:
        check_key(text, name)
    return text


def _id(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and 1 <= int(text) <= MAX_ID):
        raise InvalidInput(f"{name} must be a positive whole number, got {text[:80]!r}")
    return int(text)
