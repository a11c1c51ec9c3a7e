"""From a prompt to candidates: the path of every click."""

import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import PromptBody, read
from api.common import computing, in_thread, path_id, workshop
from api.shapes import candidate_json
from core import library, queueing
from core.segmentation.desk import Answer
from core.segmentation.protocol import Point, Prompt
from core.workshop import Workshop
from storage.errors import StorageError

log = logging.getLogger(__name__)


async def prompt(request: Request) -> Response:
    """Answer a prompt with candidates, best first."""
    shop = workshop(request)
    body = await read(request, PromptBody)
    answer = await computing(_ask, shop, path_id(request, "id"), body)
    return JSONResponse(answer)


def _ask(shop: Workshop, image_id: int, body: PromptBody) -> dict[str, Any]:
    image = library.image(shop, image_id)
    asked = Prompt(
        points=tuple(Point(x, y, label) for x, y, label in body.points),
        box=body.box,
    )
    asked = asked.check(height=image.height, width=image.width)
    answer: Answer = shop.desk.prompt(
        image.working_sha256,
        asked,
        refine=body.refine,
        client=body.client,
        whose=shop.person_id,
        hover=body.preview,
        full=1 if body.lazy else 3,
    )
    if not body.preview:
        _show_life(shop, image_id, body.client)
    size = (image.height, image.width)
    return {
        "candidates": [
            candidate_json(offered, size, full=not body.preview and (rank == 0 or not body.lazy))
            for rank, offered in enumerate(answer.candidates)
        ],
        "model": answer.model,
        "refined": answer.refined,
        "seq": body.seq,
        "elapsed_ms": {"embedding": round(answer.embedding_ms, 1), "decode": round(answer.decode_ms, 1)},
    }


def _show_life(shop: Workshop, image_id: int, client: str) -> None:
    try:
        queueing.show_life(shop, image_id, client=client)
    except StorageError:
        # The candidates are there; whose the image is can be noted at the next prompt.
        log.warning("a sign of life could not be noted", exc_info=True)


async def candidate(request: Request) -> Response:
    """Return one offered candidate with its full-size mask."""
    shop = workshop(request)
    token = str(request.path_params["token"])
    answer = await in_thread(_candidate, shop, path_id(request, "id"), token)
    return JSONResponse(answer)


def _candidate(shop: Workshop, image_id: int, token: str) -> dict[str, Any]:
    image = library.image(shop, image_id)
    offered = shop.desk.candidate(token, image.working_sha256)
    return candidate_json(offered, (image.height, image.width), full=True)


ROUTES = [
    Route("/images/{id}/prompt", may("annotate", prompt), methods=["POST"]),
    Route("/images/{id}/candidates/{token}", may("annotate", candidate), methods=["GET"]),
]
