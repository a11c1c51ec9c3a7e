"""The one server: Streamlit's pages and the routes of the canvas, on one port (`streamlit run app.py`)."""

import asyncio
import dataclasses
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from api.gate import gate
from api.provider import bridge
from api.routes import routes
from api.sockets import open_many, send_at_once
from api.watch import watch
from core import freed_memory, jobs, logs, sign_in, workshop
from core.caretaking import every
from core.errors import FORESEEN
from core.settings import from_environment
from pages.canvas.assets import FOLDER
from pages.ui.providers import claims_of, providers
from pages.ui.uploads import waiting_bytes


def _refusal(error: Exception) -> str:
    """Return what is said of a start that can be mended by how the server is started: a sentence, no traceback."""
    return f"Masksmith did not start: {error}."


try:
    settings = dataclasses.replace(from_environment(), provider=bool(providers()))
    sign_in.refuse_open_doors(settings, st.get_option("server.address"))
except FORESEEN as error:
    sys.exit(_refusal(error))


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Open the library before the first request, and go on with jobs; stop the background encoder after the last."""
    logs.begin(settings.log)  # after uvicorn has begun its own
    try:
        workshop.open_shared(settings)
    except FORESEEN as error:
        # Whatever is raised here, an orderly exit too, uvicorn tells with its traceback. Nothing is at work yet.
        sys.stderr.write(f"{_refusal(error)}\n")
        sys.stderr.flush()
        os._exit(1)
    send_at_once()
    open_many()
    caretakers = [
        # A job whose process was killed just before this start has its lease for a while yet.
        every(jobs.LEASE_S, lambda: jobs.take_up(workshop.shared()), what="jobs could not be taken up"),
        every(freed_memory.EVERY_S, freed_memory.give_back, what="freed memory could not be given back"),
    ]
    tasks = [asyncio.create_task(caretaker) for caretaker in caretakers]
    try:
        yield {}
    finally:
        for task in tasks:
            task.cancel()
        workshop.close_shared()


app = st.App(
    "pages/main.py",
    routes=routes(workshop.shared, canvas=FOLDER, hosts=settings.hosts),
    middleware=[
        watch(workshop.shared, settings.metrics_token),
        gate(workshop.shared, settings.hosts, provider=settings.provider, waiting=waiting_bytes),
        *([bridge(workshop.shared, claims_of)] if settings.provider else []),
    ],
    lifespan=lifespan,
)
