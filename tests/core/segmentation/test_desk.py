"""The prompt desk: many people at once, none of them mixed up, clicks before hovers."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import NotFound, Superseded
from core.segmentation.cache import EmbeddingCache
from core.segmentation.catalogue import TINY, SegmenterSpec, load_segmenter
from core.segmentation.desk import Answer, PromptDesk
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Candidate, Embedding, Logits, Mask, Point, Prompt, RgbImage, Segmenter
from storage.files import FileStore

PATIENCE_S = 20
CLICK = Prompt((Point(3, 4, 1),))


def sha(number: int) -> str:
    return f"{number:064x}"


def picture(sha256: str) -> RgbImage:
    number = int(sha256, 16)
    rng = np.random.default_rng(number)
    image = rng.integers(0, 90, (50 + 4 * number, 80, 3), np.uint8)
    image[10:40, 5 * number : 5 * number + 25] += 120
    return image


class Gated:
    """A segmenter whose answer is the clicked pixel; prompts at x = 1 wait until `gate` is opened."""

    name = "gated"
    title = "Gated"
    encoder_key = "a" * 64
    keeps_embeddings = False
    device = "cpu"

    def __init__(self, content: str = "b") -> None:
        self.content_hash = content * 64
        self.gate = threading.Event()
        self.blocked = threading.Semaphore(0)
        self.refined_with: list[Logits | None] = []
        self.insisted: list[bool] = []

    def encode(self, image: RgbImage) -> Embedding:
        return Embedding((image.shape[0], image.shape[1]), self.encoder_key, {"image": image.copy()})

    def decode(
        self,
        embedding: Embedding,
        prompt: Prompt,
        *,
        refine: Logits | None = None,
        insist: bool = False,
        preview: bool = False,
    ) -> list[Candidate]:
        self.refined_with.append(refine)
        self.insisted.append(insist)
        point = prompt.points[0]
        if point.x == 1:
            self.blocked.release()
            assert self.gate.wait(PATIENCE_S)
        mask: Mask = np.zeros(embedding.size_hw, bool)
        mask[int(point.y), int(point.x)] = True
        logits = np.full((4, 4), point.x, np.float32)
        made = Candidate(0.5, 0.5, "whole", logits, mask, lambda: mask)
        return [made] * (1 if preview else 3)


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(FileStore(tmp_path / "files"), memory_bytes=10**8)


@pytest.fixture
def gated(cache: EmbeddingCache) -> Iterator[tuple[PromptDesk, Gated]]:
    segmenter = Gated()
    desk = PromptDesk(segmenter, cache, picture, workers=2)
    desk.embed(sha(1))
    desk.embed(sha(2))
    yield desk, segmenter
    segmenter.gate.set()
    desk.close()


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def waiting(desk: PromptDesk, count: int) -> None:
    """Wait until so many prompts are queued."""
    with desk._wake:
        assert desk._wake.wait_for(lambda: len(desk._jobs) == count, PATIENCE_S)


def hover(desk: PromptDesk, people: ThreadPoolExecutor, x: float, client: str) -> "Future[Answer]":
    return people.submit(desk.prompt, sha(1), Prompt((Point(x, 2, 1),)), client=client, hover=True)


@pytest.mark.parametrize("name", ["grabcut", TINY])
def test_many_people_on_different_images_get_what_one_person_alone_gets(cache: EmbeddingCache, name: str) -> None:
    segmenter: Segmenter = load_segmenter(SegmenterSpec(name=name, device="cpu"))
    images = [sha(number) for number in range(1, 6)]
    prompts = [Prompt((Point(20.0, 30.0, 1), Point(70.0, 5.0, 0))), Prompt((), (10.0, 8.0, 60.0, 45.0))]

    def answer(desk: PromptDesk, image: str, prompt: Prompt) -> list[bytes]:
        first = desk.prompt(image, prompt)
        again = desk.prompt(image, prompts[0], refine=first.candidates[-1].token)
        assert again.refined
        return [offered.candidate.mask().tobytes() for offered in [*first.candidates, *again.candidates]]

    desk = PromptDesk(segmenter, cache, picture, workers=4)
    alone = {(image, prompt): answer(desk, image, prompt) for image in images for prompt in prompts}
    asked = [pair for pair in alone for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda pair: answer(desk, *pair), asked))
    desk.close()
    assert all(got == alone[pair] for pair, got in zip(asked, together, strict=True))
    assert len({tuple(answers) for answers in alone.values()}) > len(images)


def test_a_token_is_good_for_its_own_image_only(gated: tuple[PromptDesk, Gated]) -> None:
    desk, segmenter = gated
    token = desk.prompt(sha(1), CLICK).candidates[0].token
    assert desk.candidate(token, sha(1)).token == token
    with pytest.raises(NotFound, match="prompt again"):
        desk.candidate(token, sha(2))
    assert not desk.prompt(sha(2), CLICK, refine=token).refined
    assert segmenter.refined_with[-1] is None
    assert desk.prompt(sha(1), CLICK, refine=token).refined
    assert segmenter.refined_with[-1] is not None


def test_who_goes_on_with_another_candidate_than_the_best_insists_from_then_on(
    gated: tuple[PromptDesk, Gated],
) -> None:
    desk, segmenter = gated
    best, second, _ = desk.prompt(sha(1), CLICK).candidates
    desk.prompt(sha(1), CLICK, refine=best.token)
    after = desk.prompt(sha(1), CLICK, refine=second.token)
    desk.prompt(sha(1), CLICK, refine=after.candidates[0].token)
    assert segmenter.insisted == [False, False, True, True]


def test_an_unknown_token_to_refine_is_answered_from_nothing(gated: tuple[PromptDesk, Gated]) -> None:
    desk, segmenter = gated
    answer = desk.prompt(sha(1), CLICK, refine="never offered")
    assert not answer.refined
    assert segmenter.refined_with == [None]
    assert len(answer.candidates) == 3


def test_another_models_candidate_is_not_refined(gated: tuple[PromptDesk, Gated]) -> None:
    desk, _ = gated
    before = desk.prompt(sha(1), CLICK)
    desk.set_segmenter(Gated("c"))
    after = desk.prompt(sha(1), CLICK, refine=before.candidates[0].token)
    assert not after.refined
    assert after.model != before.model
    assert desk.candidate(before.candidates[0].token, sha(1)).candidate.mask().any()


def test_a_click_is_answered_while_somebodys_hover_blocks(
    gated: tuple[PromptDesk, Gated], people: ThreadPoolExecutor
) -> None:
    desk, segmenter = gated
    blocked = hover(desk, people, 1, "ann")
    assert segmenter.blocked.acquire(timeout=PATIENCE_S)
    queued = hover(desk, people, 1, "bob")
    waiting(desk, 1)
    assert len(desk.prompt(sha(2), CLICK, client="cy").candidates) == 3
    assert not blocked.done()
    assert not queued.done()
    segmenter.gate.set()
    assert len(blocked.result(PATIENCE_S).candidates) == 1
    assert queued.result(PATIENCE_S).candidates[0].token == ""


def test_a_newer_request_of_the_same_client_drops_its_waiting_hover(
    gated: tuple[PromptDesk, Gated], people: ThreadPoolExecutor
) -> None:
    desk, segmenter = gated
    in_hand = hover(desk, people, 1, "ann")
    assert segmenter.blocked.acquire(timeout=PATIENCE_S)
    stale = hover(desk, people, 5, "ann")
    waiting(desk, 1)
    others = hover(desk, people, 6, "bob")
    waiting(desk, 2)
    newer = hover(desk, people, 7, "ann")
    with pytest.raises(Superseded, match="newer request"):
        stale.result(PATIENCE_S)
    desk.prompt(sha(1), CLICK, client="ann")
    with pytest.raises(Superseded, match="newer request"):
        newer.result(PATIENCE_S)
    segmenter.gate.set()
    assert others.result(PATIENCE_S).candidates[0].candidate.mask()[2, 6]
    assert in_hand.result(PATIENCE_S).candidates[0].candidate.mask()[2, 1]


def test_hovers_of_nobody_in_particular_do_not_drop_each_other(
    gated: tuple[PromptDesk, Gated], people: ThreadPoolExecutor
) -> None:
    desk, segmenter = gated
    hover(desk, people, 1, "ann")
    assert segmenter.blocked.acquire(timeout=PATIENCE_S)
    both = [hover(desk, people, 5, ""), hover(desk, people, 6, "")]
    waiting(desk, 2)
    segmenter.gate.set()
    assert [future.result(PATIENCE_S).candidates[0].candidate.mask()[2].argmax() for future in both] == [5, 6]


class Noted(Gated):
    """Notes in which order it was asked: the rows of the prompts' points."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def decode(self, embedding: Embedding, prompt: Prompt, **how: Any) -> list[Candidate]:
        self.rows.append(int(prompt.points[0].y))
        return super().decode(embedding, prompt, **how)


