"""The JSON that routes answer with, made from what core returns."""

from typing import Any

from core import masks
from core.library import Entry
from core.mask_rows import rle_of
from core.masks import Rle
from core.proposals import ORIGIN
from core.quality.checks import CHECKS
from core.segmentation.desk import OfferedCandidate
from storage.rows import FlagRow, JobRow, MaskRow, ModelVersionRow, SkipRow, WorkRow


def image_json(entry: Entry) -> dict[str, Any]:
    """Return an image as lists show it."""
    image = entry.image
    return {
        "id": image.id,
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "pixels_version": image.working_sha256[:12],
        "state": image.state,
        "version": image.version,
        "priority": image.priority,
        "masks": image.masks,
        "proposals": image.proposals,
        "skips": image.skips,
        "embedding": entry.embedding,
        "has_work": image.has_work,
    }


def mask_json(mask: MaskRow, *, locked: bool = False) -> dict[str, Any]:
    """Return an accepted mask with its pixels, times, prompts and the flags that ask its annotator something.

    `locked` says that whoever asks may not change it.
    """
    return {
        "mask_id": mask.id,
        "key": mask.key,
        "rle": rle_of(mask),
        "bbox": list(mask.bbox),
        "area": mask.area,
        "predicted_iou": mask.predicted_iou,
        "stability_score": mask.stability_score,
        "level": mask.candidate_level,
        "label": mask.label,
        "origin": mask.origin,
        "edited": mask.edited,
        "active_ms": mask.times.active_ms,
        "times": {
            "waiting_ms": mask.times.waiting_ms,
            "thinking_ms": mask.times.thinking_ms,
            "prompting_ms": mask.times.prompting_ms,
            "painting_ms": mask.times.painting_ms,
        },
        "created_at": mask.created_at.isoformat(),
        "object_key": mask.object_key,
        "supersedes": mask.supersedes_id,
        "locked": locked,
        "prompts": [
            {
                "kind": prompt.kind,
                "x": prompt.x,
                "y": prompt.y,
                "x1": prompt.x1,
                "y1": prompt.y1,
                "label": prompt.label,
                "at_ms": prompt.at_ms,
            }
            for prompt in mask.prompts
        ],
        "flags": [flag_json(flag) for flag in mask.flags if flag.name in CHECKS or flag.name == ORIGIN],
    }


def flag_json(flag: FlagRow) -> dict[str, Any]:
    """Return a flag with how it can be mended."""
    return {
        "flag_id": flag.id,
        "name": flag.name,
        "severity": flag.severity,
        "message": flag.message,
        "detail": flag.detail,
        "resolution": flag.resolution,
        "fix": flag.detail.get("fix"),
    }


def work_json(work: WorkRow | None) -> dict[str, Any] | None:
    """Return the object in work, or None."""
    if work is None:
        return None
    return {
        "object_key": work.object_key,
        "state": work.state,
        "updated_at": work.updated_at.isoformat(),
        "version": work.version,
    }


def skip_json(skip: SkipRow) -> dict[str, Any]:
    """Return an object in the hard queue."""
    return {
        "skip_id": skip.id,
        "key": skip.key,
        "object_key": skip.object_key,
        "reason": skip.reason,
        "state": skip.state,
        "created_at": skip.created_at.isoformat(),
    }


def candidate_json(offered: OfferedCandidate, size_hw: tuple[int, int], *, full: bool) -> dict[str, Any]:
    """Return a candidate; without `full` its box and area are those of the coarse mask, scaled."""
    candidate = offered.candidate
    coarse = masks.encode(candidate.coarse)
    rle = masks.encode(candidate.mask()) if full else None
    box, area = (list(masks.bbox(rle)), masks.area(rle)) if rle else _scaled(coarse, size_hw)
    return {
        "token": offered.token,
        "rle": rle,
        "coarse": coarse,
        "bbox": box,
        "area": area,
        "predicted_iou": round(candidate.predicted_iou, 4),
        "stability_score": round(candidate.stability_score, 4),
        "level": candidate.level,
    }


def _scaled(coarse: Rle, size_hw: tuple[int, int]) -> tuple[list[int], int]:
    down, across = size_hw[0] / coarse["size"][0], size_hw[1] / coarse["size"][1]
    x, y, width, height = masks.bbox(coarse)
    box = [round(x * across), round(y * down), round(width * across), round(height * down)]
    return box, round(masks.area(coarse) * down * across)


def version_json(version: ModelVersionRow) -> dict[str, Any]:
    """Return a version as scripts see it."""
    detail = version.detail
    return {
        "id": version.id,
        "name": version.name,
        "content_hash": version.content_hash,
        "parent": version.parent_id,
        "created_at": version.created_at.isoformat(),
        **{key: detail.get(key) for key in ("trained", "holdout", "forgetting", "saving", "verdict")},
    }


def job_json(job: JobRow) -> dict[str, Any]:
    """Return a retraining as scripts see it."""
    return {
        "id": job.id,
        "state": job.state,
        "message": job.message,
        "progress": job.progress,
        "created_at": job.created_at.isoformat(),
        "ended_at": job.ended_at.isoformat() if job.ended_at else None,
    }
