"""Training, for a moment: it takes steps, keeps an average, and leaves weights that load."""

import json
from pathlib import Path

import torch

from core.segmentation.starter import load_starter
from core.training.fit import Phase, Plan, Trainer, _halved, plan_of
from core.training.materials import Materials

A_MOMENT = 0.02


def test_a_moment_of_training_leaves_weights_that_load_and_go_on(tmp_path: Path) -> None:
    plan = Plan((Phase((64,), 2, A_MOMENT, 1e-3, 1e-4), Phase((64, 128), 2, A_MOMENT, 1e-4, 1e-5)), objects=2)
    trainer = Trainer(plan, Materials(), tmp_path / "out")
    before = {name: value.clone() for name, value in trainer.average.state_dict().items()}
    path = trainer.run()
    done = json.loads((tmp_path / "out" / "training.json").read_text())
    assert done["steps"] == trainer.steps >= 2
    assert done["materials"] == {"cutouts": 0, "photos": 0, "known": 0}
    assert any(not torch.equal(before[name], value) for name, value in trainer.average.state_dict().items())
    assert all(torch.isfinite(value).all() for value in trainer.average.state_dict().values())
    assert load_starter(path, name="starter", title="Starter", device="cpu", img_size=64).name == "starter"
    again = Trainer(plan, Materials(), tmp_path / "again")
    again.load(path)
    for name, value in trainer.average.state_dict().items():
        assert torch.allclose(again.network.state_dict()[name].float(), value.float(), rtol=2e-3, atol=1e-6)
    again.close()


def test_weights_are_halved_unless_half_precision_cannot_hold_them() -> None:
    kept = {name: _halved(torch.tensor(value)) for name, value in {"small": [1.5, -2.0], "large": [3.0, 7e4]}.items()}
    assert kept["small"].dtype == torch.float16
    assert kept["large"].dtype == torch.float32
    assert kept["large"].tolist() == [3.0, 7e4]
    assert _halved(torch.tensor([3])).dtype == torch.int64


def test_a_plan_takes_the_minutes_it_is_given() -> None:
    for goes_on in (False, True):
        plan = plan_of(100, goes_on=goes_on)
        assert abs(sum(phase.minutes for phase in plan.phases) - 100) < 1e-6
        assert plan.phases[-1].sides == (256, 512)
