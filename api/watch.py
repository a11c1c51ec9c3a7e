"""What stands before everything: each request gets an id, is timed, counted and logged; Prometheus is answered."""

import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.guard import known_host
from api.problems import on_foreseen, problem
from api.prometheus import MEDIA_TYPE, Requests, document
from core.errors import FORESEEN
from core.gauges import gauges
from core.logs import REQUEST_LOG, request_id
from core.sign_in import is_loopback
from core.workshop import Workshop

log = logging.getLogger(REQUEST_LOG)

METRICS: Final = "/metrics"
PAGES: Final = "pages"
"""Streamlit's pages and their scripts, which it serves at the root."""
ID_HEADER: Final = "X-Request-ID"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GUARDING: Final = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""What browsers are told with every answer: no page of another site may frame ours, guess types or learn addresses."""
_SEAT: Final = re.compile(r"^/api/rounds/[^/]+")
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def watch(workshop: Callable[[], Workshop], token: str | None = None) -> Middleware:
    """Return the watch as the server mounts it before everything; see `Watch`."""
    return Middleware(Watch, workshop=workshop, token=token)


class Watch:
    """Counts and logs what is answered, and tells Prometheus.

    A browser that asks for /metrics wants the page of that name and gets it; everybody else gets the numbers.

    Parameters
    ----------
    app : ASGIApp
        What is watched.
    workshop : callable
        Returns the open workshop.
    token : str, optional
        What a monitor on another machine must know.
    """

    def __init__(self, app: ASGIApp, workshop: Callable[[], Workshop], token: str | None = None) -> None:
        self._app = app
        self._workshop = workshop
        self._token = token
        self._requests = Requests()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        identity, begun, status = secrets.token_hex(8), time.perf_counter(), 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[ID_HEADER] = identity
                for name, value in _GUARDING.items():
                    headers.setdefault(name, value)
            await send(message)

        held = request_id.set(identity)
        try:
            if scope["path"] == METRICS and not _wants_page(Headers(scope=scope)):
                await self._tell(scope, receive, send_on)
            else:
                await self._app(scope, receive, send_on)
        finally:
            request_id.reset(held)
            seconds = time.perf_counter() - begun
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = template(scope)
            self._requests.count(method, route, status, seconds)
            fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1e3, 1)}
            log.info("answered", extra={"fields": fields, "request_id": identity})

    async def _tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            answer = problem(405, "http", "The request was refused", "the method for '/metrics' must be GET or HEAD")
            return await answer(scope, receive, send)
        if not self._may(scope):
            detail = "numbers are told to this machine, or to whoever knows MASKSMITH_METRICS_TOKEN, to nobody else"
            return await problem(403, "metrics", "Not for everybody", detail)(scope, receive, send)
        try:
            text = await run_in_threadpool(lambda: document(self._requests, gauges(self._workshop())))
        except FORESEEN as error:
            return await (await on_foreseen(None, error))(scope, receive, send)
        await PlainTextResponse(text, media_type=MEDIA_TYPE)(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        """Return whether a monitor may know: it shows the token, or is on this machine and nobody's proxy."""
        headers = Headers(scope=scope)
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if self._token and scheme.lower() == "bearer" and hmac.compare_digest(shown.encode(), self._token.encode()):
            return True
        client = scope.get("client")
        near = client is not None and is_loopback(client[0]) and known_host(headers.get("host", ""), ())
        return near and not any(name in headers for name in _FORWARDED)


def template(scope: Scope) -> str:
    """Return which route answered, without the ids in its path: few names, and none that anybody chose."""
    if scope["path"] == METRICS:
        return METRICS
    route = scope.get("route")
    path: str | None = getattr(route, "path", None)
    if path is None:
        return "other"
    below = _SEAT.sub("/api/rounds/{round}", scope.get("root_path", ""))
    # A mount that is the last to match has put its own path there already.
    return (below if isinstance(route, Mount) else below + path) or PAGES


def _wants_page(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "")