def test_who_sends_many_clicks_at_once_waits_for_them_and_others_do_not(
    cache: EmbeddingCache, people: ThreadPoolExecutor
) -> None:
    segmenter = Noted()
    desk = PromptDesk(segmenter, cache, picture, workers=1)
    asked = [people.submit(desk.prompt, sha(1), Prompt((Point(1, 9, 1),)), whose="greedy")]
    assert segmenter.blocked.acquire(timeout=PATIENCE_S)
    sent = [("greedy", 10), ("greedy", 11), ("greedy", 12), ("ann", 20), ("ben", 30), ("ann", 21)]
    for queued, (whose, row) in enumerate(sent, start=1):
        asked.append(people.submit(desk.prompt, sha(1), Prompt((Point(3, row, 1),)), whose=whose))
        waiting(desk, queued)
    segmenter.gate.set()
    for one in asked:
        one.result(PATIENCE_S)
    assert segmenter.rows == [9, 20, 30, 10, 21, 11, 12], "the one that was being answered was greedy's turn"
    desk.close()


def test_hovers_that_were_overtaken_cost_no_turn(cache: EmbeddingCache, people: ThreadPoolExecutor) -> None:
    segmenter = Noted()
    desk = PromptDesk(segmenter, cache, picture, workers=1)
    desk.embed(sha(1))
    asked = [people.submit(desk.prompt, sha(1), Prompt((Point(1, 9, 1),)), hover=True)]
    assert segmenter.blocked.acquire(timeout=PATIENCE_S)
    overtaken = None
    for row in (10, 11, 12, 13):
        one = people.submit(desk.prompt, sha(1), Prompt((Point(3, row, 1),)), client="tab", whose="ann", hover=True)
        if overtaken is not None:
            assert isinstance(overtaken.exception(PATIENCE_S), Superseded)
        waiting(desk, 1)
        overtaken = one
    asked.append(one)
    for queued, row in ((2, 20), (3, 21)):
        asked.append(people.submit(desk.prompt, sha(1), Prompt((Point(3, row, 1),)), whose="ben", hover=True))
        waiting(desk, queued)
    segmenter.gate.set()
    for one in asked:
        one.result(PATIENCE_S)
    assert segmenter.rows == [9, 13, 20, 21]
    desk.close()


