"""The one server: Streamlit's pages and the routes of the canvas, on one port (`streamlit run app.py`)."""

import asyncio
import dataclasses
import logging
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
from core.errors import FORESEEN
from core.settings import from_environment
from pages.canvas.assets import FOLDER
from pages.ui.providers import claims_of, providers

log = logging.getLogger("masksmith")

try:
    settings = dataclasses.replace(from_environment(), provider=bool(providers()))
    sign_in.refuse_open_doors(settings, st.get_option("server.address"))
except FORESEEN as error:
    # What can be mended by how the server is started is said in one sentence, not below a traceback.
    sys.exit(f"Masksmith did not start: {error}.")


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Open the library before the first request, and go on with jobs; stop the background encoder after the last."""
    logs.begin(settings.log)  # after uvicorn has begun its own
    jobs.take_up(workshop.open_shared(settings))
    send_at_once()
    open_many()
    caretakers = [asyncio.create_task(_take_up_jobs()), asyncio.create_task(_give_memory_back())]
    try:
        yield {}
    finally:
        for caretaker in caretakers:
            caretaker.cancel()
        workshop.close_shared()


async def _take_up_jobs() -> None:
    """Go on with jobs whose process was killed; one killed just before this start has its lease for a while yet."""
    while True:
        await asyncio.sleep(jobs.LEASE_S)
        try:
            await asyncio.to_thread(lambda: jobs.take_up(workshop.shared()))
        except FORESEEN as error:
            log.warning("jobs could not be looked for: %s", error)


async def _give_memory_back() -> None:
    while True:
        await asyncio.sleep(freed_memory.EVERY_S)
        await asyncio.to_thread(freed_memory.give_back)


app = st.App(
    "pages/main.py",
    routes=routes(workshop.shared, canvas=FOLDER, hosts=settings.hosts),
    middleware=[
        watch(workshop.shared, settings.metrics_token),
        gate(workshop.shared, settings.hosts, provider=settings.provider),
        *([bridge(workshop.shared, claims_of)] if settings.provider else []),
    ],
    lifespan=lifespan,
)
