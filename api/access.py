"""Who asks, and whether they may: every route names the permission it takes, and none is answered without."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.common import in_thread, opened, path_id
from core import rounds
from core.errors import NotSignedIn
from core.roles import Permission, require
from core.sign_in import COOKIE, whose

PERSON: Final = "masksmith-person"
"""Header in which a page says whose it is: a browser's cookie may have become another person's meanwhile."""

Endpoint = Callable[..., Awaitable[Response]]


def may(permission: Permission, endpoint: Endpoint) -> Endpoint:
    """Return a route's endpoint that answers only who has the permission; it works in that person's name.

    Below a round it works from that person's seat.

    `api.common.workshop` knows a workshop only behind this, so that a route without a permission fails.
    """

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        shop = await in_thread(whose, opened(request), token_of(request))
        if shop.signed_in and request.headers.get(PERSON, str(shop.person_id)) != str(shop.person_id):
            raise NotSignedIn("a page must be of whoever is signed in, but this one is somebody else's; reload it")
        require(shop, permission)
        if "round" in request.path_params:
            shop = await in_thread(rounds.enter, shop, path_id(request, "round"))
        request.state.workshop = shop
        return await endpoint(request)

    answer.permission = permission  # type: ignore[attr-defined]
    return answer


def token_of(connection: HTTPConnection) -> str | None:
    """Return the token that a browser sends along, or None."""
    return connection.cookies.get(COOKIE)
