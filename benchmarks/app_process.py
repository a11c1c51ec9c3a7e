"""The real app in a process of its own, on a free port and a library of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 120.0


def free_port() -> int:
    """Return a TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AppProcess:
    """`streamlit run app.py` on 127.0.0.1; a context manager that stops it at the end.

    Parameters
    ----------
    data : Path
        Data folder of this app; made when missing, with the sample photos in it.
    environment : dict
        Further variables, such as MASKSMITH_MODEL.
    """

    def __init__(self, data: Path, environment: dict[str, str] | None = None, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / "server.log"
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and return once /healthz answers 200.

        Raises
        ------
        RuntimeError
            If it ends, or is not healthy in time; the message holds the end of its log.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "MASKSMITH_DATA": str(self.data), **self._environment}
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += ["--server.address=127.0.0.1", f"--server.port={self.port}", "--server.headless=true"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the app ended with {self._process.returncode}:\n{self._log_end()}")
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5.0).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the app was not healthy after {START_LIMIT_S:.0f} s:\n{self._log_end()}")

    def kill(self) -> None:
        """End the server and all its helpers at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the server to end, and end it after ten seconds if it has not."""
        self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """Process id of the server."""
        if self._process is None:
            raise RuntimeError("the app must have been started to have a process id")
        return self._process.pid

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, how)
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        except ProcessLookupError:
            process.wait()

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def __enter__(self) -> "AppProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
