"""What was measured on each object, and the file that keeps it, so that a run that was cut off goes on."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from core.errors import InvalidInput

_START: Final = '{"evaluation": "'


@dataclass(frozen=True, slots=True)
class Outcome:
    """One object's figures.

    Attributes
    ----------
    object, image : str
        Names within the data set.
    mark : str
        Hash of the photo and the mask that were measured on.
    iou, best3, predictions, click_ms
        As in `core.training.protocol.Trace`.
    box_iou, box_best3 : float
        IoU for the object's box alone: of the best-scored mask, and the best of the three.
    encode_ms : float or None
        Time to encode the photo; None if another object's embedding served.
    """

    object: str
    image: str
    mark: str
    iou: tuple[float, ...]
    best3: tuple[float, ...]
    predictions: tuple[tuple[float, float], ...]
    click_ms: tuple[float, ...]
    box_iou: float
    box_best3: float
    encode_ms: float | None


class OutcomeFile:
    """A file of outcomes, one JSON object a line, only ever appended to.

    Each line says under which key it was measured, so one file serves many runs. A line that was torn when a run
    was killed is passed over.

    Raises
    ------
    InvalidInput
        If the file cannot be written, or is something else.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._key = key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        except OSError as error:
            raise InvalidInput(f"the file of results must be writable, but {path} is not ({error.strerror})") from error
        first = text.partition("\n")[0]
        if first[: len(_START)] != _START[: len(first)]:
            raise InvalidInput(f"the file of results must be new or one of `masksmith evaluate`, but {path} is not")
        self._torn = bool(text) and not text.endswith("\n")
        self._text = text

    def known(self) -> dict[str, Outcome]:
        """Return the outcomes measured under the file's key when it was opened, by object."""
        found = (_read(line, self._key) for line in self._text.splitlines())
        return {outcome.object: outcome for outcome in found if outcome is not None}

    def append(self, outcome: Outcome) -> None:
        """Keep one more outcome."""
        line = json.dumps({"evaluation": self._key, **asdict(outcome)}) + "\n"
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n" + line if self._torn else line)
        except OSError as error:
            raise InvalidInput(
                f"the file of results must be writable, but {self.path} is not ({error.strerror})"
            ) from error
        self._torn = False


def _read(line: str, key: str) -> Outcome | None:
    try:
        values: dict[str, Any] = json.loads(line)
        if values["evaluation"] != key:
            return None
        kept = {field.name: values[field.name] for field in fields(Outcome)}
        for name in ("iou", "best3", "click_ms"):
            kept[name] = tuple(float(value) for value in kept[name])
        kept["predictions"] = tuple((float(one), float(other)) for one, other in kept["predictions"])
        return Outcome(**kept)
    except (ValueError, KeyError, TypeError):
        return None  # torn when a run was killed; its object is measured again
