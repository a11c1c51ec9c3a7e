"""In whose hands the open pages are: so that one that connects anew goes on only for who it was shown to."""

from typing import Final, NamedTuple

_MOST: Final = 10_000


class Hands(NamedTuple):
    """Whose a page is: the person, their role, and whether they signed in or are alone on the machine."""

    person_id: int
    role: str
    signed_in: bool


class PageHands:
    """Remembers by a page's session whose it was when it was drawn last; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._hands: dict[str, Hands] = {}

    def note(self, session_id: str, hands: Hands) -> None:
        """Note that a page was drawn for somebody."""
        self._hands.pop(session_id, None)
        self._hands[session_id] = hands
        while len(self._hands) > _MOST:
            self._hands.pop(next(iter(self._hands)), None)

    def drop(self, session_id: str) -> None:
        """Note that a page was drawn for nobody."""
        self._hands.pop(session_id, None)

    def of(self, session_id: str) -> Hands | None:
        """Return whose a page was when it was drawn last, None if that is not known."""
        return self._hands.get(session_id)
