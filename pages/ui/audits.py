"""Audits on the Review page: beginning one, going through it, and what it says."""

from typing import Final

import streamlit as st

from core import auditing, reviewing
from core.auditing import Asked, AuditResult, Method, Stratum
from core.errors import FORESEEN
from core.quality.sampling import acceptance_plan
from core.workshop import Workshop
from pages.ui.review_task import review
from pages.ui.text import plain
from storage.rows import AuditRow

_METHODS: Final[dict[str, tuple[Method, Stratum]]] = {
    "All masks alike": ("simple", "annotator"),
    "In shares of annotators": ("stratified", "annotator"),
    "In shares of sizes": ("stratified", "size"),
    "In shares of model versions": ("stratified", "version"),
    "Risky masks more often": ("risk", "annotator"),
}
_STANDINGS: Final = {
    "goes on": "The plan is not decided yet.",
    "holds": "The plan holds: the audit may end.",
    "fails": "The plan fails: too many masks are wrong.",
}
_NAMES: Final = {"simple": "all masks alike", "stratified": "stratified", "risk": "by risk"}


def show_audits(shop: Workshop) -> None:
    """Show an audit, its newest first, with what it says so far and its next mask."""
    found = auditing.every(shop)
    row = st.container(horizontal=True, vertical_alignment="center")
    audit = (
        row.selectbox("Audit", found, format_func=_title, width=300, label_visibility="collapsed") if found else None
    )
    if audit is None:
        row.markdown("No audit yet. An audit draws masks at random and says how many of all are good.", width="stretch")
    else:
        row.markdown(_said(auditing.result(shop, audit), audit), width="stretch")
    if row.button("New audit", icon=":material/casino:", type="secondary" if found else "primary"):
        _begin(shop)
    if audit is None:
        return
    mask_id = reviewing.next_of_audit(shop, audit)
    if mask_id is None:
        st.info("No mask of this audit waits for you.", icon=":material/done_all:")
    else:
        review(shop, mask_id, audit_id=audit.id)


def _title(audit: AuditRow) -> str:
    return f"Audit {audit.id}, {audit.created_at:%Y-%m-%d}: {audit.size} of {audit.population:,}"


def _said(found: AuditResult, audit: AuditRow) -> str:
    counted = found.looked_at - found.pending
    good = found.good
    says = (
        f"**{good.mean:.0%} of masks ≥ 0.9 IoU** with what a reviewer makes of them "
        f"(95 % interval {good.low:.0%} to {good.high:.0%}, n = {counted})"
        if counted
        else "No verdict yet"
    )
    more = [f"{found.looked_at} of {audit.size} looked at, {_NAMES[audit.method]}"]
    if found.pending:
        more.append(f"{found.pending} to be fixed first")
    if found.rating is not None:
        more.append(f"rated {found.rating:.1f}")
    if found.same_verdict is not None:
        more.append(f"two reviewers agree on {found.same_verdict:.0%}")
    if found.known is not None:
        more.append(f"known good ones found good again: {found.known.mean:.0%}")
    if found.standing:
        more.append(_STANDINGS[found.standing])
    return f"{says}  \n:gray[{plain(' · '.join(more))}]"


@st.dialog("New audit")
def _begin(shop: Workshop) -> None:
    method = st.selectbox("Draw", list(_METHODS), help="Masks that were reviewed already are left out.")
    due = auditing.due(shop)
    begun = 100 if due is None else min(max(due, 1), auditing.MOST_MASKS)
    asked = None if due is None else f"By the project's audit rate {due:,} masks are still to be drawn."
    count = int(st.number_input("Masks", 1, auditing.MOST_MASKS, begun, help=asked))
    twice = st.checkbox("Two reviewers for each mask, who do not see each other's verdict")
    mixed = st.checkbox("Mix in masks that were approved before, one to ten, to see whether they are approved again")
    planned = st.checkbox("End as soon as it is decided")
    plan = None
    if planned:
        row = st.container(horizontal=True)
        limit = row.number_input("Wrong masks below, %", 0.5, 50.0, 5.0, step=0.5) / 100
        confidence = row.number_input("Confidence, %", 50.0, 99.9, 95.0) / 100
        failures = int(row.number_input("Failures allowed", 0, 100, 0))
        plan = acceptance_plan(limit=limit, confidence=confidence, failures=failures)
        st.caption(f"With {plan.size} masks looked at and no more than {failures} wrong, it holds.")
    if not st.button("Draw", type="primary"):
        return
    how, by = _METHODS[method]
    try:
        auditing.begin(shop, Asked(how, count, by, 2 if twice else 1, plan, 0.1 if mixed else 0.0))
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.rerun()
