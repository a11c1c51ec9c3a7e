"""Exports made in the browser, to be taken home as one file."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api.access import may
from api.common import workshop
from core.errors import NotFound

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_CHUNK: Final = 1024 * 1024


async def download(request: Request) -> Response:
    """Return an export's folder as a zip file, made while it is sent."""
    shop = workshop(request)
    name = str(request.path_params["name"])
    folder = shop.settings.exports / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        raise NotFound(f"there must be an export of this name, but there is none: {name[:64]!r}")
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return StreamingResponse(zipped(folder), media_type="application/zip", headers=headers)


class _Pipe:
    """A file that is only written to; what was written is taken out piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep a piece."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits in between."""

    def take(self) -> bytes:
        """Return all pieces since the last call."""
        data, self._pieces = b"".join(self._pieces), []
        return data


def zipped(folder: Path) -> Iterator[bytes]:
    """Yield a folder's files as a zip file, a megabyte in memory at a time."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            # How large a file is when it ends is not known as it begins, and past 2 GB only zip64 can say it.
            name = str(path.relative_to(folder))
            with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
                    yield pipe.take()
    yield pipe.take()


ROUTES = [Route("/exports/{name}", may("export", download), methods=["GET"])]
