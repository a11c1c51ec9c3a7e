"""Which of the chosen images come sooner, and which later."""

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.queueing import PRIORITIES, Priority, prioritise
from core.workshop import Workshop
from pages.ui.grid import untick

_WORDS: Final[dict[Priority, str]] = {"first": "Come first", "in turn": "Come in their turn", "last": "Come last"}
_ICONS: Final[dict[Priority, str]] = {
    "first": ":material/keyboard_double_arrow_up:",
    "in turn": ":material/drag_handle:",
    "last": ":material/keyboard_double_arrow_down:",
}


def priority_menu(shop: Workshop, image_ids: list[int], bar: DeltaGenerator) -> None:
    """Let a manager say when the chosen images come: before all others, with them, or after them."""
    with bar.popover(f"Priority of {len(image_ids)}", icon=":material/low_priority:"):
        for priority in PRIORITIES:
            st.button(
                _WORDS[priority],
                icon=_ICONS[priority],
                key=f"priority-{priority}",
                width="stretch",
                on_click=_set,
                args=(shop, image_ids, priority),
            )


def _set(shop: Workshop, image_ids: list[int], priority: Priority) -> None:
    prioritise(shop, image_ids, priority)
    untick(image_ids)
