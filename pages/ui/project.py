"""The project's settings as a form: limits, labels, checks, the order of images, and shares."""

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from core.errors import FORESEEN, Conflict
from core.project_settings import ORDERS, ProjectSettings
from core.projects import change_settings, settings
from core.quality.checks import CHECKS
from core.workshop import Workshop
from pages.ui.text import plain, sentence

_MODES: Final = {"skip": "Skip the object to the hard queue", "warn": "Only warn"}
_SHOWN: Final = "settings-shown"
_WORDS: Final = {
    "small": "Small masks",
    "islands": "Islands",
    "holes": "Holes",
    "duplicate": "Duplicates",
    "covering": "Nearly the whole image",
    "bridge": "Thin bridges",
    "rough": "Jagged outlines",
}


@dataclass(slots=True)
class Shown:
    """The settings as the form shows them, and what was said of the last try to save."""

    settings: ProjectSettings
    number: int = 0
    saved: bool = False
    trouble: str = ""
    moved: bool = False


def begin(shop: Workshop) -> None:
    """Show the settings as they are now: from here on what others change is not overwritten unseen."""
    last: Shown | None = st.session_state.get(_SHOWN)
    st.session_state[_SHOWN] = Shown(settings(shop), last.number + 1 if last else 0)


def shown_settings() -> Shown:
    """Return the settings as this page shows them."""
    shown: Shown = st.session_state[_SHOWN]
    return shown


def save(shop: Workshop, changes: dict[str, Any]) -> None:
    """Save settings, given as JSON, and note what is to be said of it."""
    shown = shown_settings()
    try:
        new = change_settings(shop, changes, shown=shown.settings)
    except FORESEEN as error:
        shown.saved, shown.trouble, shown.moved = False, sentence(error), isinstance(error, Conflict)
    else:
        st.session_state[_SHOWN] = Shown(new, shown.number, saved=True)


def say_how_it_went(shop: Workshop) -> None:
    """Say what came of the last try to save, in a place of its own: what is below must not move."""
    shown = shown_settings()
    place = st.container()
    if shown.saved:
        place.success("Saved. Pages that are open follow with the next image.", icon=":material/check:")
    if shown.trouble:
        place.error(plain(shown.trouble), icon=":material/error:")
    if shown.moved:
        place.button("Show the settings as they are now", on_click=begin, args=(shop,))
    shown.saved, shown.trouble, shown.moved = False, "", False


def show_settings(shop: Workshop) -> None:
    """Show the settings of the project and save what is changed."""
    shown = shown_settings()
    now, number = shown.settings, shown.number

    def key(name: str) -> str:
        return f"setting-{number}-{name}"

    say_how_it_went(shop)
    with st.form("project-settings", border=False):
        first, second, third = st.columns(3, gap="large")
        with first:
            st.markdown("**An object**")
            row = st.columns(2)
            row[0].number_input("Time limit, seconds", 5, 3600, now.skip_limit_s, key=key("skip_limit_s"))
            row[1].number_input("Warn after, seconds", 1, 3600, now.warn_at_s, key=key("warn_at_s"))
            st.radio(
                "At the limit",
                list(_MODES),
                list(_MODES).index(now.skip_mode),
                format_func=_MODES.get,
                key=key("skip_mode"),
                help="Active time counts; waiting for the server does not.",
            )
            st.toggle("A label for each mask", now.labels, key=key("labels"))
            st.text_area(
                "Label names, one a line",
                "\n".join(now.label_names),
                key=key("label_names"),
                height=104,
                help="Offered while typing; others can be typed too.",
            )
        with second:
            st.markdown("**Checks at accept**")
            halves = st.columns(2)
            for place, name in enumerate(CHECKS):
                words = _WORDS.get(name, name.capitalize())
                halves[place % 2].checkbox(words, name not in now.checks_off, key=key(f"check-{name}"))
            st.number_input(
                "Flag masks below, in pixels",
                0,
                10**6,
                now.min_area,
                key=key("min_area"),
                help="Cleaning takes islands and holes below it first.",
            )
            st.markdown("**Order of images**")
            st.radio(
                "Within a priority",
                ORDERS,
                ORDERS.index(now.next_order),
                format_func=str.capitalize,
                key=key("next_order"),
                help="The last two need surveys: page Images, view Coverage. Images without one follow as imported.",
            )
        with third:
            st.markdown("**Shares**")
            st.number_input(
                "Images done by two annotators, %",
                0.0,
                100.0,
                now.overlap_share * 100,
                1.0,
                "%.1f",
                key=key("overlap_share"),
            )
            st.caption("Drawn by the photo itself. The second annotator does not see the first one's masks.")
            st.number_input(
                "Objects outlined by hand, %", 0.0, 50.0, now.by_hand_share * 100, 1.0, "%.1f", key=key("by_hand_share")
            )
            st.caption("Chance chooses them at the first click; their time tells what the model saves.")
            st.number_input(
                "Masks drawn into audits, %", 0.0, 100.0, now.audit_rate * 100, 1.0, "%.1f", key=key("audit_rate")
            )
            st.caption("How many masks a new audit asks for. With 0 it asks for 100.")
        st.form_submit_button("Save", type="primary", on_click=lambda: save(shop, _read(key, now)))


def _read(key: Any, now: ProjectSettings) -> dict[str, Any]:
    """Return what the form says, where it differs from what was shown."""
    said = {name: st.session_state[key(name)] for name in ("skip_limit_s", "warn_at_s", "skip_mode", "labels")}
    said |= {name: st.session_state[key(name)] for name in ("min_area", "next_order")}
    said |= {
        name: round(st.session_state[key(name)] / 100, 4) for name in ("overlap_share", "by_hand_share", "audit_rate")
    }
    names = str(st.session_state[key("label_names")]).splitlines()
    said["label_names"] = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    said["checks_off"] = [name for name in CHECKS if not st.session_state[key(f"check-{name}")]]
    before = now.to_json()
    return {name: value for name, value in said.items() if value != before[name]}
