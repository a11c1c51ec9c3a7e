"""The people of the team as a table, and the dialogs in which owners invite and change them."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core import people, team
from core.errors import FORESEEN
from core.roles import ROLES
from core.team import Member
from core.workshop import Workshop
from pages.ui.text import plain, sentence


def show_members(found: list[Member]) -> None:
    """Show everybody; those whose account is closed stand last."""
    at = datetime.now(UTC)
    with_email = any(one.person.email for one in found)
    rows = [_row(one, at, with_email) for one in sorted(found, key=lambda one: one.person.deactivated_at is not None)]
    st.table(rows, hide_index=True, border="horizontal")


def _row(member: Member, at: datetime, with_email: bool) -> dict[str, str]:
    person, work = member.person, member.work
    state = ""
    if person.deactivated_at is not None:
        state = " (deactivated)"
    elif not person.has_password and not person.email:
        state = " (no password)"
    elif person.must_change:
        state = " (invited)"
    return {
        "Name": plain(person.name) + state,
        **({"E-mail": plain(person.email or "")} if with_email else {}),
        "Role": person.role,
        "Last seen": ago(person.seen_at, at) if person.seen_at else "never",
        "Works on": f"{plain(work.image)}, begun {ago(work.started_at, at)}" if work else "",
        f"Masks, {team.DAYS} days": f"{person.masks:,}",
        "Active time a mask": "" if member.seconds is None else active_time(member.seconds * 1e3),
    }


def active_time(milliseconds: float) -> str:
    """Return a time as people read it.

    Examples
    --------
    >>> active_time(14_230), active_time(125_000)
    ('14.2 s', '2 min 5 s')
    """
    seconds = milliseconds / 1e3
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def ago(moment: datetime, at: datetime) -> str:
    """Return how long before `at` a moment was.

    Examples
    --------
    >>> noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> [ago(noon.replace(hour=hour, minute=minute), noon) for hour, minute in ((11, 59), (11, 30), (7, 0))]
    ['1 min ago', '30 min ago', '5 h ago']
    >>> ago(noon, noon), ago(noon.replace(month=3), noon)
    ('just now', '2026-03-04')
    """
    minutes = int((at - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{moment:%Y-%m-%d}"


@st.dialog("Invite somebody", on_dismiss="rerun")
def invite_dialog(shop: Workshop) -> None:
    """Add a person, and show the password that was made for them, once; with an e-mail address none is needed."""
    with st.form("invite", border=False):
        name = st.text_input("Name", max_chars=60, help="They sign in with it.")
        email = st.text_input("E-mail address", help=_EMAIL, max_chars=254) if shop.settings.provider else ""
        role = st.radio("Role", ROLES, captions=_CAPTIONS)
        asked = st.form_submit_button("Invite", type="primary")
    if not asked:
        return
    try:
        _, first = people.add(shop, name, role, email=email.strip() or None)
    except FORESEEN as error:
        st.error(plain(sentence(error)), icon=":material/error:")
        return
    if first is None:
        st.success(f"**{plain(name.strip())}** can sign in by the provider.", icon=":material/check:")
        return
    _show_once(f"**{plain(name.strip())}** can sign in with this password", first)


_EMAIL = "Theirs at the provider. With one they sign in there, and no password is made."
_CAPTIONS = (
    "Makes masks, sees what is said of them.",
    "Also reviews, and corrects the masks of others.",
    "Also imports, exports, retrains, sees the team.",
    "Also invites and changes people.",
)


@st.dialog("Change somebody", on_dismiss="rerun")
def change_dialog(shop: Workshop, found: list[Member]) -> None:
    """Give a person another role, e-mail address or password, sign them out, close or open their account."""
    by_id = {member.person.id: member.person for member in found}
    chosen = st.selectbox("Who", list(by_id), format_func=lambda one: by_id[one].name)
    person = by_id[int(chosen)]
    closed = person.deactivated_at is not None
    row = st.container(horizontal=True, vertical_alignment="bottom")
    now = next(role for role in ROLES if role == person.role)
    role = row.selectbox("Role", ROLES, ROLES.index(now), key=f"role-{person.id}")
    if row.button("Set role", disabled=closed):
        _done(lambda: people.set_role(shop, person.id, role), f"{person.name} is {role} now.")
    if shop.settings.provider or person.email:
        row = st.container(horizontal=True, vertical_alignment="bottom")
        email = row.text_input("E-mail address at the provider", person.email or "", key=f"email-{person.id}").strip()
        if row.button("Set address", disabled=closed):
            said = "can sign in by the provider with this address" if email else "has no e-mail address now"
            _done(lambda: people.set_email(shop, person.id, email or None), f"{person.name} {said}.")
    if st.button("Make a new first password", disabled=closed, width="stretch"):
        try:
            first = people.set_password(shop, person.id)
        except FORESEEN as error:
            st.error(plain(sentence(error)), icon=":material/error:")
        else:
            _show_once(f"**{plain(person.name)}** is signed out everywhere, and can sign in with this password", first)
    if st.button("Sign out everywhere", disabled=closed, width="stretch"):
        _done(lambda: people.sign_out(shop, person.id), f"{person.name} is signed out everywhere.")
    if closed:
        if st.button("Open the account again", width="stretch"):
            _done(lambda: people.reactivate(shop, person.id), f"{person.name} can sign in again.")
    elif st.button("Deactivate", width="stretch", help="They cannot sign in any more. Their masks and history stay."):
        _done(lambda: people.deactivate(shop, person.id), f"{person.name} cannot sign in any more; their masks stay.")


def _done(action: Callable[[], None], said: str) -> None:
    try:
        action()
    except FORESEEN as error:
        st.error(plain(sentence(error)), icon=":material/error:")
    else:
        st.success(plain(said), icon=":material/check:")


def _show_once(said: str, password: str | None) -> None:
    st.success(f"{said}, and must then choose their own. It is shown only now.", icon=":material/key:")
    st.code(password or "", language=None)
