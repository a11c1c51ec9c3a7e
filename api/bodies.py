"""What the canvas and scripts may send: parsed, bounded, and refused in one sentence."""

import json
import re
from typing import Annotated, Any, Literal, TypeVar

import anyio
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.requests import Request

from api.common import MAX_ID
from core.bounds import KEY, LONGEST_MS, check_own_key
from core.errors import InvalidInput
from core.queueing import MOST_PASSED
from core.seen import Seen

MAX_BODY_BYTES = 16 * 1024 * 1024
BODY_S = 60
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""NUL as JSON escapes it, which PostgreSQL cannot keep; behind an even number of backslashes it is one."""

Pixel = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_MS)]
Key = Annotated[str, Field(pattern=KEY)]
Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Client = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{0,64}$")]
"""Names a tab."""
DatabaseId = Annotated[int, Field(ge=1, le=MAX_ID)]


def finite(value: Any) -> Any:
    """Return JSON as it is, once no number in it is NaN or infinite: such JSON could be kept, but never answered."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise PydanticCustomError("finite", "every number in it must be finite") from error
    return value


def _mask_ref(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_ID:
        return value
    if isinstance(value, str) and re.fullmatch(KEY, value):
        return value
    raise PydanticCustomError("mask_ref", "must be the id or the key of a mask")


def _secret(value: object) -> str:
    if isinstance(value, str) and len(value) <= 1024:
        return value
    raise PydanticCustomError("secret", "must be a text of at most 1024 characters")


Secret = Annotated[str, PlainValidator(_secret)]
"""A password: what came is not told again."""

Free = Annotated[dict[str, Any], AfterValidator(finite)]
"""An object that is kept as it is and given back."""

MaskRef = Annotated[int | str, PlainValidator(_mask_ref)]


class Body(BaseModel):
    """Unknown fields are ignored, so that an older server understands a newer canvas."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Rle(Body):
    size: tuple[Annotated[int, Field(ge=1, le=100_000)], Annotated[int, Field(ge=1, le=100_000)]]
    counts: Annotated[str, Field(max_length=MAX_BODY_BYTES)]


class PromptBody(Body):
    points: Annotated[list[tuple[Pixel, Pixel, Literal[0, 1]]], Field(max_length=256)] = []
    box: tuple[Pixel, Pixel, Pixel, Pixel] | None = None
    refine: Annotated[str, Field(max_length=128)] | None = None
    client: Annotated[str, Field(max_length=64)] = ""
    seq: int = 0
    preview: bool = False
    lazy: bool = False


class OpenBody(Body):
    client: Annotated[str, Field(max_length=64)] = ""
    next: Annotated[list[DatabaseId], Field(max_length=32)] = []


class Times(Body):
    waiting_ms: Milliseconds = 0
    thinking_ms: Milliseconds = 0
    prompting_ms: Milliseconds = 0
    painting_ms: Milliseconds = 0


class SentPrompt(Body):
    kind: Literal["point", "box"]
    x: Pixel
    y: Pixel
    x1: Pixel | None = None
    y1: Pixel | None = None
    label: Literal[0, 1] | None = None
    at_ms: Milliseconds = 0

    @model_validator(mode="after")
    def _whole(self) -> "SentPrompt":
        if self.kind == "point" and self.label is None:
            raise PydanticCustomError("point", "a point must have a label")
        if self.kind == "box" and (self.x1 is None or self.y1 is None):
            raise PydanticCustomError("box", "a box must have its second corner in x1 and y1")
        return self


class SentEdit(Body):
    kind: Annotated[str, Field(min_length=1, max_length=32)]
    detail: Free = {}
    at_ms: Milliseconds = 0


class ChosenCandidate(Body):
    predicted_iou: Score | None = None
    stability_score: Score | None = None
    level: Literal["whole", "part", "subpart"] | None = None
    rank: Annotated[int, Field(ge=0, le=2)] | None = None
    kept_iou: Score | None = None


class MaskBody(Body):
    rle: Rle
    model: Annotated[str, Field(max_length=200)] | None = None
    object_key: Key
    origin: Literal["assisted", "by_hand", "imported"] = "assisted"
    candidate: ChosenCandidate | None = None
    label: Annotated[str, Field(max_length=200)] | None = None
    edited: bool = False
    supersedes: MaskRef | None = None
    prompts: Annotated[list[SentPrompt], Field(max_length=1000)] = []
    edits: Annotated[list[SentEdit], Field(max_length=10_000)] = []
    times: Times = Times()


class SeenBody(Body):
    """What can say what was seen of the thing before it was changed; left out, nothing is asked."""

    seen: Annotated[str, Field(max_length=200)] | None = None

    def what_was_seen(self) -> Seen | None:
        """Return what was seen, None if nothing is said of it."""
        return Seen(self.seen) if "seen" in self.model_fields_set else None


class LabelBody(SeenBody):
    label: Annotated[str, Field(max_length=200)] | None


class SkipBody(Body):
    object_key: Key
    reason: Annotated[str, Field(min_length=1, max_length=32)] = "hard"
    state: Free = {}
    times: Times = Times()


class WorkBody(SeenBody):
    object_key: Key
    state: Free
    client: Client = ""


class StateBody(Body):
    state: Literal["new", "in_work", "done"]
    seen: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None


class NextBody(Body):
    client: Client = ""
    leaving: DatabaseId | None = None
    passed: Annotated[list[DatabaseId], Field(max_length=MOST_PASSED)] = []


class LeaseBody(Body):
    client: Client = ""
    take_over: bool = False


class ResolutionBody(SeenBody):
    resolution: Literal["kept", "fixed"] | None


class TooLarge(InvalidInput):
    """More was sent than the server is willing to read."""


class TooSlow(InvalidInput):
    """A body was begun, but did not end in time."""


B = TypeVar("B", bound=BaseModel)


async def read(request: Request, body: type[B]) -> B:
    """Return the request's JSON as a checked `body`.

    Only `application/json` is taken: a page of another site cannot send that without the browser
    asking first, and nothing answers such a question.

    Raises
    ------
    InvalidInput
        If the content type, the JSON or a field is not what it must be.
    TooLarge
        If there are more bytes than any canvas sends.
    TooSlow
        If they take longer than any canvas needs.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidInput(f"content type must be application/json, got {kind or 'none'}")
    data = bytearray()
    try:
        with anyio.fail_after(BODY_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > MAX_BODY_BYTES:
                    raise TooLarge(f"a request body must be at most {MAX_BODY_BYTES} bytes, got more")
    except TimeoutError as error:
        raise TooSlow(f"a request body must come within {BODY_S} seconds, got {len(data)} bytes of it") from error
    if _NUL.search(data):
        raise InvalidInput("text must not hold the character NUL, got one")
    try:
        return body.model_validate_json(bytes(data))
    except ValidationError as error:
        raise InvalidInput(sentence(error)) from error


def sentence(error: ValidationError) -> str:
    """Return the first thing that is wrong as one sentence: where, what must hold, what came."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    message = first["msg"][:1].lower() + first["msg"][1:]
    return f"{where}: {message}{_came(first)}"


def _came(error: ErrorDetails) -> str:
    value = error["input"]
    if error["type"] in ("missing", "json_invalid", "point", "box", "secret"):
        return ""
    if isinstance(value, dict):
        return ", got an object"
    if isinstance(value, list | tuple):
        return f", got a list of {len(value)}"
    shown = repr(value)
    return f", got {shown if len(shown) <= 60 else shown[:59] + '…'}"


def idempotency_key(request: Request) -> str:
    """Return the Idempotency-Key header, 1 to 64 letters, digits or `_.:-`, and not a number.

    Raises
    ------
    InvalidInput
        If it is missing, a number, or has other characters.
    """
    key = request.headers.get("idempotency-key", "")
    check_own_key(key, "Idempotency-Key")
    return key
