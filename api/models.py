"""Model versions, and retraining: what scripts need of the Models page."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.common import in_thread, path_id, workshop
from api.shapes import job_json, version_json
from core import jobs, versions
from core.errors import NotFound
from core.workshop import Workshop


async def every(request: Request) -> Response:
    """List the versions, newest first, and say which one answers."""
    return JSONResponse(await in_thread(_every, workshop(request)))


def _every(shop: Workshop) -> dict[str, Any]:
    now = versions.answering(shop)
    return {"answering": now.id, "versions": [version_json(row) for row in versions.every(shop)]}


async def promote(request: Request) -> Response:
    """Let a version answer from now on."""
    version = await in_thread(versions.promote, workshop(request), path_id(request, "id"))
    return JSONResponse(version_json(version))


async def roll_back(request: Request) -> Response:
    """Let the version answer again that the one answering now was made of."""
    return JSONResponse(version_json(await in_thread(versions.roll_back, workshop(request))))


async def begin(request: Request) -> Response:
    """Begin a retraining."""
    shop = workshop(request)
    await in_thread(jobs.begin, shop)
    return await newest(request, status=202)


async def newest(request: Request, *, status: int = 200) -> Response:
    """Say how far the newest retraining is."""
    job = await in_thread(jobs.newest, workshop(request))
    if job is None:
        raise NotFound("there must have been a retraining, but there was none")
    return JSONResponse(job_json(job), status_code=status)


async def cancel(request: Request) -> Response:
    """Ask a retraining to end."""
    await in_thread(jobs.cancel, workshop(request), path_id(request, "id"))
    return Response(status_code=204)


ROUTES = [
    Route("/models", may("models", every), methods=["GET"]),
    Route("/models/{id}/promote", may("models", promote), methods=["POST"]),
    Route("/models/roll-back", may("models", roll_back), methods=["POST"]),
    Route("/retrainings", may("models", begin), methods=["POST"]),
    Route("/retrainings/newest", may("models", newest), methods=["GET"]),
    Route("/retrainings/{id}", may("models", cancel), methods=["DELETE"]),
]
