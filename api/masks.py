"""Accepted masks: saving, deleting, bringing back, labelling, and answers to their flags."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access import may
from api.bodies import ChosenCandidate, LabelBody, MaskBody, ResolutionBody, idempotency_key, read
from api.common import in_thread, path_id, path_ref, query_int, workshop
from api.shapes import flag_json
from core import annotating


async def accept(request: Request) -> Response:
    """Save an accepted mask; the same key again answers with the first one's id."""
    shop = workshop(request)
    key = idempotency_key(request)
    image_id = path_id(request, "id")
    body = await read(request, MaskBody)
    saved = await in_thread(annotating.accept, shop, image_id, key, _accepted(body))
    answer = {
        "mask_id": saved.mask_id,
        "key": key,
        "created": saved.created,
        "flags": [flag_json(flag) for flag in saved.flags],
    }
    return JSONResponse(answer, status_code=201 if saved.created else 200)


def _accepted(body: MaskBody) -> annotating.Accepted:
    chosen = body.candidate or ChosenCandidate()
    return annotating.Accepted(
        rle={"size": list(body.rle.size), "counts": body.rle.counts},
        object_key=body.object_key,
        origin=body.origin,
        predicted_iou=chosen.predicted_iou,
        stability_score=chosen.stability_score,
        level=chosen.level,
        rank=chosen.rank,
        model=body.model,
        label=body.label,
        edited=body.edited,
        kept_iou=chosen.kept_iou,
        supersedes=body.supersedes,
        by_chance=body.origin == "assisted",
        prompts=[prompt.model_dump() for prompt in body.prompts],
        edits=[edit.model_dump() for edit in body.edits],
        times=body.times.model_dump(),
    )


async def delete(request: Request) -> Response:
    """Delete a mask with the versions it corrected; `?revive=1` lets the one before it live again."""
    shop = workshop(request)
    revive = bool(query_int(request, "revive", default=0, low=0, high=1))
    await in_thread(annotating.delete_mask, shop, path_ref(request), revive=revive)
    return Response(status_code=204)


async def restore(request: Request) -> Response:
    """Bring a deleted mask back."""
    shop = workshop(request)
    await in_thread(annotating.restore_mask, shop, path_ref(request))
    return Response(status_code=204)


async def label(request: Request) -> Response:
    """Set or clear a mask's label."""
    shop = workshop(request)
    body = await read(request, LabelBody)
    await in_thread(annotating.set_label, shop, path_ref(request), body.label, seen=body.what_was_seen())
    return Response(status_code=204)


async def resolve_flag(request: Request) -> Response:
    """Note what the annotator did about a flag."""
    shop = workshop(request)
    body = await read(request, ResolutionBody)
    flag_id = path_id(request, "flag")
    await in_thread(annotating.resolve_flag, shop, flag_id, body.resolution, seen=body.what_was_seen())
    return Response(status_code=204)


ROUTES = [
    Route("/images/{id}/masks", may("annotate", accept), methods=["POST"]),
    Route("/masks/{ref}", may("annotate", delete), methods=["DELETE"]),
    Route("/masks/{ref}/restore", may("annotate", restore), methods=["POST"]),
    Route("/masks/{ref}", may("annotate", label), methods=["PATCH"]),
    Route("/flags/{flag}", may("annotate", resolve_flag), methods=["POST"]),
]
