"""Generated photos with known objects, written as each kind of data set, and segmenters whose figures are known."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from core import masks
from core.formats.polygons import outlines_of
from core.segmentation.protocol import Candidate, Embedding, Logits, Prompt, RgbImage

GROUND, COLOUR = (50, 50, 50), (210, 90, 40)


@dataclass(frozen=True)
class Made:
    """A photo and its objects, as drawings of 255, 128 and 0."""

    name: str
    pixels: np.ndarray
    drawings: tuple[np.ndarray, ...]


def photo_of(name: str, *objects: np.ndarray) -> Made:
    """Return a photo on which the given masks are bright."""
    pixels = np.full((*objects[0].shape, 3), GROUND, np.uint8)
    for mask in objects:
        pixels[mask] = COLOUR
    return Made(name, pixels, tuple(np.where(mask, np.uint8(255), np.uint8(0)) for mask in objects))


def disk(x: int, y: int, radius: int, hw: tuple[int, int] = (100, 140)) -> np.ndarray:
    rows, columns = np.mgrid[: hw[0], : hw[1]]
    inside: np.ndarray = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    return inside


def disks(count: int) -> list[Made]:
    """Return photos of two disks each, apart from each other; no two photos are alike."""
    return [
        photo_of(f"p{n}", disk(30 + n % 7, 40 + n // 7, 12 + n % 5), disk(100, 50, 14 + n % 9)) for n in range(count)
    ]


def unsure_rim(made: Made, width: int = 3) -> Made:
    """Return the photo with a rim of unknown pixels around and within each object's outline."""
    kernel = np.ones((2 * width + 1,) * 2, np.uint8)
    drawings = []
    for drawing in made.drawings:
        rim = cv2.morphologyEx(drawing, cv2.MORPH_GRADIENT, kernel) > 0
        drawings.append(np.where(rim, np.uint8(128), drawing))
    return replace(made, drawings=tuple(drawings))


def save_photos(folder: Path, photos: list[Made]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for made in photos:
        Image.fromarray(made.pixels).save(folder / f"{made.name}.png")


def as_manifest(folder: Path, photos: list[Made], **more: str) -> Path:
    """Write a manifest; `more` are further columns."""
    save_photos(folder / "images", photos)
    (folder / "masks").mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", *more, "image", "mask"])
        for made in photos:
            for number, drawing in enumerate(made.drawings):
                name = f"{made.name}-{number}"
                Image.fromarray(drawing).save(folder / "masks" / f"{name}.png")
                rows.writerow([name, *more.values(), f"images/{made.name}.png", f"masks/{name}.png"])
    return folder


def as_coco(folder: Path, photos: list[Made], form: str = "rle", *, images: str = "images") -> Path:
    """Write COCO with `form` "rle", "runs" (uncompressed) or "polygons"."""
    save_photos(folder / images, photos)
    document: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    for image_id, made in enumerate(photos, start=1):
        height, width = made.pixels.shape[:2]
        entry = {"id": image_id, "file_name": f"{made.name}.png", "height": height, "width": width}
        document["images"].append(entry)
        for drawing in made.drawings:
            segmentation = segmentation_of(drawing == 255, form)
            number = len(document["annotations"]) + 1
            document["annotations"].append({"id": number, "image_id": image_id, "segmentation": segmentation})
    (folder / "annotations.json").write_text(json.dumps(document))
    return folder


def segmentation_of(mask: np.ndarray, form: str) -> Any:
    if form == "polygons":
        return outlines_of(mask)
    if form == "rle":
        return masks.encode(mask)
    flat = mask.reshape(-1, order="F")
    changes = np.flatnonzero(np.diff(flat.astype(int))) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def as_sa1b(folder: Path, photos: list[Made]) -> Path:
    save_photos(folder, photos)
    for made in photos:
        height, width = made.pixels.shape[:2]
        annotations = [
            {"id": number, "segmentation": masks.encode(drawing == 255)}
            for number, drawing in enumerate(made.drawings, start=1)
        ]
        image = {"image_id": 1, "file_name": f"{made.name}.png", "height": height, "width": width}
        (folder / f"{made.name}.json").write_text(json.dumps({"image": image, "annotations": annotations}))
    return folder


def as_labels(folder: Path, photos: list[Made]) -> Path:
    """Write 16-bit maps of labels in `labels`, photos in `images`."""
    save_photos(folder / "images", photos)
    (folder / "labels").mkdir()
    for made in photos:
        labels = np.zeros(made.pixels.shape[:2], np.uint16)
        for number, drawing in enumerate(made.drawings):
            labels[drawing == 255] = 300 + number
        Image.fromarray(labels).save(folder / "labels" / f"{made.name}.png")
    return folder


class Constant:
    """Answers every prompt with the same share of the image: nothing, or everything."""

    keeps_embeddings = False
    device = "cpu"

    def __init__(self, full: bool, predicted: float = 0.5) -> None:
        self.name = self.title = "full" if full else "empty"
        self.encoder_key = self.name
        self.content_hash = f"{self.name} {predicted}"
        self.encoded = 0
        self.prompts: list[Prompt] = []
        self._predicted = predicted

    def encode(self, image: RgbImage) -> Embedding:
        self.encoded += 1
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
        self.prompts.append(prompt.check(height=embedding.size_hw[0], width=embedding.size_hw[1]))
        mask = self.answer(np.asarray(embedding.arrays["image"]), prompt)
        return [Candidate(self._predicted, 1.0, "whole", np.zeros((4, 4), np.float32), mask, lambda: mask)] * 3

    def answer(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        return np.full(image.shape[:2], self.name == "full")


class Oracle(Constant):
    """Knows that objects are bright: answers with the bright part that was clicked or boxed, and is sure of it."""

    def __init__(self) -> None:
        super().__init__(full=True, predicted=1.0)
        self.name = self.title = self.encoder_key = self.content_hash = "oracle"

    def answer(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        _, parts = cv2.connectedComponents((image[..., 0] > 130).astype(np.uint8))
        if prompt.box:
            x, y = (prompt.box[0] + prompt.box[2]) / 2, (prompt.box[1] + prompt.box[3]) / 2
        else:
            x, y = prompt.points[0].x, prompt.points[0].y
        found: np.ndarray = parts == parts[int(y), int(x)]
        return found


class Improving(Constant):
    """Finds the object's left columns, one more part in ten with each click: a curve that is known by hand."""

    def __init__(self) -> None:
        super().__init__(full=True, predicted=0.5)
        self.name = self.title = self.encoder_key = self.content_hash = "improving"

    def answer(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        mask: np.ndarray = image[..., 0] > 130
        columns = np.flatnonzero(mask.any(axis=0))
        mask[:, columns[0] + round(len(columns) * min(1.0, len(prompt.points) / 10)) :] = False
        return mask
