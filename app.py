"""The one server: Streamlit's pages and the routes of the canvas, on one port (`streamlit run app.py`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from api.routes import routes
from api.sockets import send_at_once
from core import jobs, workshop
from core.settings import from_environment
from pages.canvas.assets import FOLDER

settings = from_environment()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Open the library before the first request, and go on with jobs; stop the background encoder after the last."""
    jobs.take_up(workshop.open_shared(settings))
    send_at_once()
    try:
        yield {}
    finally:
        workshop.close_shared()


app = st.App("pages/main.py", routes=routes(workshop.shared, canvas=FOLDER, hosts=settings.hosts), lifespan=lifespan)
