"""What stands before Streamlit itself: its pages show nothing but a sign-in form to strangers, but it has more doors.

Uploads, pictures and figures of the server are answered to people alone, and uploads only to those whose pages ask for
some. A page's socket belongs to who opened it: once that person signs out, is given another role or is deactivated, its
next word closes it. A page that connects anew goes on where it was only in the same hands; else it begins as a new one,
behind the gate. So no button of an open page works in the name of who it was shown to before.
And while nobody must sign in, only this machine is answered at all. Pages of other sites open no socket and change
nothing either way.
"""

from collections.abc import Callable
from typing import Final

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import token_of
from api.common import in_thread
from api.guard import known_host, same_site
from api.problems import on_foreseen, problem
from api.provider import CALLBACK, LOGIN
from api.uploads import PREFIX, Uploads, check_may_upload
from core.errors import FORESEEN, NotSignedIn, PasswordDue
from core.page_hands import Hands
from core.sign_in import is_loopback, required, whose
from core.workshop import Workshop

_OURS: Final = ("/api/", "/canvas/", "/healthz")
"""Routes that decide for themselves."""
_OPEN_OF_STREAMLIT: Final = ("/_stcore/health", "/_stcore/host-config", "/_stcore/script-health-check")
_PRIVATE: Final = ("/_stcore/", "/media/", "/auth/", "/oauth2callback")
_READING: Final = ("GET", "HEAD")


def gate(
    workshop: Callable[[], Workshop],
    hosts: tuple[str, ...] = (),
    *,
    provider: bool = False,
    waiting: Callable[[], int] = lambda: 0,
) -> Middleware:
    """Return the gate as the server mounts it before everything; see `Gate`."""
    return Middleware(Gate, workshop=workshop, hosts=hosts, provider=provider, waiting=waiting)


class Gate:
    """Lets requests through to Streamlit that it may answer.

    Parameters
    ----------
    app : ASGIApp
        What is guarded.
    workshop : callable
        Returns the open workshop.
    hosts : tuple of str
        Names of this server, as of `api.guard.Guard`.
    provider : bool
        Whether `api.provider.Bridge` stands behind it, so that strangers may go to an identity provider and come back.
    waiting : callable
        Returns how many bytes of uploads Streamlit keeps, see `api.uploads.Uploads`.
    """

    def __init__(
        self,
        app: ASGIApp,
        workshop: Callable[[], Workshop],
        hosts: tuple[str, ...] = (),
        provider: bool = False,
        waiting: Callable[[], int] = lambda: 0,
    ) -> None:
        self._app = app
        self._workshop = workshop
        self._hosts = hosts
        self._uploads = Uploads(waiting)
        self._open = (LOGIN, CALLBACK) if provider else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or listen to one socket."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        connection = HTTPConnection(scope)
        try:
            stranger = await self._is_stranger(connection)
            if scope["type"] == "websocket":
                # Streamlit itself lets pages of every port of this machine open one.
                ours = known_host(connection.headers.get("host", ""), self._hosts) and same_site(connection.headers)
                if stranger or not ours:
                    return await send({"type": "websocket.close", "code": 1008})
                return await self._listen(scope, receive, send)
            if not stranger and scope["method"] not in _READING and not same_site(connection.headers):
                detail = "a change must be asked for by a page of this server, not by one of another site"
                return await problem(403, "other-site", "Another site asked", detail)(scope, receive, send)
            private = is_private(scope["method"], connection.url.path) and scope["path"] not in self._open
            if not stranger and private:
                whoever = await in_thread(whose, self._workshop(), token_of(connection))
                if scope["path"].startswith(PREFIX):
                    check_may_upload(whoever)
        except FORESEEN as error:
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close", "code": 1011})
            return await (await on_foreseen(None, error))(scope, receive, send)
        if stranger:
            detail = "people must sign in before others than this machine are answered; see docs/install.md, A team"
            return await problem(403, "alone", "Alone on this machine", detail)(scope, receive, send)
        if scope["method"] == "PUT" and scope["path"].startswith(PREFIX):
            return await self._uploads.take(self._app, scope, receive, send)
        await self._app(scope, receive, send)

    async def _is_stranger(self, connection: HTTPConnection) -> bool:
        """Return whether a request comes from elsewhere while nobody must sign in."""
        if connection.client is None or is_loopback(connection.client.host):
            return False
        return not await in_thread(required, self._workshop())

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = token_of(HTTPConnection(scope))
        opened_by = await in_thread(self._who, token)
        scope = {**scope, "headers": self._resumable(scope["headers"], opened_by)}
        closed = False

        async def receive_for_them() -> Message:
            nonlocal closed
            message = await receive()
            if message["type"] == "websocket.receive" and await in_thread(self._who, token) != opened_by:
                closed = True
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        async def send_to_them(message: Message) -> None:
            if not closed:
                await send(message)

        await self._app(scope, receive_for_them, send_to_them)

    def _who(self, token: str | None) -> Hands | type[Exception]:
        """Return in whose hands this token puts a page, or what keeps them out."""
        try:
            return whose(self._workshop(), token).hands
        except (NotSignedIn, PasswordDue) as error:
            return type(error)

    def _resumable(self, headers: list[tuple[bytes, bytes]], who: Hands | type[Exception]) -> list[tuple[bytes, bytes]]:
        """Return a handshake's headers without the page session to go on with, if that was in other hands.

        Streamlit sends its protocol's name, a token against forgery and that session as one list.
        """
        kept = []
        for name, value in headers:
            if name == b"sec-websocket-protocol":
                parts = value.split(b",")
                if len(parts) > 2 and self._workshop().page_hands.of(parts[2].strip().decode("latin-1")) != who:
                    value = b",".join(parts[:2])
            kept.append((name, value))
        return kept


def is_private(method: str, path: str) -> bool:
    """Return whether a request to Streamlit is for people alone: it changes something, or pictures may come.

    Examples
    --------
    >>> is_private("GET", "/review"), is_private("PUT", "/_stcore/upload_file/a/b"), is_private("GET", "/media/a.png")
    (False, True, True)
    """
    if path.startswith(_OURS) or path in _OPEN_OF_STREAMLIT:
        return False
    return method not in _READING or path.startswith(_PRIVATE)
