"""The annotation workbench and the stopwatch of outlines by hand: Streamlit components around JavaScript modules."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from pages.canvas.assets import FOLDER

_HTML = '<div class="ms-root"></div>'


@dataclass(frozen=True, slots=True)
class Assigned:
    """An object that chance has assigned to be outlined by hand: its key, the time it took till now, where it is."""

    key: str
    times: dict[str, int]
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class AskedByHand:
    """An image to be outlined by hand, and the room there is for it in CSS pixels.

    Attributes
    ----------
    assigned : Assigned or None
        The object that chance has assigned to be outlined; without it the annotator chose to.
    """

    image_id: int
    width: int
    height: int
    assigned: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose workbench it is: a person's who signed in, or of whoever is alone on this machine.

    Attributes
    ----------
    person_id : int or None
        The server refuses what this page sends once somebody else is signed in at the browser.
    room : str
        Under which name the browser keeps unsent masks and drafts, apart from those of others who sign in at it.
    """

    person_id: int | None = None
    room: str = "masksmith"


@dataclass(frozen=True, slots=True)
class WorkbenchResult:
    """What the workbench told Streamlit in this run.

    Attributes
    ----------
    by_hand : AskedByHand or None
        Set when the annotator has just asked for the outline mode.
    """

    by_hand: AskedByHand | None


def workbench(
    *,
    image_id: int | None,
    mask_id: int | None,
    skip: str | None,
    whose: Whose,
    round_id: int | None,
    version: str,
) -> WorkbenchResult:
    """Mount the workbench and return what it asks of the page.

    Parameters
    ----------
    image_id : int or None
        The image to open first; None lets the workbench take the first one that is not done.
    mask_id : int or None
        A mask of that image to be edited at once.
    skip : str or None
        Key of a skipped object of that image to be taken up again.
    whose : Whose
        Whose page it is.
    round_id : int or None
        The round whose images are annotated, from the person's own seat; None for the library's.
    version : str
        Names the modules under /canvas/{version}/, see `pages.canvas.assets.version`.
    """
    result = _component()(
        key="workbench" if round_id is None else f"workbench-{round_id}",
        data={
            "image_id": image_id,
            "mask_id": mask_id,
            "skip": skip,
            "round_id": round_id,
            "person": whose.person_id,
            "room": whose.room if round_id is None else f"{whose.room}-round-{round_id}",
            "module": f"/canvas/{version}/main.js",
            "api": "/api" if round_id is None else f"/api/rounds/{round_id}",
        },
        on_by_hand_change=_ignore,
    )
    return WorkbenchResult(by_hand=_asked(result.by_hand))


def stopwatch(*, outline: str, version: str) -> dict[str, int] | None:
    """Measure the active time of an outline by hand; return it, split as times are, once a button is pressed.

    Parameters
    ----------
    outline : str
        Names the outline: after a reload its time goes on.
    version : str
        As of `workbench`.
    """
    data = {"key": outline, "module": f"/canvas/{version}/stopwatch.js"}
    result = _bare_component()(key=f"stopwatch-{outline}", data=data, on_times_change=_ignore)
    try:
        return _times(result.times)
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def shown_guidelines(*, text: str, pictures: dict[str, str], version: str) -> None:
    """Show guidelines as the workbench does.

    Parameters
    ----------
    text : str
        Markdown.
    pictures : dict of str to str
        Hashes of pictures by their names.
    version : str
        As of `workbench`.
    """
    data = {"text": text, "pictures": pictures, "api": "/api", "module": f"/canvas/{version}/guidelines.js"}
    _styled_component()(key="guidelines-preview", data=data)


def _asked(sent: Any) -> AskedByHand | None:
    try:
        numbers = {name: int(sent[name]) for name in ("image_id", "width", "height")}
        assigned = None
        if sent.get("object_key") is not None:
            x, y = (float(value) for value in sent["at"])
            assigned = Assigned(str(sent["object_key"])[:64], _times(sent["times"]), x, y)
        return AskedByHand(**numbers, assigned=assigned)
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def _times(sent: Any) -> dict[str, int]:
    return {name: int(sent[name]) for name in ("waiting_ms", "thinking_ms", "prompting_ms", "painting_ms")}


@lru_cache(maxsize=1)
def _component() -> ComponentRenderer:
    css = _text("canvas.css") + _text("guidelines.css")
    return st.components.v2.component("masksmith_workbench", html=_HTML, css=css, js=_text("canvas.js"))


@lru_cache(maxsize=1)
def _styled_component() -> ComponentRenderer:
    return st.components.v2.component(
        "masksmith_guidelines", html=_HTML, css=_text("guidelines.css"), js=_text("canvas.js")
    )


@lru_cache(maxsize=1)
def _bare_component() -> ComponentRenderer:
    return st.components.v2.component("masksmith_bare", html=_HTML, js=_text("canvas.js"))


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _ignore() -> None:
    """Streamlit wants a callback for every trigger; the page reads the result instead."""
