"""What queries return: frozen values that outlive the session they were read in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project and its settings."""

    id: int
    name: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person, their preferences, and how they may sign in; `must_change` while their password was made for them.

    `email` is their address at an identity provider, `subject` the account there that first came with it.
    """

    id: int
    name: str
    preferences: dict[str, Any]
    role: str = "annotator"
    password_hash: str | None = field(default=None, repr=False)
    must_change: bool = False
    deactivated_at: datetime | None = None
    email: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A sign-in that holds, and whose it is; `must_change` if that person's password is due before anything else."""

    id: int
    person_id: int
    name: str
    role: str
    must_change: bool
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person as the team's page shows them: when they were last seen, and what they accepted since a moment.

    `masks` counts those not deleted since, `active_ms` is their active time together.
    """

    id: int
    name: str
    role: str
    has_password: bool
    must_change: bool
    deactivated_at: datetime | None
    email: str | None
    seen_at: datetime | None
    masks: int
    active_ms: int


@dataclass(frozen=True, slots=True)
class AtWorkRow:
    """An object that somebody has in work, on which image and since when."""

    person_id: int
    image_id: int
    image: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that somebody did, when; `image` is the image's name."""

    id: int
    at: datetime
    person: str | None
    kind: str
    image: str | None
    mask_id: int | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image with the numbers that lists show: accepted masks, proposals (imported masks nobody has accepted yet),
    open skips, work of the asking person.
    """

    id: int
    project_id: int
    name: str
    sha256: str
    working_sha256: str
    thumb_sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    original_bytes: int
    state: str
    created_at: datetime
    version: int
    priority: int
    masks: int
    proposals: int
    skips: int
    has_work: bool


class ExportImageRow(NamedTuple):
    """An image as exports need it. A tuple, as a library is millions of rows."""

    id: int
    name: str
    working_sha256: str
    width: int
    height: int


class RunsRow(NamedTuple):
    """A mask's pixels as runs, and the box around them: x, y, width, height."""

    mask_id: int
    height: int
    width: int
    counts: str
    bbox: tuple[int, int, int, int]


class ExportMaskRow(NamedTuple):
    """A mask as exports need it."""

    id: int
    area: int
    bbox_x: int
    bbox_y: int
    bbox_width: int
    bbox_height: int
    label: str | None
    predicted_iou: float | None
    stability_score: float | None
    origin: str
    edited: bool
    height: int
    width: int
    counts: str


@dataclass(frozen=True, slots=True)
class LibraryNameRow:
    """An image as imports of masks look for it: its name, and the sizes that it may have been drawn at."""

    id: int
    name: str
    sha256: str
    width: int
    height: int
    original_width: int
    original_height: int


@dataclass(frozen=True, slots=True)
class FilesRow:
    """An image's files by their hashes, and the size of its working image."""

    project_id: int
    sha256: str
    working_sha256: str
    thumb_sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to be put into the library; its files are in the store already."""

    project_id: int
    name: str
    sha256: str
    working_sha256: str
    thumb_sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    original_bytes: int


@dataclass(frozen=True, slots=True)
class Times:
    """Active time of an object in milliseconds, split by what it went into."""

    waiting_ms: int = 0
    thinking_ms: int = 0
    prompting_ms: int = 0
    painting_ms: int = 0

    @property
    def active_ms(self) -> int:
        """All of it together."""
        return self.waiting_ms + self.thinking_ms + self.prompting_ms + self.painting_ms


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt as it was given: a point with its label, or a box with its second corner."""

    kind: str
    x: float
    y: float
    x1: float | None = None
    y1: float | None = None
    label: int | None = None
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class NewEdit:
    """An edit as it was made."""

    kind: str
    detail: dict[str, Any] = field(default_factory=dict)
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class NewFlag:
    """What a check said."""

    name: str
    severity: str
    message: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A kept flag and what was done about it."""

    id: int
    mask_id: int
    name: str
    severity: str
    message: str
    detail: dict[str, Any]
    resolution: str | None


@dataclass(frozen=True, slots=True)
class NewMask:
    """A mask to be saved under an idempotency key."""

    key: str
    image_id: int
    person_id: int
    object_key: str
    origin: str
    height: int
    width: int
    counts: str
    area: int
    bbox: tuple[int, int, int, int]
    model_version_id: int | None = None
    supersedes_id: int | None = None
    assigned: str | None = None
    label: str | None = None
    predicted_iou: float | None = None
    stability_score: float | None = None
    candidate_level: str | None = None
    candidate_rank: int | None = None
    edited: bool = False
    kept_iou: float | None = None
    concavity: float | None = None
    times: Times = Times()
    prompts: tuple[NewPrompt, ...] = ()
    edits: tuple[NewEdit, ...] = ()
    flags: tuple[NewFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskRow:
    """An accepted mask with its pixels as COCO RLE counts."""

    id: int
    key: str
    image_id: int
    person_id: int
    model_version_id: int | None
    supersedes_id: int | None
    object_key: str
    origin: str
    label: str | None
    area: int
    bbox: tuple[int, int, int, int]
    predicted_iou: float | None
    stability_score: float | None
    candidate_level: str | None
    candidate_rank: int | None
    edited: bool
    kept_iou: float | None
    times: Times
    created_at: datetime
    height: int
    width: int
    counts: str
    prompts: tuple[NewPrompt, ...] = ()
    flags: tuple[FlagRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Touched:
    """A mask or skip that was to be changed, the image it is on, and whether there was anything to change."""

    id: int
    image_id: int
    changed: bool


@dataclass(frozen=True, slots=True)
class WorkRow:
    """The object in work of one person on one image; its version is a new word each time it is kept, by a tab."""

    image_id: int
    object_key: str
    state: dict[str, Any]
    updated_at: datetime
    version: str
    client: str


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """Who is on an image, since when, and until when without a further sign of life."""

    image_id: int
    person_id: int
    name: str
    taken_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A mask that a reviewer sent back to its author, and its image."""

    mask_id: int
    image_id: int


