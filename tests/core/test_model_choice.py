"""Choosing the model that answers."""

import dataclasses
from pathlib import Path

import pytest

from core import model_choice
from core.errors import InvalidInput, ModelUnavailable
from core.settings import Settings
from core.workshop import Library, choose_model, chosen_spec, open_workshop
from tests.conftest import checkpoint_of


def used(library: Library) -> list[str]:
    return [model.name for model in model_choice.models(library) if model.used]


def test_the_starter_answers_until_another_is_chosen(settings: Settings) -> None:
    shop = open_workshop(settings)
    assert used(shop) == ["starter"]
    assert shop.check().startswith("starter@")
    assert shop.trouble is None
    shop.close()


def test_what_is_chosen_is_used(library: Library, tmp_path: Path) -> None:
    checkpoint = checkpoint_of("vit_b", tmp_path / "b.pth")
    model_choice.use(library, "vit_b", checkpoint)
    assert used(library) == ["vit_b"]
    assert chosen_spec(library).path == str(checkpoint)
    model_choice.use(library, "grabcut")
    assert used(library) == ["grabcut"]


def test_a_downloaded_checkpoint_is_here_and_needs_no_path(library: Library) -> None:
    library.settings.models.mkdir()
    checkpoint_of("vit_l", library.settings.models / "sam_vit_l_0b3195.pth")
    assert [model.name for model in model_choice.models(library) if model.here] == ["starter", "grabcut", "vit_l"]
    model_choice.use(library, "vit_l")
    assert used(library) == ["vit_l"]


@pytest.mark.parametrize(("name", "said"), [("vit_h", "the checkpoint must exist"), ("sam9", "a model must be one of")])
def test_what_cannot_answer_is_not_chosen(library: Library, name: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        model_choice.use(library, name)
    assert used(library) == ["grabcut"]


def test_a_checkpoint_that_is_another_models_or_damaged_is_not_chosen(library: Library, tmp_path: Path) -> None:
    checkpoint = checkpoint_of("vit_b", tmp_path / "b.pth")
    with pytest.raises(ModelUnavailable, match=r"b\.pth must hold the weights of SAM ViT-L, but holds others"):
        model_choice.use(library, "vit_l", checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-2000])
    with pytest.raises(ModelUnavailable, match=r"must be whole and hold weights only, but b\.pth is not"):
        model_choice.use(library, "vit_b", checkpoint)
    assert used(library) == ["grabcut"]


def test_a_chosen_model_that_is_gone_is_answered_for_by_grabcut(library: Library, tmp_path: Path) -> None:
    choose_model(library, "vit_b", str(tmp_path / "gone.pth"))
    shop = open_workshop(library.settings)
    assert shop.check().startswith("grabcut@")
    assert shop.trouble is not None
    assert "The chosen model vit_b cannot answer: the checkpoint must exist, but there is no" in shop.trouble
    assert used(shop) == ["vit_b"]
    shop.close()


def test_a_model_that_the_environment_asks_for_must_answer(library: Library) -> None:
    with pytest.raises(ModelUnavailable, match="the checkpoint must exist"):
        open_workshop(dataclasses.replace(library.settings, model="vit_b"))


def test_the_starter_ships_and_answers_when_it_is_chosen(library: Library, tmp_path: Path) -> None:
    model_choice.use(library, "starter")
    shop = open_workshop(library.settings)
    assert shop.check().startswith("starter@")
    shop.close()
    (tmp_path / "own.pt").write_bytes(b"no weights")
    with pytest.raises(ModelUnavailable, match=r"own\.pt must hold the starter's weights"):
        model_choice.use(library, "starter", tmp_path / "own.pt")
