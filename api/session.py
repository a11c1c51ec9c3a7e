"""Signing in and out: the cookie, set and taken away here alone."""

import ipaddress
from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import token_of
from api.bodies import Body, Secret, read
from api.common import in_thread, opened
from core import sign_in
from core.roles import check_role
from core.sign_in import COOKIE
from core.workshop import Workshop


class SignInBody(Body):
    """A name and its password."""

    name: Annotated[str, Field(max_length=200)]
    password: Secret


class PasswordBody(Body):
    """The password there is, and the one there is to be."""

    old: Secret
    new: Secret


# A hash takes 64 MB and a core's time: two at once, the others wait without a thread.
_HASHING: Final = CapacityLimiter(2)


async def begin(request: Request) -> Response:
    """Sign somebody in: 204 with a cookie."""
    body = await read(request, SignInBody)
    token = await to_thread.run_sync(
        lambda: sign_in.sign_in(opened(request), body.name, body.password, address=address_of(request)),
        limiter=_HASHING,
    )
    return with_cookie(request, token)


async def end(request: Request) -> Response:
    """Sign out, if anybody is signed in."""
    await in_thread(sign_in.sign_out, opened(request), token_of(request))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/", secure=is_https(request), httponly=True, samesite="strict")
    return answer


async def who(request: Request) -> Response:
    """Say who is signed in; alone on a machine that is its owner."""
    return JSONResponse(await in_thread(_who, opened(request), token_of(request)))


def _who(shop: Workshop, token: str | None) -> dict[str, object]:
    found = sign_in.holder(shop, token)
    if found is None:
        return {"person": {"id": shop.person_id, "name": "owner"}, "role": shop.role, "signed_in": False}
    return {
        "person": {"id": found.person_id, "name": found.name},
        "role": check_role(found.role),
        "signed_in": True,
        "must_change": found.must_change,
    }


async def change_password(request: Request) -> Response:
    """Change one's own password; every other sign-in of this person ends."""
    body = await read(request, PasswordBody)
    token = await to_thread.run_sync(
        lambda: sign_in.change_password(
            opened(request), token_of(request), body.old, body.new, address=address_of(request)
        ),
        limiter=_HASHING,
    )
    return with_cookie(request, token)


def with_cookie(request: Request, token: str, answer: Response | None = None) -> Response:
    """Return an answer, empty unless given, that leaves a token where no script reads it and no other site sends it."""
    answer = answer or Response(status_code=204)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(sign_in.LONGEST.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )
    return answer


def address_of(request: Request) -> str:
    """Return where a request comes from; of an IPv6 address its network, as every machine has a network full of them.

    A proxy on this machine is believed what it says of others, as uvicorn does.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    # A server that listens on `::` sees IPv4 as a part of one IPv6 network.
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def is_https(request: Request) -> bool:
    """Return whether the browser came by https, as a proxy says or the connection is."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
    return "https" in (request.url.scheme, forwarded)


ROUTES = [
    Route("/session", begin, methods=["POST"]),
    Route("/session", end, methods=["DELETE"]),
    Route("/session", who, methods=["GET"]),
    Route("/session/password", change_password, methods=["PUT"]),
]
"""The only routes that `api.access.may` does not stand before."""
