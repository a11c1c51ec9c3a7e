"""What models find beside the masks of an image."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewSurvey:
    """What a model found on an image beside the masks of these ids.

    Attributes
    ----------
    content_hash, encoder_hash : str
        Of the model that was asked.
    left_over : int
        How many of its `proposals` no mask covers.
    coverage, uncovered : float
        Shares: of objects that have a mask, and of the image that no mask covers.
    detail : dict
        Where what is left lies.
    spread : dict
        How what is left is spread over size bands and places: counts.
    summary : bytes or None
        The image as a vector of float16, for comparing images.
    """

    project_id: int
    image_id: int
    content_hash: str
    encoder_hash: str
    mask_ids: tuple[int, ...]
    proposals: int
    left_over: int
    coverage: float
    uncovered: float
    detail: dict[str, Any]
    spread: dict[str, Any]
    summary: bytes | None


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """A kept survey; `is_fresh` says whether the image's masks are still those it was made beside."""

    image_id: int
    content_hash: str
    masks: int
    proposals: int
    left_over: int
    coverage: float
    uncovered: float
    made_at: datetime
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class SurveyTotals:
    """Live images, those with a survey, those with a fresh one, and what the surveys say is left in all."""

    images: int
    surveyed: int
    fresh: int
    left_over: int


@dataclass(frozen=True, slots=True)
class StandingRow:
    """Where a surveyed image stands: its cluster, what is left on it, whether it is done, its live masks."""

    survey_id: int
    image_id: int
    cluster: int | None
    left_over: int
    is_done: bool
    masks: int


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """How many live masks are of a size band (0 to 2) with the centre in a field (0 to 8) of the photo."""

    band: int
    place: int
    masks: int
