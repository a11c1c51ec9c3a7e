"""Who works, in which project, with which preferences and model."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, RootModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import finite, read
from api.common import in_thread, workshop
from core import projects


async def project(request: Request) -> Response:
    """Return the project, its progress, the model and the person."""
    shop = workshop(request)
    overview = await in_thread(projects.overview, shop)
    return JSONResponse(overview)


class Preferences(RootModel[Annotated[dict[Annotated[str, Field(max_length=64)], Any], AfterValidator(finite)]]):
    """A small JSON object of the canvas: keys, opacity and the like."""


async def preferences(request: Request) -> Response:
    """Keep the person's preferences."""
    shop = workshop(request)
    sent = await read(request, Preferences)
    await in_thread(projects.keep_preferences, shop, sent.root)
    return Response(status_code=204)


ROUTES = [
    Route("/project", may("annotate", project), methods=["GET"]),
    Route("/preferences", may("annotate", preferences), methods=["PUT"]),
]
