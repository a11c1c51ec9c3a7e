"""Work on the whole library besides surveys: every check asked of every mask, images encoded ahead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from core import jobs
from core.errors import FORESEEN
from core.roles import may
from core.segmentation.catalogue import keeps_embeddings
from core.workshop import Workshop, chosen_spec
from pages.ui.text import plain
from pages.ui.watching import show_job
from storage.rows import JobRow

POLL: Final = "2s"
_TROUBLE: Final = "batch-trouble"


@dataclass(frozen=True, slots=True)
class _Batch:
    """A kind of job as the page offers it."""

    kind: str
    says: str
    button: str
    icon: str
    begin: Callable[[Workshop], int]


_CHECK: Final = _Batch(
    jobs.CHECK,
    "Ask every check of every mask. What is new waits in the queue *Flagged* of the page Review.",
    "Check masks",
    ":material/rule:",
    jobs.begin_check,
)
_ENCODE: Final = _Batch(
    jobs.ENCODE,
    "Encode every image now, so that none waits when it is opened.",
    "Encode ahead",
    ":material/bolt:",
    jobs.begin_encode,
)


def show_batches(shop: Workshop) -> None:
    """Show how far such work is, or how it ended, and buttons that begin it."""
    kept = keeps_embeddings(chosen_spec(shop).name)
    for batch in (_CHECK, _ENCODE) if kept else (_CHECK,):
        job = jobs.newest(shop, batch.kind)
        if job is not None and job.is_open:
            _watch(shop, batch, job.id)
        else:
            _offer(shop, batch, job)


def _offer(shop: Workshop, batch: _Batch, job: JobRow | None) -> None:
    box = st.container(border=True)
    row = box.container(horizontal=True, vertical_alignment="center")
    row.markdown(batch.says, width="stretch")
    row.button(batch.button, icon=batch.icon, on_click=_begin, args=(shop, batch), disabled=not may(shop, "models"))
    if trouble := st.session_state.pop(f"{_TROUBLE}-{batch.kind}", None):
        box.error(plain(trouble), icon=":material/error:")
    if job is not None and job.state == "failed":
        box.error(f"The last one failed: {plain(job.message or '')}", icon=":material/error:")
    elif job is not None and job.state == "cancelled":
        box.caption("The last one was cancelled; what it had done is kept.")
    elif job is not None:
        box.caption(f"The last one: {plain(job.message or '')}")


def _begin(shop: Workshop, batch: _Batch) -> None:
    try:
        batch.begin(shop)
    except FORESEEN as error:
        st.session_state[f"{_TROUBLE}-{batch.kind}"] = str(error)


@st.fragment(run_every=POLL)
def _watch(shop: Workshop, batch: _Batch, job_id: int) -> None:
    """Show how far a job is, again and again, until it has ended; let a killed one go on."""
    box = st.container(border=True, gap="xsmall")
    box.caption(batch.button)
    show_job(shop, batch.kind, job_id, box, "images")
