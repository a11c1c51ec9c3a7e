"""How far a job is, shown alike wherever one can be begun."""

from typing import Any

import streamlit as st

from core import jobs
from core.workshop import Workshop


def show_job(shop: Workshop, kind: str, job_id: int, place: Any, what: str) -> None:
    """Show in a container how far a job is, of how many of `what`, and let a killed one go on; run anew once it ended.

    To be called from a fragment that runs every few seconds.
    """
    jobs.take_up(shop)
    job = jobs.newest(shop, kind)
    if job is None or job.id != job_id or not job.is_open:
        st.rerun()
        return
    row = place.container(horizontal=True, vertical_alignment="center")
    done, total = int(job.progress.get("done", 0)), int(job.progress.get("total", 0))
    said = f"{done:,} of {total:,} {what}" if total else "Waiting for its process"
    row.progress(min(1.0, done / total) if total else 0.0, said, width="stretch")
    if job.cancel_asked:
        row.caption("Ending…")
    else:
        row.button(
            "Cancel", icon=":material/cancel:", key=f"cancel-{job.id}", on_click=jobs.cancel, args=(shop, job.id)
        )
