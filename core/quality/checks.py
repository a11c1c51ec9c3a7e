"""The automatic checks: each a small function of one mask, all in one table."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.masks import Mask, Rle
from core.quality.flags import ExistingMask, Flag, Limits, Prediction, Subject, subject_of
from core.quality.neighbours import astride, crumb, duplicate, gap
from core.quality.outlines import rough, stairs
from core.quality.shape import border, bridge, covering, holes, islands, small
from core.quality.trust import reworked, unstable, unsure

__all__ = [
    "CHECKS",
    "LIBRARY_CHECKS",
    "ExistingMask",
    "Flag",
    "Limits",
    "Prediction",
    "Report",
    "check_mask",
    "validate_mask",
]

Check = Callable[[Subject], Iterator[Flag]]

CHECKS: Final[dict[str, Check]] = {
    "small": small,
    "islands": islands,
    "holes": holes,
    "duplicate": duplicate,
    "covering": covering,
    "bridge": bridge,
    "rough": rough,
}
"""What is asked at accept, by the name of its flag: what an annotator can do something about, at once.

Emptiness comes before. Adding a check is adding a function here or below.
"""

LIBRARY_CHECKS: Final[dict[str, Check]] = {
    **CHECKS,
    "stairs": stairs,
    "border": border,
    "crumb": crumb,
    "gap": gap,
    "astride": astride,
    "unstable": unstable,
    "unsure": unsure,
    "reworked": reworked,
}
"""What a library is gone over with, and a mask from outside: these besides tell a reviewer where to look."""

_GRAVITY: Final = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Report:
    """What all checks say of a mask, gravest first."""

    flags: tuple[Flag, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error and no warning."""
        return all(flag.severity == "info" for flag in self.flags)


def check_mask(
    mask: Mask,
    existing: Sequence[ExistingMask],
    *,
    limits: Limits,
    off: Collection[str] = (),
    rle: Rle | None = None,
) -> list[Flag]:
    """Return what the checks at accept say of a mask, gravest first; nothing if all is well.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    existing : sequence of ExistingMask
        The other masks of the image, of the same size.
    off : collection of str
        Checks that are not asked.
    rle : Rle, optional
        The mask as runs, if they are known.

    Examples
    --------
    >>> import numpy as np
    >>> [flag.name for flag in check_mask(np.zeros((4, 4), bool), [], limits=Limits())]
    ['empty']
    """
    asked = {name: check for name, check in CHECKS.items() if name not in off}
    return _said(asked, subject_of(mask, existing, limits, rle=rle))


def validate_mask(
    mask: Mask, existing: Sequence[ExistingMask], *, limits: Limits, prediction: Prediction | None = None
) -> Report:
    """Return what all checks say of a mask, those at accept and those of a library.

    The image itself is not asked for: no check looks at its pixels, and its size is the mask's.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    existing : sequence of ExistingMask
        The other masks of the image, of the same size.
    prediction : Prediction, optional
        What the model said of it; without it nothing is said of the model's trust.

    Examples
    --------
    >>> import numpy as np
    >>> disk = np.hypot(*np.mgrid[-50:50, -50:50]) < 30
    >>> validate_mask(disk, [], limits=Limits()).ok
    True
    >>> doubted = validate_mask(disk, [], limits=Limits(), prediction=Prediction(0.6, 0.97))
    >>> [flag.message for flag in doubted.flags]
    ["The mask's predicted IoU is 0.60, below 0.75."]
    """
    return Report(tuple(_said(LIBRARY_CHECKS, subject_of(mask, existing, limits, prediction))))


def _said(checks: Mapping[str, Check], subject: Subject | None) -> list[Flag]:
    if subject is None:
        return [Flag("empty", "error", "The mask is empty.")]
    flags = [flag for check in checks.values() for flag in check(subject)]
    return sorted(flags, key=lambda flag: _GRAVITY[flag.severity])
