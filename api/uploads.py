"""Uploads to pages: who may send some, and how many bytes may wait for the pages that asked for them."""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from core.errors import Forbidden
from core.roles import LEAST, Bearer, Permission, may

PREFIX: Final = "/_stcore/upload_file/"
_NEEDED: Final[tuple[Permission, ...]] = ("import", "settings")
"""What the pages with an uploader ask for: photos and masks, and pictures of the guidelines."""
MOST_BYTES: Final = 2 << 30
"""So many bytes may wait in all; Streamlit keeps them in memory until their page is closed or lets them go."""
_LARGEST: Final = 500 << 20
"""Streamlit takes no larger file: what does not say how long it is may be so long."""


def check_may_upload(bearer: Bearer) -> None:
    """Go on only if some page has an uploader for this person; raise Forbidden."""
    if not any(may(bearer, needed) for needed in _NEEDED):
        raise Forbidden(f"your role must be {LEAST[_NEEDED[0]]} or above for uploads, but it is {bearer.role}")


class Uploads:
    """Lets uploads in while there is room for them.

    Parameters
    ----------
    waiting : callable
        Returns how many bytes of uploads Streamlit keeps.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._waiting = waiting
        self._arriving = 0

    async def take(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one upload in, or answer 507."""
        said = Headers(scope=scope).get("content-length", "")
        size = int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else _LARGEST
        there = self._waiting() + self._arriving
        if there + size > MOST_BYTES:
            detail = (
                f"uploads that wait must have at most {MOST_BYTES >> 20} MB together, but {there >> 20} MB wait and "
                f"{size >> 20} MB came; import or close what was uploaded, then try again"
            )
            return await problem(507, "uploads-full", "Too many uploads wait", detail)(scope, receive, send)
        self._arriving += size
        try:
            await app(scope, receive, send)
        finally:
            self._arriving -= size
