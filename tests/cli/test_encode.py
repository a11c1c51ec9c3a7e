"""`masksmith encode`: what it prints, that a second run goes on, and that other processes may do the work."""

import pytest

from core.segmentation.catalogue import STARTER, TINY
from core.workshop import Library, choose_model
from tests.cli.conftest import Run, told


def test_images_are_encoded_by_whoever_is_there_and_a_second_run_goes_on(
    run: Run, stocked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_model(stocked, TINY, None)
    assert told(run("encode", "--limit", 1, "--json")) == {"encoded": 1, "known": 0, "failed": []}
    monkeypatch.setenv("MASKSMITH_WORKERS", "2")
    assert run("encode").stdout == "2 images encoded, 1 were already.\n"


def test_what_cannot_be_done_ends_with_one_sentence(run: Run, stocked: Library) -> None:
    choose_model(stocked, STARTER, None)
    result = run("encode")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        "encoding ahead needs a model whose embeddings are kept, but starter encodes when it is asked" in result.stderr
    )
    assert "the number of images must be at least 1, got 0" in run("encode", "--limit", 0).stderr
