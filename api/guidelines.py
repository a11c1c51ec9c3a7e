"""The guidelines: their text as it was written, and their pictures."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.common import in_thread, workshop
from core import guidelines, projects


async def text(request: Request) -> Response:
    """Return the Markdown, and where its pictures are by their names; the canvas lets no markup of it run."""
    shop = workshop(request)
    found = await in_thread(projects.settings, shop)
    pictures = {one.name: one.sha256 for one in found.guideline_pictures}
    return JSONResponse({"text": found.guidelines, "pictures": pictures})


async def picture(request: Request) -> Response:
    """Return a picture."""
    shop = workshop(request)
    data = await in_thread(guidelines.picture, shop, str(request.path_params["sha256"]))
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(data, media_type="image/jpeg", headers=headers)


ROUTES = [
    Route("/guidelines", may("annotate", text), methods=["GET"]),
    Route("/guidelines/pictures/{sha256}", may("annotate", picture), methods=["GET"]),
]
