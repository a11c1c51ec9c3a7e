"""Whether the server can do its work."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.problems import problem
from core.errors import FORESEEN
from core.workshop import Workshop


def healthz(workshop: Callable[[], Workshop]) -> Callable[[Request], object]:
    """Return the route that answers 200 once the model is loaded and the database is reachable."""

    async def answer(_request: Request) -> Response:
        try:
            model = await run_in_threadpool(lambda: workshop().check())
        except FORESEEN as error:
            return problem(503, "not-ready", "The server is not ready", str(error))
        return JSONResponse({"status": "ok", "model": model})

    return answer
