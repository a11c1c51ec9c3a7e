"""Encoding ahead: the next images of the queue, by another process of low priority."""

import contextlib
import json
import logging
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict

from core.segmentation.catalogue import SegmenterSpec

log = logging.getLogger(__name__)
MAX_RESTARTS = 5
MAX_CLIENTS = 64


class BackgroundEncoder:
    """Feeds an encoder process with the images that will be opened next, one at a time.

    The process starts with the first job. A client's newer queue replaces its older one; only the image in hand is
    finished. Clients take turns, the one that has waited longest first. If the process dies, it is started again,
    at most five times in a row, and the image it died of is left out.

    Parameters
    ----------
    spec : SegmenterSpec
        The segmenter whose embeddings are wanted.
    files : str
        Address of the file store that working images are read from and embeddings written to.
    is_ready : callable
        Returns whether an image's embedding is there already.
    """

    def __init__(
        self,
        spec: SegmenterSpec,
        files: str,
        *,
        is_ready: Callable[[str], bool],
    ) -> None:
        self._command = [sys.executable, "-m", "core.segmentation.encoder_process"]
        self._command += [files, json.dumps(asdict(spec))]
        self._is_ready = is_ready
        self._queues: OrderedDict[str, list[str]] = OrderedDict()
        self._working: str | None = None
        self._wake = threading.Condition()
        self._closed = False
        self._process: subprocess.Popen[str] | None = None
        self._restarts = 0
        self._thread = threading.Thread(target=self._feed, daemon=True, name="background-encoder")
        self._thread.start()

    def set_queue(self, images: Sequence[str], *, client: str = "") -> None:
        """Encode these images next, in this order, in place of what was queued for the client."""
        with self._wake:
            queue = [image for image in images if image != self._working]
            if queue:
                self._queues[client] = queue
            else:
                self._queues.pop(client, None)
            while len(self._queues) > MAX_CLIENTS:
                self._queues.popitem(last=False)
            self._wake.notify_all()

    def working_on(self) -> str | None:
        """Return the image in hand, or None."""
        return self._working

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is queued or in hand; return whether that came in time."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._queues and self._working is None, timeout_s)

    def close(self) -> None:
        """Stop the process and the thread that feeds it."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
            process = self._process
        if process is not None:
            process.kill()
        self._thread.join(timeout=5)
        if process is not None:
            _end(process)

    def _feed(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._queues)
                if self._closed:
                    return
                image = self._working = self._next()
                self._wake.notify_all()
            try:
                if not self._is_ready(image):
                    self._encode(image)
            except Exception:
                log.exception("encoding ahead failed for %s", image[:12])
            finally:
                with self._wake:
                    self._working = None
                    self._wake.notify_all()

    def _next(self) -> str:
        """Take the first image of the client in front, who goes to the back."""
        client, queue = self._queues.popitem(last=False)
        image = queue.pop(0)
        if queue:
            self._queues[client] = queue
        return image

    def _encode(self, image: str) -> None:
        process = self._running()
        if process is None or process.stdin is None or process.stdout is None:
            return
        try:
            process.stdin.write(json.dumps({"image": image}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if not line.endswith("\n"):
            _end(process)
            self._process = None
            self._restarts += 1
            if not self._closed:
                log.warning("the encoder process ended over image %s", image[:12])
            return
        self._restarts = 0
        error = json.loads(line)["error"]
        if error:
            log.warning("image %s could not be encoded ahead: %s", image[:12], error)

    def _running(self) -> subprocess.Popen[str] | None:
        with self._wake:  # never one more process after close
            if self._process is None and self._restarts <= MAX_RESTARTS and not self._closed:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
                )
            return self._process


def _end(process: "subprocess.Popen[str]") -> None:
    """Kill a process, wait for its end and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
