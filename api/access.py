"""Who asks, and whether they may: every route names the permission it takes, and none is answered without."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.common import in_thread, opened
from core.roles import Permission, require
from core.sign_in import whose

COOKIE: Final = "masksmith_session"

Endpoint = Callable[..., Awaitable[Response]]


def may(permission: Permission, endpoint: Endpoint) -> Endpoint:
    """Return a route's endpoint that answers only who has the permission; it works in that person's name.

    `api.common.workshop` knows a workshop only behind this, so that a route without a permission fails.
    """

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        shop = await in_thread(whose, opened(request), token_of(request))
        require(shop, permission)
        request.state.workshop = shop
        return await endpoint(request)

    answer.permission = permission  # type: ignore[attr-defined]
    return answer


def token_of(connection: HTTPConnection) -> str | None:
    """Return the token that a browser sends along, or None."""
    return connection.cookies.get(COOKIE)
