"""Who is signed in: the form for strangers, the one for a first password, and the menu in the header."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from core.errors import NotSignedIn
from core.sign_in import anybody_can, has_password, holder, required
from core.workshop import Workshop
from pages.ui.frame import use_the_width
from pages.ui.providers import providers

_HERE: Final = Path(__file__).resolve().parent
# In the header, left of Streamlit's own menu.
_IN_HEADER: Final = """
<style>
  .st-key-account { position: fixed; top: 0; right: 3.2rem; width: auto; height: 2.75rem; z-index: 1000000;
    justify-content: center; }
</style>
"""


def ask_to_sign_in(shop: Workshop, token: str | None) -> None:
    """Show a stranger the form that signs in, and whose password is due the one that changes it; end the page."""
    use_the_width()
    try:
        due = holder(shop, token)
    except NotSignedIn:
        due = None
    if due is not None:
        _component()(key="account-change", data=_data("change", name=due.name))
    else:
        data = _data("sign_in", note=_note(shop), providers=[[one.key, one.title] for one in providers()])
        chosen = _component()(key="account-sign-in", data=data, on_provider_change=_ignore).provider
        if chosen in [one.key for one in providers()]:
            st.login(chosen)
    st.stop()


def account_menu(shop: Workshop, name: str) -> None:
    """Show in the header who is signed in, with the ways to another password, if they have one, and out.

    Nothing alone on a machine.
    """
    if not required(shop):
        return
    st.html(_IN_HEADER)
    with st.container(key="account"):
        data = _data("menu", name=name, role=shop.role, password=has_password(shop))
        _component()(key="account-menu", data=data)


def _note(shop: Workshop) -> str:
    if anybody_can(shop):
        return "Sign in to go on."
    return "Nobody has a password yet. On the server, masksmith people password owner gives the owner one."


def _data(mode: str, *, name: str = "", role: str = "", note: str = "", **more: Any) -> dict[str, Any]:
    return {"mode": mode, "name": name, "role": role.capitalize(), "note": note, **more}


def _ignore() -> None:
    """Streamlit wants a callback for every trigger; the page reads the result instead."""


@lru_cache(maxsize=1)
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "masksmith_account",
        html='<div class="ms-account"></div>',
        css=(_HERE / "account.css").read_text(encoding="utf-8"),
        js=(_HERE / "account.js").read_text(encoding="utf-8"),
        # In the page itself: password managers look for forms nowhere else.
        isolate_styles=False,
    )