@dataclass(frozen=True, slots=True)
class SkipRow:
    """An object in the hard queue."""

    id: int
    key: str
    image_id: int
    object_key: str
    reason: str
    state: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a project is: images, those done, live masks, open skips."""

    images: int
    done: int
    masks: int
    skips: int
    proposals: int = 0


@dataclass(frozen=True, slots=True)
class ModelVersionRow:
    """A model version: weights that answered prompts, or that were trained to."""

    id: int
    name: str
    content_hash: str
    encoder_hash: str
    parent_id: int | None
    detail: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LearnableRow:
    """A mask that may be learned from, and the working image it is on."""

    mask_id: int
    image_id: int
    working_sha256: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job: what was asked, how far it is, and how it ended."""

    id: int
    kind: str
    state: str
    asked: dict[str, Any]
    progress: dict[str, Any]
    message: str | None
    cancel_asked: bool
    lease_until: datetime | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("queued", "running")


@dataclass(frozen=True, slots=True)
class NewReview:
    """A verdict to be kept; `audit_id` is that of the audit it was given for, if any."""

    key: str
    mask_id: int
    person_id: int
    audit_id: int | None
    verdict: str
    rating: int | None
    codes: tuple[str, ...]
    comment: str | None
    markup: tuple[Any, ...]
    took_ms: int


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A reviewer's verdict on a mask; after a fix, the mask it was corrected to and how far it was from that."""

    id: int
    mask_id: int
    person_id: int
    audit_id: int | None
    verdict: str
    rating: int | None
    codes: tuple[str, ...]
    comment: str | None
    markup: tuple[Any, ...]
    took_ms: int
    corrected_id: int | None
    iou: float | None
    boundary_iou: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit: how its sample was drawn from how many masks, and how many reviewers each mask gets."""

    id: int
    person_id: int
    method: str
    population: int
    reviewers: int
    plan: dict[str, Any]
    created_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class AuditItemRow:
    """A mask of an audit, with what chance it was drawn, and whether it was known to be good before."""

    mask_id: int
    chance: float
    known: bool = False


@dataclass(frozen=True, slots=True)
class AuditableRow:
    """What an audit's sample is drawn by, of a live mask; of its flags, how many are grave and not answered."""

    mask_id: int
    person_id: int
    model_version_id: int | None
    share: float
    predicted_iou: float | None
    edited: bool
    flags: int


@dataclass(frozen=True, slots=True)
class AnswersRow:
    """What people made of a check's flags: said in all, upheld (mended), refused (kept as it was), and those that
    were open when their mask was deleted, which is the answer where nothing mends; those whose mask has a verdict, and
    those of them whose mask some reviewer did not approve.
    """

    name: str
    said: int
    upheld: int
    refused: int
    deleted: int
    reviewed: int
    faulted: int


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round: the same images given to several people, blind; `passing` is what a calibration asks for."""

    id: int
    project_id: int
    person_id: int
    name: str
    kind: str
    passing: dict[str, float]
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A person's place in a round, and how far they are; nobody's (None) holds the agreed masks."""

    round_id: int
    person_id: int | None
    name: str | None
    project_id: int
    passed: bool
    images: int
    done: int
    masks: int

    @property
    def finished(self) -> bool:
        """Whether every image is done."""
        return self.done == self.images


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A verdict of an audit on a mask that is as the model offered it, with what the model predicted."""

    mask_id: int
    model_version_id: int | None
    predicted_iou: float
    chance: float
    verdict: str
    iou: float | None


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """A verdict on a mask, its IoU with the correction if it was fixed, and what the model predicted."""

    verdict: str
    iou: float | None
    rating: int | None
    predicted_iou: float | None
    edited: bool


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


@dataclass(frozen=True, slots=True)
class NewBox:
    """A face or number plate to be blurred, in working-image pixels; `score` if a detector found it."""

    kind: str
    box: tuple[float, float, float, float]
    score: float | None = None


@dataclass(frozen=True, slots=True)
class BoxRow:
    """A face or number plate that is blurred, or was: found by a detector, or drawn by a person."""

    id: int
    image_id: int
    kind: str
    box: tuple[float, float, float, float]
    source: str
    score: float | None
    person_id: int | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SearchRow:
    """That an image was searched for faces and plates, by which detector, and when somebody looked at the outcome."""

    image_id: int
    detector: str
    seen_at: datetime | None
