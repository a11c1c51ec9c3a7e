"""Every path the server answers beside Streamlit's pages."""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from api import (
    canvas_files,
    exports,
    guidelines,
    health,
    images,
    masks,
    models,
    people,
    prompts,
    queue,
    session,
    skips,
    work,
)
from api.guard import Guard
from api.problems import HANDLERS
from core.workshop import Workshop


def routes(workshop: Callable[[], Workshop], *, canvas: Path, hosts: tuple[str, ...] = ()) -> list[BaseRoute]:
    """Return the routes to mount beside Streamlit.

    Parameters
    ----------
    workshop
        Returns the open workshop; called once per request.
    canvas
        Folder of the canvas's modules, served as they are.
    hosts
        Names by which browsers may reach the server besides addresses and this machine's own.
    """
    parts = (people, queue, images, prompts, masks, skips, work, guidelines)
    bench = [route for part in parts for route in part.ROUTES]
    api = Starlette(
        # In a round the bench is the same, from the person's seat.
        routes=[*session.ROUTES, *bench, *exports.ROUTES, *models.ROUTES, Mount("/rounds/{round}", routes=bench)],
        exception_handlers=HANDLERS,
        middleware=[Middleware(Guard, hosts=hosts)],
    )
    api.state.workshop = workshop
    return [
        Route("/healthz", health.healthz(workshop)),
        Mount("/api", app=api),
        Mount("/canvas", app=canvas_files.app(canvas)),
    ]
