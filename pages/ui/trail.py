"""Who did what, when: the library's events, newest first."""

from typing import Any, Final

import streamlit as st

from core import team
from core.workshop import Workshop
from pages.ui.text import plain
from storage.rows import EventRow

PER_PAGE: Final = 25
_SAID: Final = {
    "accept": "accepted mask {mask}",
    "delete": "deleted mask {mask}",
    "undo_accept": "took back mask {mask}",
    "restore": "brought back mask {mask}",
    "label": "labelled mask {mask}",
    "skip": "skipped an object",
    "take_back": "took an object out of the hard queue",
    "put_back": "put an object back into the hard queue",
    "state": "set the image to {state}",
    "review": "reviewed mask {mask}: {verdict}",
    "take_back_review": "took back a verdict on mask {mask}",
    "audit": "began audit {audit_id}",
    "model": "chose the model {name}",
    "retrain": "began retraining {job_id}",
    "settings": "changed the project's settings",
    "delete_images": "deleted {images} images",
    "export": "exported {masks} masks as {format}",
    "blur": "began the search for faces {job_id}",
    "draw_box": "blurred a {kind}",
    "remove_box": "made a {kind} sharp again",
    "see_boxes": "checked what is blurred",
    "original": "took the original",
    "sign_in": "signed in",
    "sign_in_by_provider": "signed in by the provider",
    "sign_out": "signed out",
    "own_password": "chose a new password",
    "person_added": "added {name} as {role}",
    "role": "made {name} {role}, before {before}",
    "password": "set the password of {name}",
    "email": "set the e-mail address of {name}",
    "no_email": "took away the e-mail address of {name}",
    "signed_out": "signed {name} out everywhere",
    "deactivated": "deactivated {name}",
    "reactivated": "opened the account of {name} again",
}


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def show_trail(shop: Workshop) -> None:
    """Show the events, a page at a time; older ones are asked for by the last one's number."""
    names = team.names(shop)
    before: list[int] = st.session_state.setdefault("trail", [])
    bar = st.container(horizontal=True, vertical_alignment="bottom", key="trail-bar")
    whose = bar.selectbox(
        "Who did what",
        [None, *names],
        format_func=lambda one: "Everybody" if one is None else names[one],
        on_change=before.clear,
        width=260,
    )
    found = team.happened(shop, limit=PER_PAGE + 1, before=before[-1] if before else None, person_id=whose)
    shown = found[:PER_PAGE]
    bar.space("stretch")
    if before:
        bar.button("Newer", icon=":material/chevron_left:", on_click=_back, args=(before,))
    if len(found) > PER_PAGE:
        bar.button("Older", icon=":material/chevron_right:", on_click=before.append, args=(shown[-1].id,))
    if not shown:
        st.info("Nothing was done yet.", icon=":material/history:")
        return
    rows = [
        {
            "When, UTC": f"{one.at:%Y-%m-%d %H:%M}",
            "Who": plain(one.person or ""),
            "What": plain(said(one)),
            "Image": plain(one.image or ""),
        }
        for one in shown
    ]
    st.table(rows, hide_index=True, border="horizontal")


def _back(before: list[int]) -> None:
    before.pop()


def said(event: EventRow) -> str:
    """Return what was done, in words.

    Examples
    --------
    >>> from datetime import datetime
    >>> said(EventRow(1, datetime(2026, 5, 4), "Ada", "delete", "a.jpg", 7, {}))
    'deleted mask 7'
    """
    words = _SAID.get(event.kind, event.kind.replace("_", " "))
    known = {key: str(value).replace("_", " ") for key, value in event.detail.items()}
    return words.format_map(_Known({**known, "mask": event.mask_id}))