def test_a_desk_of_one_worker_answers_hovers_too(cache: EmbeddingCache, people: ThreadPoolExecutor) -> None:
    desk = PromptDesk(Gated(), cache, picture, workers=1)
    desk.embed(sha(1))
    assert hover(desk, people, 5, "ann").result(PATIENCE_S).candidates
    desk.close()


def test_a_hover_never_starts_an_encoding(cache: EmbeddingCache) -> None:
    desk = PromptDesk(Gated(), cache, picture)
    with pytest.raises(Superseded, match="encoded already"):
        desk.prompt(sha(3), CLICK, hover=True)
    assert not desk.is_ready(sha(3))
    desk.prompt(sha(3), CLICK)
    assert desk.is_ready(sha(3))
    desk.close()


def test_offered_candidates_are_bounded_in_bytes_and_the_last_prompt_keeps_its_three(cache: EmbeddingCache) -> None:
    segmenter = GrabCutSegmenter()
    desk = PromptDesk(segmenter, cache, picture, token_bytes=1)
    old = desk.prompt(sha(1), CLICK)
    new = desk.prompt(sha(1), CLICK)
    assert len(desk._tokens) == 3
    assert [desk.candidate(offered.token, sha(1)) for offered in new.candidates]
    with pytest.raises(NotFound):
        desk.candidate(old.candidates[0].token, sha(1))
    desk.close()

    wide = PromptDesk(segmenter, cache, picture, token_bytes=4_000_000)
    tokens = [offered.token for _ in range(30) for offered in wide.prompt(sha(1), CLICK).candidates]
    assert 0 < wide._token_bytes <= 4_000_000
    assert wide._token_bytes == sum(kept.cost for kept in wide._tokens.values())
    assert list(wide._tokens) == tokens[-len(wide._tokens) :]
    wide.close()


def test_tokens_are_never_offered_twice(gated: tuple[PromptDesk, Gated]) -> None:
    desk, _ = gated
    tokens = [offered.token for _ in range(20) for offered in desk.prompt(sha(1), CLICK).candidates]
    assert len(set(tokens)) == 60


def test_an_error_of_the_segmenter_reaches_the_person_who_asked_and_nobody_else(
    gated: tuple[PromptDesk, Gated],
) -> None:
    desk, _ = gated
    for _ in range(5):
        with pytest.raises(IndexError):
            desk.prompt(sha(1), Prompt((Point(3, 10_000, 1),)))
    assert desk.prompt(sha(1), CLICK).candidates


def test_closing_refuses_what_waits_and_what_comes_later(cache: EmbeddingCache, people: ThreadPoolExecutor) -> None:
    segmenter = Gated()
    desk = PromptDesk(segmenter, cache, picture, workers=2)
    desk.embed(sha(1))
    in_hand = hover(desk, people, 1, "ann")
    assert segmenter.blocked.acquire(timeout=PATIENCE_S)
    queued = hover(desk, people, 1, "bob")
    waiting(desk, 1)
    desk.close()
    with pytest.raises(Superseded, match="stopping"):
        queued.result(PATIENCE_S)
    with pytest.raises(Superseded, match="stopping"):
        desk.prompt(sha(1), CLICK)
    segmenter.gate.set()
    assert in_hand.result(PATIENCE_S).candidates
