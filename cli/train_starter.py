"""`masksmith train-starter`: the small model that ships, made from nothing."""

from pathlib import Path
from typing import Annotated

import typer

from cli.screen import say, sentences
from core.errors import InvalidInput
from core.training.datasets import open_dataset
from core.training.known import known_photos
from core.training.materials import Materials, cutouts_in, photos_in


def train_starter_command(
    out: Annotated[Path, typer.Option("--out", help="Folder for the weights and what was done.")],
    minutes: Annotated[float, typer.Option("--minutes", help="How long to train.")] = 120.0,
    cutouts: Annotated[
        list[Path] | None, typer.Option("--cutouts", help="Folder of pictures with an alpha channel; repeatable.")
    ] = None,
    photos: Annotated[
        list[Path] | None, typer.Option("--photos", help="Folder of photos for ground and textures; repeatable.")
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option("--known", help="Data set with true masks to learn from, as for evaluate; repeatable."),
    ] = None,
    start: Annotated[Path | None, typer.Option("--start", help="Weights to go on from.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of scenes and weights.")] = 0,
) -> None:
    """Train the starter on scenes that are made beside it; on a GPU if torch finds one."""
    from core.training.fit import Trainer, plan_of

    with sentences():
        if minutes <= 0:
            raise InvalidInput(f"the minutes must be more than 0, got {minutes:g}")
        answered = [photo for path in known or [] for photo in known_photos(open_dataset(path))]
        materials = Materials(cutouts_in(cutouts or []), photos_in(photos or []), answered)
        say(f"{len(materials.cutouts)} cut-outs, {len(materials.photos)} photos, {len(answered)} with known objects.")
        trainer = Trainer(plan_of(minutes, seed=seed, goes_on=start is not None), materials, out)
        if start is not None:
            trainer.load(start)
        say(f"{trainer.run(say)} holds the weights.")
