"""Which image comes next, and who is on which: leases are taken, kept and handed back."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import LeaseBody, NextBody, read
from api.common import in_thread, path_id, query_key, workshop
from core import queueing


async def following(request: Request) -> Response:
    """Let go of the image that is left and give the next one to whoever asks; null if there is nothing to do."""
    shop = workshop(request)
    body = await read(request, NextBody)
    found = await in_thread(
        queueing.next_image, shop, client=body.client, leaving=body.leaving, passed=frozenset(body.passed)
    )
    return JSONResponse(
        {"image": found.image_id, "mask": found.mask_id, "round": found.round_id, "ahead": list(found.ahead)}
    )


async def hold(request: Request) -> Response:
    """Give an image to whoever opened it, or keep it theirs; 409 if somebody else is on it."""
    shop = workshop(request)
    body = await read(request, LeaseBody)
    image_id = path_id(request, "id")
    await in_thread(queueing.hold, shop, image_id, client=body.client, take_over=body.take_over)
    return Response(status_code=204)


async def hand_back(request: Request) -> Response:
    """Let an image go; with `?client=` only if no other tab of the person is on it."""
    shop = workshop(request)
    client = query_key(request, "client")
    await in_thread(queueing.hand_back, shop, path_id(request, "id"), client=client)
    return Response(status_code=204)


ROUTES = [
    Route("/next", may("annotate", following), methods=["POST"]),
    Route("/images/{id}/lease", may("annotate", hold), methods=["PUT"]),
    Route("/images/{id}/lease", may("annotate", hand_back), methods=["DELETE"]),
]
