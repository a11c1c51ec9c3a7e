"""The object in work: kept while it is worked on, so that a closed tab loses nothing."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import WorkBody, read
from api.common import in_thread, path_id, query_key, workshop
from core import annotating


async def keep(request: Request) -> Response:
    """Keep the object in work as the canvas describes it; say under which version, and whether another is there."""
    shop = workshop(request)
    body = await read(request, WorkBody)
    kept = await in_thread(
        annotating.keep_work,
        shop,
        path_id(request, "id"),
        body.object_key,
        body.state,
        seen=body.what_was_seen(),
        client=body.client,
    )
    return JSONResponse({"version": kept.version, "holder": kept.holder})


async def drop(request: Request) -> Response:
    """Forget the object in work; with `?object=KEY` only if it is still that one."""
    shop = workshop(request)
    object_key = query_key(request, "object")
    await in_thread(annotating.drop_work, shop, path_id(request, "id"), object_key)
    return Response(status_code=204)


ROUTES = [
    Route("/images/{id}/work", may("annotate", keep), methods=["PUT"]),
    Route("/images/{id}/work", may("annotate", drop), methods=["DELETE"]),
]
