"""The loop as a program runs it: prompt, refine, accept, retrain.

    with AssistedAnnotator("starter") as annotator:
        for path in photos:
            annotator.annotate_image(path, refine_by_hand)
        version = annotator.retrain_model()

`refine_by_hand` is called with an `Assist` and yields the masks that are accepted, one after the other.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from core import annotating, job_process, jobs, masks, versions
from core.errors import InvalidInput
from core.importing import import_bytes
from core.segmentation.desk import OfferedCandidate
from core.segmentation.protocol import Candidate, Mask, Point, Prompt, RgbImage
from core.settings import Settings, from_environment
from core.training.recipe import Recipe
from core.workshop import open_workshop
from storage import images
from storage.rows import ImageRow, ModelVersionRow


class Assist:
    """One image in front of an annotator.

    Attributes
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        The working image; prompts are in its pixels.
    """

    def __init__(self, annotator: "AssistedAnnotator", row: ImageRow) -> None:
        self._annotator, self._row = annotator, row
        self.image: RgbImage = annotator.shop.working_pixels(row.working_sha256)
        self._found: list[OfferedCandidate] = []
        self._prompts: list[dict[str, Any]] = []
        self._model: str | None = None
        self._begun = time.monotonic()

    def prompt(
        self, points: Iterable[tuple[float, float, int]] = (), box: tuple[float, float, float, float] | None = None
    ) -> list[Candidate]:
        """Return three candidates for all prompts of the object in work, best first; they refine the best one before.

        Parameters
        ----------
        points : iterable of (x, y, label)
            Label 1 is object, 0 background.
        box : (x0, y0, x1, y1), optional

        Raises
        ------
        InvalidInput
            If a prompt does not fit the image.
        """
        asked = Prompt(tuple(Point(*point) for point in points), box)
        asked = asked.check(height=self._row.height, width=self._row.width)
        refine = self._found[0].token if self._found else None
        answer = self._annotator.shop.desk.prompt(self._row.working_sha256, asked, refine=refine)
        self._found, self._model = answer.candidates, answer.model
        self._note(asked)
        return [offered.candidate for offered in self._found]

    def _note(self, asked: Prompt) -> None:
        """Remember what was given, each point with the time it was given first."""
        at_ms = round((time.monotonic() - self._begun) * 1e3)
        known = {(one["kind"], one["x"], one["y"], one.get("label")): one for one in self._prompts}
        given: list[dict[str, Any]] = []
        if asked.box:
            x0, y0, x1, y1 = asked.box
            given.append({"kind": "box", "x": x0, "y": y0, "x1": x1, "y1": y1, "at_ms": at_ms})
        given += [{"kind": "point", "x": p.x, "y": p.y, "label": p.label, "at_ms": at_ms} for p in asked.points]
        self._prompts = [known.get((one["kind"], one["x"], one["y"], one.get("label")), one) for one in given]

    def accept(self, mask: Mask, number: int) -> annotating.Saved:
        """Keep a mask as the object in work, and begin the next one."""
        rank = next((rank for rank, one in enumerate(self._found) if (one.candidate.mask() == mask).all()), None)
        chosen = None if rank is None else self._found[rank].candidate
        key = f"assisted-{self._row.id}-{time.time_ns()}-{number}"
        spent_ms = round((time.monotonic() - self._begun) * 1e3)
        saved = annotating.accept(
            self._annotator.shop,
            self._row.id,
            key,
            annotating.Accepted(
                masks.encode(mask),
                object_key=key,
                predicted_iou=chosen.predicted_iou if chosen else None,
                stability_score=chosen.stability_score if chosen else None,
                level=chosen.level if chosen else None,
                rank=rank,
                model=self._model,
                edited=chosen is None,
                kept_iou=1.0 if chosen else None,
                prompts=self._prompts,
                times={"prompting_ms": spent_ms},
            ),
        )
        self._found, self._prompts, self._model = [], [], None
        self._begun = time.monotonic()
        return saved


Refinement = Callable[[Assist], Iterable[Mask]]


class AssistedAnnotator:
    """A library, a model that answers prompts, and retraining; a context manager that lets go of both.

    Parameters
    ----------
    model : str, optional
        Name of a model of the catalogue in place of the one chosen in the library.
    settings : Settings, optional
        Where the library is; what the environment says unless given.

    Raises
    ------
    ModelUnavailable
        If the model cannot be loaded.
    """

    def __init__(self, model: str | None = None, *, settings: Settings | None = None) -> None:
        settings = settings or from_environment()
        self.shop = open_workshop(replace(settings, model=model) if model else settings, samples=False)

    def __enter__(self) -> "AssistedAnnotator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shop.close()

    def annotate_image(self, image: Path | bytes, human_refinement: Refinement) -> list[annotating.Saved]:
        """Put a photo into the library, unless it is there, and keep each mask that a human (or a robot) accepts.

        Parameters
        ----------
        image : Path or bytes
            A photo's file, or what is in it.
        human_refinement : callable
            Gets an `Assist`, prompts as often as it likes, and yields masks of shape (H, W).

        Raises
        ------
        InvalidInput
            If the file is no photo, or a mask is not of the image's size.
        """
        name, data = (image.name, image.read_bytes()) if isinstance(image, Path) else ("photo", image)
        shop = self.shop
        report = import_bytes([(name, data)], engines=shop.engines, files=shop.files, project_id=shop.project_id)
        if report.stopped or report.reasons:
            raise InvalidInput(report.stopped or report.reasons[0][1])
        with shop.engines.reading() as session:
            row = images.by_sha256(shop.project_id, hashlib.sha256(data).hexdigest(), session=session)
        assist = Assist(self, row)
        saved = []
        for number, mask in enumerate(human_refinement(assist), start=1):
            saved.append(assist.accept(mask, number))
        return saved

    def retrain_model(self, *, recipe: Recipe | None = None, promote: bool = True) -> ModelVersionRow:
        """Return a new version, learned from what was accepted; it answers from now on if it is better.

        Raises
        ------
        InvalidInput
            If it could not be made; the sentence says why.
        """
        job = job_process.work(self.shop, jobs.begin(self.shop, recipe, start=False))
        if job.state != "done":
            raise InvalidInput(job.message or f"a retraining must end to give a version, but it was {job.state}")
        version = versions.get(self.shop, job.progress["version_id"])
        if promote and version.detail["verdict"]["kind"] == "better":
            versions.promote(self.shop, version.id)
        return version
