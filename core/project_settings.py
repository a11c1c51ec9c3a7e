"""What a project is annotated under: one value, checked as a whole, as the database and the canvas see it as JSON."""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from core.errors import InvalidInput
from core.quality.checks import CHECKS

AS_IMPORTED: Final = "as imported"
EVEN_OUT: Final = "even out"
MOST_LEFT: Final = "most left first"
ORDERS: Final = (AS_IMPORTED, EVEN_OUT, MOST_LEFT)
MOST_GUIDELINES: Final = 20_000
MOST_PICTURES: Final = 40
MOST_LABELS: Final = 500
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GuidelinePicture:
    """A picture of the guidelines: its name, by which the text shows it, and the hash of its file."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """Settings of a project; a value that exists can be meant.

    Attributes
    ----------
    skip_limit_s, warn_at_s : int
        Active seconds after which an object has taken too long, and after which that is announced.
    skip_mode : {"skip", "warn"}
        What the limit does.
    labels : bool
        Whether each mask can have a label; `label_names` are offered.
    min_area : int
        Pixels below which a mask is flagged.
    calibration : int, optional
        The round that new annotators pass first.
    next_order : {"as imported", "even out", "most left first"}
        Which image comes next among those of one priority.
    checks_off : tuple of str
        Checks that are not asked at accept; one that a later version adds is asked.
    by_hand_share : float
        Share of objects to be outlined by hand, 0 to 0.5.
    overlap_share : float
        Share of images that a second annotator does too, 0 to 1.
    audit_rate : float
        Share of new masks that audits are to draw, 0 to 1; 0 asks for none.
    blur : bool
        Whether faces and number plates of photos are blurred before anybody sees them.
    guidelines : str
        Markdown for annotators, which shows `guideline_pictures` by their names.

    Raises
    ------
    InvalidInput
        If a value cannot be meant.
    """

    skip_limit_s: int = 30
    warn_at_s: int = 20
    skip_mode: str = "skip"
    labels: bool = False
    label_names: tuple[str, ...] = ()
    min_area: int = 100
    calibration: int | None = None
    next_order: str = AS_IMPORTED
    checks_off: tuple[str, ...] = ()
    by_hand_share: float = 0.0
    overlap_share: float = 0.0
    audit_rate: float = 0.0
    blur: bool = True
    guidelines: str = ""
    guideline_pictures: tuple[GuidelinePicture, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        _within("the limit", self.skip_limit_s, 5, 3600, "from 5 to 3600 seconds")
        if not (_is_number(self.warn_at_s) and 0 < self.warn_at_s <= self.skip_limit_s):
            said = f"the warning must come before the limit of {self.skip_limit_s} s, got {self.warn_at_s!r}"
            raise InvalidInput(said)
        if self.skip_mode not in ("skip", "warn"):
            raise InvalidInput(f"what the limit does must be skip or warn, got {self.skip_mode!r}")
        _within("the smallest mask", self.min_area, 0, 10**6, "from 0 to a million pixels")
        if self.next_order not in ORDERS:
            raise InvalidInput(f"the order of images must be one of {', '.join(ORDERS)}, got {self.next_order!r}")
        for name, switch in (("labels", self.labels), ("blur", self.blur)):
            if not isinstance(switch, bool):
                raise InvalidInput(f"{name} must be on or off, got {switch!r}")
        if self.calibration is not None and not _is_whole(self.calibration):
            raise InvalidInput(f"the calibration must be a round's number or none, got {self.calibration!r}")
        if not _texts(self.label_names, MOST_LABELS, 200):
            raise InvalidInput(f"label names must be at most {MOST_LABELS} texts of 1 to 200 characters, got others")
        if not (isinstance(self.checks_off, tuple) and all(one in list(CHECKS) for one in self.checks_off)):
            raise InvalidInput(f"checks to leave out must be of {', '.join(CHECKS)}, got {_short(self.checks_off)}")
        _within("the share outlined by hand", self.by_hand_share, 0, 0.5, "from 0 to 0.5")
        _within("the share of images done twice", self.overlap_share, 0, 1, "from 0 to 1")
        _within("the audit rate", self.audit_rate, 0, 1, "from 0 to 1")
        if not (isinstance(self.guidelines, str) and len(self.guidelines) <= MOST_GUIDELINES):
            came = len(self.guidelines) if isinstance(self.guidelines, str) else repr(self.guidelines)
            raise InvalidInput(f"guidelines must be a text of at most {MOST_GUIDELINES:,} characters, got {came}")
        _check_pictures(self.guideline_pictures)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ProjectSettings":
        """Return the settings that JSON says; what it leaves out is as by default.

        Raises
        ------
        InvalidInput
            If it has a setting that there is none of, or a value that cannot be meant.
        """
        names = [field.name for field in fields(cls)]
        unknown = sorted(str(name) for name in set(data) - set(names))
        if unknown:
            raise InvalidInput(f"a project's setting must be one of {', '.join(names)}, got {unknown[0][:40]!r}")
        return cls(**{name: _READ.get(name, _as_it_is)(value) for name, value in data.items()})

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def _pictures(value: Any) -> Any:
    """Return pictures as JSON says them, or what came, to be refused."""
    try:
        return tuple(GuidelinePicture(str(one["name"]), str(one["sha256"])) for one in value)
    except (TypeError, KeyError):
        return value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_it_is(value: Any) -> Any:
    return value


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "label_names": _tuple,
    "checks_off": _tuple,
    "guideline_pictures": _pictures,
}


def _check_pictures(pictures: Any) -> None:
    if not (isinstance(pictures, tuple) and all(isinstance(one, GuidelinePicture) for one in pictures)):
        raise InvalidInput(f"pictures of the guidelines must each have a name and a hash, got {_short(pictures)}")
    names = [one.name for one in pictures]
    if len(names) > MOST_PICTURES:
        raise InvalidInput(f"guidelines must have at most {MOST_PICTURES} pictures, got {len(names)}")
    if not _texts(tuple(names), MOST_PICTURES, 200) or len(set(names)) < len(names):
        raise InvalidInput("each picture of the guidelines must have a name of its own, got others")
    if not all(_SHA256.fullmatch(one.sha256) for one in pictures):
        raise InvalidInput("a picture of the guidelines must have the hash of a file, got another")


def _within(what: str, value: object, low: float, high: float, said: str) -> None:
    if not (_is_number(value) and low <= value <= high):  # type: ignore[operator]
        raise InvalidInput(f"{what} must be {said}, got {_short(value)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(values: object, most: int, longest: int) -> bool:
    return (
        isinstance(values, tuple)
        and len(values) <= most
        and all(isinstance(one, str) and 1 <= len(one) <= longest for one in values)
    )


def _short(value: object) -> str:
    shown = repr(list(value) if isinstance(value, tuple) else value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def changed(old: ProjectSettings, new: ProjectSettings, names: Iterable[str]) -> dict[str, Any]:
    """Return which of the named settings differ, with their new values as JSON."""
    before, after = old.to_json(), new.to_json()
    return {name: after[name] for name in names if before[name] != after[name]}
