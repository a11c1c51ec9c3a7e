"""The bridge between signing in by an identity provider, which Streamlit does, and our own sign-ins.

Streamlit sends browsers to the provider, and checks the answer that they come back with: state, nonce, the signed ID
token. What it then has is a cookie of its own, signed and good for 30 days, that no route of ours would look at and
nobody could revoke. It never reaches the browser: the bridge takes it out of Streamlit's answer, reads it, and puts in
its place the cookie of a sign-in of ours, the one that passwords lead to as well. So what a browser says of itself
counts for nothing here, and whoever is signed out stays out.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.common import in_thread
from api.session import is_https, with_cookie
from core import provider
from core.errors import FORESEEN, NotSignedIn
from core.workshop import Workshop

LOGIN: Final = "/auth/login"
CALLBACK: Final = "/oauth2callback"
"""Streamlit's routes, where one goes to the provider and comes back to."""
NEXT: Final = "masksmith_next"
"""Cookie that keeps which page was asked for, until one is back."""
_STREAMLITS: Final = "_streamlit_user"
_LONGEST_NEXT: Final = 2_000
_AWAY_S: Final = 15 * 60
_MOST: Final = 10_000

Claims = Callable[[Mapping[str, str]], tuple[Mapping[str, object], str] | None]
"""Returns what Streamlit's cookies say of somebody, and as whom this server asked; None if they do not hold."""


def bridge(workshop: Callable[[], Workshop], claims: Claims) -> Middleware:
    """Return the bridge as the server mounts it behind the gate; see `Bridge`."""
    return Middleware(Bridge, workshop=workshop, claims=claims)


class Bridge:
    """Makes a sign-in of ours from what a provider said to Streamlit, once.

    Parameters
    ----------
    app : ASGIApp
        Streamlit.
    workshop : callable
        Returns the open workshop.
    claims : callable
        Reads Streamlit's cookies.
    """

    def __init__(self, app: ASGIApp, workshop: Callable[[], Workshop], claims: Claims) -> None:
        self._app = app
        self._workshop = workshop
        self._claims = claims
        self._used: dict[str, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in (LOGIN, CALLBACK):
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        begun: Message = {}

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)

        await self._app(scope, receive, keep)
        headers = Headers(raw=begun["headers"])
        # Whatever Streamlit says of people stays here; the rest, such as its note of who was sent away, passes.
        passing, theirs = [], {}
        for cookie in headers.getlist("set-cookie"):
            name, _, rest = cookie.partition("=")
            if name.startswith(_STREAMLITS):
                theirs[name] = rest.partition(";")[0]
            else:
                passing.append(cookie)
        if scope["path"] == LOGIN:
            answer = _sent_away(request, begun["status"], headers.get("location", ""))
        else:
            answer = await self._come_back(request, theirs)
        for cookie in passing:
            answer.headers.append("set-cookie", cookie)
        answer.headers["cache-control"] = "no-store"
        answer.headers["referrer-policy"] = "no-referrer"  # the address holds the provider's code
        await answer(scope, receive, send)

    async def _come_back(self, request: Request, theirs: Mapping[str, str]) -> Response:
        """Return the answer to a browser that comes from the provider."""
        there = local(unquote(request.cookies.get(NEXT, "")))
        if "error" in request.query_params:
            return _page(403, "the provider must let you in, but did not", there)
        said = self._claims(theirs)
        if said is None or not self._first_use(request.query_params.get("state", "")):
            detail = "what the provider answers must hold, be meant for this browser and come once, but does not"
            return _page(403, detail, there)
        claims, client_id = said
        try:
            token = await in_thread(provider.sign_in, self._workshop(), claims, client_id=client_id)
        except FORESEEN as error:
            return _page(403 if isinstance(error, NotSignedIn) else 503, str(error), there)
        answer = with_cookie(request, token, RedirectResponse(there, status_code=302))
        answer.delete_cookie(NEXT, path=CALLBACK)
        return answer

    def _first_use(self, state: str) -> bool:
        """Return whether nobody has come back by this state yet, and note that now somebody has.

        A provider takes each code once, and Streamlit takes a state out of the browser's cookie; an old cookie and a
        lenient provider would let both pass again.
        """
        if state in self._used:
            return False
        self._used[state] = None
        while len(self._used) > _MOST:
            self._used.pop(next(iter(self._used)))
        return True


def _sent_away(request: Request, status: int, location: str) -> Response:
    """Return the answer to a browser that wants to go to the provider: where that is, if it answers."""
    there = local(_path_here(request.headers.get("referer", ""), request.headers.get("host", "")))
    if status != 302:
        return _page(503, "the provider must answer, but cannot be reached; others sign in with a password", there)
    answer = RedirectResponse(location, status_code=302)
    answer.set_cookie(
        NEXT,
        quote(there, safe=""),
        max_age=_AWAY_S,
        path=CALLBACK,
        secure=is_https(request),
        httponly=True,
        samesite="lax",  # one comes back from another site
    )
    return answer


def _path_here(referer: str, host: str) -> str:
    """Return which path of this server a browser comes from, with its query; nothing if it comes from elsewhere."""
    try:
        asked = urlsplit(referer)
    except ValueError:
        return ""
    return asked._replace(scheme="", netloc="").geturl() if asked.netloc.lower() == host.lower() else ""


def local(address: str) -> str:
    """Return an address if it is a page of this server, else the first page's.

    Examples
    --------
    >>> local("/review?image=3"), local("//evil.example/"), local("/\\\\evil.example"), local("https://evil.example/")
    ('/review?image=3', '/', '/', '/')
    """
    # Browsers take two slashes, and backslashes for them, for the beginning of another server's name.
    inside = address.startswith("/") and not address.startswith("//") and "\\" not in address
    fits = inside and address.isprintable() and len(address) <= _LONGEST_NEXT
    return address if fits and address.partition("?")[0] not in (LOGIN, CALLBACK) else "/"


def _page(status: int, sentence: str, there: str) -> Response:
    """Return one sentence for people, and the way back to the form that signs in."""
    said = escape(f"{sentence[:1].upper()}{sentence[1:]}.")
    return HTMLResponse(
        _PAGE.format(said=said, there=escape(there, quote=True)),
        status_code=status,
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
    )


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Masksmith</title>
<style>
  :root {{ color-scheme: light dark; --back: #fbfbfc; --raised: #eef0f3; --text: #1b1e24; --line: #d4d8df; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ --back: #16181d; --raised: #1f2229; --text: #e6e8ec; --line: #31353f; }}
  }}
  body {{ margin: 0; padding: min(18vh, 150px) 16px; background: var(--back); color: var(--text);
    font: 15px/1.5 "Source Sans", system-ui, sans-serif; }}
  main {{ display: grid; gap: 14px; max-width: 420px; margin: 0 auto; padding: 28px; border: 1px solid var(--line);
    border-radius: 12px; background: var(--raised); }}
  h1, p {{ margin: 0; overflow-wrap: anywhere; }}
  h1 {{ font-size: 22px; font-weight: 600; }}
  a {{ padding: 9px; border-radius: 8px; background: #f0a020; color: #16181d; font-weight: 600; text-align: center;
    text-decoration: none; }}
</style>
</head>
<body>
<main>
<h1>You are not signed in</h1>
<p role="alert">{said}</p>
<a href="{there}">Back to signing in</a>
</main>
</body>
</html>
"""
