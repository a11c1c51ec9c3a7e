"""Choosing the model that answers."""

from pathlib import Path

import pytest

from core import model_choice
from core.errors import InvalidInput
from core.workshop import Library, chosen_spec


def used(library: Library) -> list[str]:
    return [model.name for model in model_choice.models(library) if model.used]


def test_grabcut_is_used_until_another_is_chosen(library: Library, tmp_path: Path) -> None:
    assert used(library) == ["grabcut"]
    checkpoint = tmp_path / "b.pth"
    checkpoint.write_bytes(b"weights")
    model_choice.use(library, "vit_b", checkpoint)
    assert used(library) == ["vit_b"]
    assert chosen_spec(library).path == str(checkpoint)
    model_choice.use(library, "grabcut")
    assert used(library) == ["grabcut"]


def test_a_downloaded_checkpoint_is_here_and_needs_no_path(library: Library) -> None:
    library.settings.models.mkdir()
    (library.settings.models / "sam_vit_l_0b3195.pth").write_bytes(b"weights")
    assert [model.name for model in model_choice.models(library) if model.here] == ["grabcut", "vit_l"]
    model_choice.use(library, "vit_l")
    assert used(library) == ["vit_l"]


@pytest.mark.parametrize(("name", "said"), [("vit_h", "the checkpoint must exist"), ("sam9", "a model must be one of")])
def test_what_cannot_answer_is_not_chosen(library: Library, name: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        model_choice.use(library, name)
    assert used(library) == ["grabcut"]
