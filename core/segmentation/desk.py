"""Where prompts of several people are answered, each on their own image, clicks before hovers."""

import heapq
import itertools
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field

from core.errors import NotFound, Superseded
from core.segmentation.cache import EmbeddingCache, cache_key
from core.segmentation.protocol import Candidate, Embedding, Prompt, RgbImage, Segmenter
from core.segmentation.turns import Turns

TOKEN_BYTES = 256 * 1024 * 1024
WORKERS = max(2, os.cpu_count() or 2)
ENCODINGS = 2
"""Images encoded at the same time: a third would only make all three slower."""
CLICK, HOVER = 0, 1
MOST_TURNS = 1024
"""So many people's turns are remembered before those that are over are forgotten."""


@dataclass(frozen=True, slots=True)
class OfferedCandidate:
    """A candidate under the token by which it can be refined or fetched later; hovers have none ("")."""

    token: str
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Answer:
    """What a prompt got: candidates best first, by which model, refined or from nothing, in what time."""

    candidates: list[OfferedCandidate]
    model: str
    refined: bool
    embedding_ms: float
    decode_ms: float


@dataclass(frozen=True, slots=True)
class _Kept:
    image_sha256: str
    model: str
    candidate: Candidate
    insisted: bool
    cost: int


@dataclass(order=True, slots=True)
class _Job:
    kind: int
    turn: int
    number: int
    client: str = field(compare=False)
    whose: Hashable = field(compare=False)
    run: Callable[[], Answer] = field(compare=False)
    future: "Future[Answer]" = field(compare=False)


