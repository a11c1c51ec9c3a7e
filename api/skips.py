"""Objects left for the hard queue, and taken back."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import SkipBody, idempotency_key, read
from api.common import in_thread, path_id, path_ref, workshop
from core import skipping


async def skip(request: Request) -> Response:
    """Leave an object, with its prompts, to the hard queue."""
    shop = workshop(request)
    key = idempotency_key(request)
    image_id = path_id(request, "id")
    body = await read(request, SkipBody)
    skip_id, created = await in_thread(
        skipping.skip,
        shop,
        image_id,
        key,
        object_key=body.object_key,
        reason=body.reason,
        state=body.state,
        times=body.times.model_dump(),
    )
    return JSONResponse({"skip_id": skip_id, "key": key}, status_code=201 if created else 200)


async def take_back(request: Request) -> Response:
    """Take a skipped object out of the hard queue again."""
    shop = workshop(request)
    await in_thread(skipping.take_back, shop, path_ref(request))
    return Response(status_code=204)


async def restore(request: Request) -> Response:
    """Put an object that was taken back into the hard queue again."""
    shop = workshop(request)
    await in_thread(skipping.put_back, shop, path_ref(request))
    return Response(status_code=204)


ROUTES = [
    Route("/images/{id}/skips", may("annotate", skip), methods=["POST"]),
    Route("/skips/{ref}", may("annotate", take_back), methods=["DELETE"]),
    Route("/skips/{ref}/restore", may("annotate", restore), methods=["POST"]),
]
