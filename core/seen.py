"""What a person saw before they changed something: two people must not undo each other's change unseen."""

from dataclasses import dataclass

from core.errors import Conflict


@dataclass(frozen=True, slots=True)
class Seen:
    """A value as it was shown to whoever changes it."""

    value: str | None


def check_seen(what: str, seen: Seen | None, there: str | None, wanted: str | None) -> None:
    """Go on if what is there is what was seen, or is as it is wanted already; nothing said of it, nothing is asked.

    Raises
    ------
    Conflict
        If somebody has changed it meanwhile.

    Examples
    --------
    >>> check_seen("a label", Seen("cup"), "cup", "mug")
    >>> check_seen("a label", None, "jug", "mug")
    """
    if seen is not None and there not in (seen.value, wanted):
        raise Conflict(f"{what} must be changed as it was shown, but it was changed to {there or 'none'} meanwhile")