class PromptDesk:
    """Answers prompts from values: image by its hash, embedding from the cache, candidate by its token.

    Prompts are decoded by a few threads. Clicks go before hovers, one thread never takes a hover, and a
    hover that is overtaken by a newer request of the same client is dropped, so nobody's click waits behind
    a hover. People take turns: who sends many prompts at once waits for them, others do not. Cost of a prompt:
    one decode; of a token: memory, bounded.

    Parameters
    ----------
    segmenter : Segmenter
        Answers until `set_segmenter` brings another.
    cache : EmbeddingCache
        Where embeddings come from.
    load_pixels : callable
        Returns the working image of a hash, RGB, shape (H, W, 3).
    """

    def __init__(
        self,
        segmenter: Segmenter,
        cache: EmbeddingCache,
        load_pixels: Callable[[str], RgbImage],
        *,
        workers: int = WORKERS,
        token_bytes: int = TOKEN_BYTES,
    ) -> None:
        self._segmenter = segmenter
        self.cache = cache
        self._load_pixels = load_pixels
        self._encodings = Turns(ENCODINGS)
        self._tokens: OrderedDict[str, _Kept] = OrderedDict()
        self._token_bytes = 0
        self._token_limit = token_bytes
        self._token_lock = threading.Lock()
        self._jobs: list[_Job] = []
        self._numbers = itertools.count()
        self._turn = 0
        self._next_turns: dict[tuple[int, Hashable], int] = {}
        self._wake = threading.Condition()
        self._closed = False
        self.answered = {"click": 0, "hover": 0}
        """How many prompts were answered."""
        for index in range(workers):
            kinds = (CLICK,) if index == 0 and workers > 1 else (CLICK, HOVER)
            threading.Thread(target=self._work, args=(kinds,), daemon=True, name=f"desk-{index}").start()

    @property
    def segmenter(self) -> Segmenter:
        """The segmenter that answers now."""
        return self._segmenter

    @property
    def waiting(self) -> int:
        """How many prompts wait to be decoded."""
        return len(self._jobs)

    @property
    def candidate_bytes(self) -> int:
        """Memory that candidates which can be refined take."""
        return self._token_bytes

    @property
    def encodings_waiting(self) -> int:
        """How many images wait for their turn to be encoded."""
        return self._encodings.waiting

    def set_segmenter(self, segmenter: Segmenter) -> None:
        """Let another segmenter answer from now on; prompts on their way are answered by the old one."""
        self._segmenter = segmenter

    def prompt(
        self,
        image_sha256: str,
        prompt: Prompt,
        *,
        refine: str | None = None,
        client: str = "",
        whose: Hashable = None,
        hover: bool = False,
        full: int = 3,
    ) -> Answer:
        """Return the candidates for a prompt, best first; only the best for a hover.

        Parameters
        ----------
        image_sha256 : str
            Hash of the working image.
        refine : str, optional
            Token of the candidate chosen before. One that is forgotten, of another image or model is ignored.
        client : str
            Whose request this is; a newer one of the same client drops a waiting hover. "" is nobody's.
        whose : hashable
            Whose turn it takes; several clients may be one person's.
        full : int
            How many candidates get their full-size mask now; the others get it when asked.

        Raises
        ------
        Superseded
            If this was a hover and a newer request of the same client came first, or the image is not
            encoded yet.
        """
        if hover and not self.is_ready(image_sha256):
            raise Superseded("a hover needs an image that is encoded already")
        begun = time.perf_counter()
        segmenter = self._segmenter
        # In the caller's thread: encoding may take long, and must not hold up other people's clicks.
        embedding = self._embed(segmenter, image_sha256)
        waited_ms = (time.perf_counter() - begun) * 1e3

        def run() -> Answer:
            return self._answer(segmenter, embedding, image_sha256, prompt, refine, hover, full, waited_ms)

        future: Future[Answer] = Future()
        kind = HOVER if hover else CLICK
        with self._wake:
            if self._closed:
                raise Superseded("the server must be running to answer prompts, but it is stopping")
            overtaken = [old for old in self._jobs if client and old.kind == HOVER and old.client == client]
            for waiting in overtaken:
                self._jobs.remove(waiting)
                turn = (HOVER, waiting.whose)
                self._next_turns[turn] = self._next_turns.get(turn, 0) - 1
                waiting.future.set_exception(Superseded("a newer request of this client came first"))
            heapq.heapify(self._jobs)
            job = _Job(kind, self._take_turn(kind, whose), next(self._numbers), client, whose, run, future)
            heapq.heappush(self._jobs, job)
            self._wake.notify_all()
        return future.result()

    def _take_turn(self, kind: int, whose: Hashable) -> int:
        """Return the turn of somebody's next prompt: the present one, or the one after their last that waits."""
        if len(self._next_turns) > MOST_TURNS:
            self._next_turns = {key: turn for key, turn in self._next_turns.items() if turn > self._turn}
        turn = max(self._turn, self._next_turns.get((kind, whose), 0))
        self._next_turns[kind, whose] = turn + 1
        return turn

    def candidate(self, token: str, image_sha256: str) -> OfferedCandidate:
        """Return a candidate that was offered for this image.

        Raises
        ------
        NotFound
            If it is forgotten, or belongs to another image.
        """
        kept = self._find(token, image_sha256)
        if kept is None:
            raise NotFound("the candidate must still be known, but it is not; prompt again")
        return OfferedCandidate(token, kept.candidate)

    def embed(self, image_sha256: str, *, client: str = "") -> Embedding:
        """Return the image's embedding, made now if there is none, in the calling thread.

        Few are made at a time; the others wait their turn.

        Raises
        ------
        Superseded
            If the same client wants another image before this one's turn has come; "" is nobody's.
        """
        return self._embed(self._segmenter, image_sha256, client)

    def _embed(self, segmenter: Segmenter, image_sha256: str, client: str = "") -> Embedding:
        def build() -> Embedding:
            with self._encodings.turn(client):
                return segmenter.encode(self._load_pixels(image_sha256))

        key = cache_key(image_sha256, segmenter.encoder_key)
        return self.cache.get_or_build(key, build, keep=segmenter.keeps_embeddings)

    def is_ready(self, image_sha256: str) -> bool:
        """Return whether prompts on this image would be answered without encoding it first."""
        return self.cache.has(cache_key(image_sha256, self._segmenter.encoder_key))

    def close(self) -> None:
        """Stop the threads; waiting prompts are refused."""
        with self._wake:
            self._closed = True
            for job in self._jobs:
                job.future.set_exception(Superseded("the server is stopping"))
            self._jobs.clear()
            self._wake.notify_all()

    def _work(self, kinds: tuple[int, ...]) -> None:
        while True:
            with self._wake:
                while not self._closed and not (self._jobs and self._jobs[0].kind in kinds):
                    self._wake.wait()
                if self._closed:
                    return
                job = heapq.heappop(self._jobs)
                self._turn = max(self._turn, job.turn)
            try:
                answer = job.run()
            except BaseException as error:
                job.future.set_exception(error)
            else:
                with self._wake:
                    self.answered["hover" if job.kind == HOVER else "click"] += 1
                job.future.set_result(answer)

    def _answer(
        self,
        segmenter: Segmenter,
        embedding: Embedding,
        image_sha256: str,
        prompt: Prompt,
        refine: str | None,
        hover: bool,
        full: int,
        waited_ms: float,
    ) -> Answer:
        begun = time.perf_counter()
        model = model_name(segmenter)
        kept = self._find(refine, image_sha256) if refine else None
        if kept is not None and kept.model != model:
            kept = None
        chosen = kept.candidate if kept is not None else None
        insist = kept is not None and kept.insisted
        found = segmenter.decode(embedding, prompt, refine=chosen, insist=insist, preview=hover)
        for candidate in [] if hover else found[:full]:
            candidate.mask()
        offered = [
            # Who goes on with another candidate than the best insists on it, and goes on insisting.
            OfferedCandidate(
                "" if hover else self._offer(image_sha256, model, candidate, insist or rank > 0), candidate
            )
            for rank, candidate in enumerate(found)
        ]
        decode_ms = (time.perf_counter() - begun) * 1e3
        return Answer(offered, model, chosen is not None, waited_ms, decode_ms)

    def _offer(self, image_sha256: str, model: str, candidate: Candidate, insisted: bool) -> str:
        token = secrets.token_urlsafe(16)
        # Each may grow by its full-size mask, which is about as large as the coarse one is small.
        cost = candidate.low_res.nbytes + candidate.coarse.nbytes + 36 * candidate.coarse.size
        with self._token_lock:
            self._tokens[token] = _Kept(image_sha256, model, candidate, insisted, cost)
            self._token_bytes += cost
            while self._token_bytes > self._token_limit and len(self._tokens) > 3:
                self._token_bytes -= self._tokens.popitem(last=False)[1].cost
        return token

    def _find(self, token: str, image_sha256: str) -> _Kept | None:
        with self._token_lock:
            kept = self._tokens.get(token)
            if kept is None or kept.image_sha256 != image_sha256:
                return None
            self._tokens.move_to_end(token)
            return kept


def model_name(segmenter: Segmenter) -> str:
    """Return how answers and masks name the model: its name and the start of its content hash."""
    return f"{segmenter.name}@{segmenter.content_hash[:12]}"
