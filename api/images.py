"""The library: pages of images, one image with its masks, its pixels, and its original for owners."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import OpenBody, StateBody, read
from api.common import MAX_ID, computing, in_thread, path_id, query_int, workshop
from api.shapes import image_json, mask_json, skip_json, work_json
from core import annotating, authorship, covering, library, mending, protecting
from core.errors import InvalidInput
from core.workshop import Library
from storage.rows import ImageRow

_FOREVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
"""A box may be blurred at any time: only an address that names the version stays true."""
_STATES = ("new", "in_work", "done")


async def page(request: Request) -> Response:
    """Return one page of images in queue order."""
    shop = workshop(request)
    limit = query_int(request, "limit", default=100, low=1, high=500)
    after = query_int(request, "after", default=0, low=0, high=MAX_ID)
    state = request.query_params.get("state") or None
    if state is not None and state not in _STATES:
        raise InvalidInput(f"state must be one of {', '.join(_STATES)}, got {state[:80]!r}")
    found = await in_thread(library.page, shop, limit=limit, after=after or None, state=state)
    return JSONResponse({"images": [image_json(entry) for entry in found.images], "next": found.next})


async def one(request: Request) -> Response:
    """Return an image, its accepted masks, the object in work and its open skips."""
    shop = workshop(request)
    view = await in_thread(library.view, shop, path_id(request, "id"))
    listed = [mask_json(mask, locked=not authorship.may_change(shop, mask)) for mask in view.masks]
    return JSONResponse(
        {
            **image_json(view.entry),
            "mask_list": listed,
            "work": work_json(view.work),
            "open_skips": [skip_json(skip) for skip in view.skips],
        }
    )


async def pixels(request: Request) -> Response:
    """Return the working image."""
    return await _file(request, mending.working)


async def thumbnail(request: Request) -> Response:
    """Return the small picture of the queue."""
    return await _file(request, mending.thumbnail)


async def _file(request: Request, read_file: Callable[[Library, ImageRow], bytes]) -> Response:
    shop = workshop(request)
    image = await in_thread(library.image, shop, path_id(request, "id"))
    sha256 = image.working_sha256 if read_file is mending.working else image.thumb_sha256
    named = request.query_params.get("v") == image.working_sha256[:12]
    headers = {"ETag": f'"{sha256}"', "Cache-Control": _FOREVER if named else _ASK_AGAIN}
    if _known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    data = await in_thread(read_file, shop, image)
    return Response(data, media_type=library.media_type(data), headers=headers)


async def original(request: Request) -> Response:
    """Return the photo as it came: for owners alone, and never kept by the browser."""
    shop = workshop(request)
    found = await in_thread(protecting.original, shop, path_id(request, "id"))
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "Cache-Control": "no-store",
    }
    return Response(found.data, media_type=library.media_type(found.data), headers=headers)


def _known(sent: str, etag: str) -> bool:
    """Return whether If-None-Match names the tag: a list, weak or strong (proxies weaken tags), or any."""
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in sent.split(","))


async def open_image(request: Request) -> Response:
    """Encode the image now, the given ones in the background; answer when prompts can be."""
    shop = workshop(request)
    body = await read(request, OpenBody)
    image_id = path_id(request, "id")
    elapsed_ms = await computing(library.open_image, shop, image_id, prefetch=body.next, client=body.client)
    return JSONResponse({"embedding": "ready", "elapsed_ms": round(elapsed_ms, 1)})


async def left(request: Request) -> Response:
    """Say how many objects without a mask the image's survey still sees, and where."""
    shop = workshop(request)
    image = await in_thread(library.image, shop, path_id(request, "id"))
    found = await in_thread(covering.left_now, shop, image)
    return JSONResponse({"left": found.count, "boxes": [[round(value, 1) for value in box] for box in found.boxes]})


async def state(request: Request) -> Response:
    """Set how far an image is."""
    shop = workshop(request)
    body = await read(request, StateBody)
    await in_thread(annotating.set_state, shop, path_id(request, "id"), body.state, seen=body.seen)
    return Response(status_code=204)


ROUTES = [
    Route("/images", may("annotate", page), methods=["GET"]),
    Route("/images/{id}", may("annotate", one), methods=["GET"]),
    Route("/images/{id}/pixels", may("annotate", pixels), methods=["GET"]),
    Route("/images/{id}/thumbnail", may("annotate", thumbnail), methods=["GET"]),
    Route("/images/{id}/original", may("originals", original), methods=["GET"]),
    Route("/images/{id}/open", may("annotate", open_image), methods=["POST"]),
    Route("/images/{id}/left", may("annotate", left), methods=["GET"]),
    Route("/images/{id}/state", may("annotate", state), methods=["POST"]),
]
