"""The state of an object in work or in the hard queue: the canvas's own JSON, of which little must hold here."""

from typing import Any, Final

from core.errors import InvalidInput

_LISTS: Final = ("points", "edits")


def check_state(state: dict[str, Any]) -> None:
    """Refuse a state that pages or other people's canvases could not read.

    Raises
    ------
    InvalidInput
        If its object, the object's points and edits, or the answer's candidates are not what they are said to be.
    """
    found, answer = state.get("object"), state.get("answer")
    for name, value in (("object", found), ("answer", answer)):
        if value is not None and not isinstance(value, dict):
            raise InvalidInput(f"state.{name} must be an object or null, got {_kind(value)}")
    for name in _LISTS:
        value = (found or {}).get(name)
        if value is not None and not isinstance(value, list):
            raise InvalidInput(f"state.object.{name} must be a list, got {_kind(value)}")
    if answer is not None:
        candidates = answer.get("candidates")
        if not isinstance(candidates, list) or not all(isinstance(one, dict) for one in candidates):
            raise InvalidInput("state.answer.candidates must be a list of objects, got another thing")


def clicks(state: dict[str, Any]) -> int:
    """Return how many points an object was given; none where a state, kept before it was checked, cannot be read.

    Examples
    --------
    >>> clicks({"object": {"points": [{"x": 1}, {"x": 2}]}}), clicks({"object": [1]}), clicks({})
    (2, 0, 0)
    """
    found = state.get("object")
    points = found.get("points") if isinstance(found, dict) else None
    return len(points) if isinstance(points, list) else 0


def _kind(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else repr(value)[:60]
