"""Keeps pages of other sites away from the library of whoever has one open in the same browser.

Alone on a machine there is no sign-in that a foreign page could lack, so two things are asked of every request. Its
Host must be an address or a name that is known to be ours: a foreign name that has come to point here (DNS rebinding)
is not.
And what changes something must not come from another site's page, which browsers say in Origin and Sec-Fetch-Site;
programs send neither and pass.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem

_READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Answers requests that must not be answered otherwise, and lets the others through.

    Parameters
    ----------
    app : ASGIApp
        What is guarded.
    hosts : tuple of str
        Further names by which this server is reached, such as a proxy's; lower case.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            host = headers.get("host", "")
            if not known_host(host, self._hosts):
                detail = (
                    f"the server must be reached by an address or a name in MASKSMITH_HOSTS, got {_name(host)[:80]!r}"
                )
                return await problem(421, "host", "Not this server's name", detail)(scope, receive, send)
            if scope["method"] not in _READING and not same_site(headers):
                detail = "a change must be asked for by a page of this server, not by one of another site"
                return await problem(403, "other-site", "Another site asked", detail)(scope, receive, send)
        await self._app(scope, receive, send)


def known_host(host: str, more: tuple[str, ...]) -> bool:
    """Return whether a Host header names this server: an IP address, this machine's name, or one of `more`.

    Examples
    --------
    >>> known_host("127.0.0.1:8501", ()), known_host("evil.example", ())
    (True, False)
    """
    name = _name(host)
    if name in ("localhost", socket.gethostname().lower(), *more) or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_site(headers: Headers) -> bool:
    """Return whether a request is no other site's: what browsers say of it, or that no browser speaks."""
    said = headers.get("sec-fetch-site")
    if said is not None:
        return said in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
