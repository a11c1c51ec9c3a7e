"""The canvas's modules, under a name that changes with their content."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

_TYPES = {".js": "text/javascript", ".css": "text/css"}


def app(folder: Path) -> Starlette:
    """Return an app that serves `folder`'s .js and .css files at /{version}/{name}, cached for good."""
    known = {path.name: path for path in folder.iterdir() if path.suffix in _TYPES}

    async def serve(request: Request) -> Response:
        path = known.get(request.path_params["name"])
        if path is None:
            return PlainTextResponse("no such file", status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)

    return Starlette(routes=[Route("/{version}/{name}", serve)])
