"""SAM as a segmenter: segment_anything's own modules, without the predictor's state and without its waste.

`SamPredictor.predict` upsamples three masks to full size as floats on every click. Here the decoder
runs once, scores and small masks come from its own resolution, and only what is looked at is upsampled, by
the same steps, with the same mask pixel for pixel.
"""

import contextlib
from typing import Any, Final, Literal, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from core.segmentation.protocol import (
    Candidate,
    Embedding,
    Logits,
    Mask,
    Prompt,
    RgbImage,
    coarse_size,
    digest,
    levels_by_area,
)
from core.segmentation.recent import Recent
from core.segmentation.sam_decoder import FastMaskDecoder
from core.segmentation.sam_modules import segment_anything

PREPROCESSING: Final = "sam-1"
STABILITY_OFFSET: Final = 1.0
PREPARED_IMAGES: Final = 8
PLACES_AT_ONCE: Final = 16
"""Clicks of their own that are decoded together; more are no faster."""
Precision = Literal["fp32", "bf16"]


class Decoder(Protocol):
    """Runs a network's mask decoder on one image and one prompt."""

    def prepare(self, features: torch.Tensor) -> Any:
        """Return what does not depend on the prompt, made once for an image's features (1, C, h, w)."""

    def run(
        self, image: Any, features: torch.Tensor, sparse: torch.Tensor, dense: torch.Tensor, refined: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return low-resolution logits (3, h, w) and predicted IoU (3,) for an embedded prompt."""

    def run_each(
        self, image: Any, features: torch.Tensor, sparse: torch.Tensor, dense: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (N, 3, h, w) and predicted IoU (N, 3) for N prompts embedded together, each on its own."""


class SamSegmenter:
    """Answers prompts with a SAM network. Safe to call from many threads: no call changes the network.

    Parameters
    ----------
    sam
        A `segment_anything.modeling.Sam`, in evaluation mode on its device.
    name, title : str
        For programs and for people.
    precision : str
        "bf16" encodes in bfloat16; decoding is always in float32.
    decoder : Decoder, optional
        How the network's decoder is run; SAM's own, without its waste, unless another is given.
    """

    keeps_embeddings = True

    def __init__(
        self, sam: Any, *, name: str, title: str, precision: Precision = "fp32", decoder: "Decoder | None" = None
    ) -> None:
        self.sam = sam
        self.name = name
        self.title = title
        self.precision = precision
        self.device = str(sam.device.type)
        self._transform = segment_anything().predictor.ResizeLongestSide(sam.image_encoder.img_size)
        encoder = _weights_digest(sam.image_encoder)
        self.encoder_key = digest(PREPROCESSING, precision, encoder)
        self.content_hash = digest(
            PREPROCESSING, precision, encoder, _weights_digest(sam.prompt_encoder), _weights_digest(sam.mask_decoder)
        )
        self._decoder: Decoder = decoder or FastMaskDecoder(sam)
        self._prepared = Recent[tuple[torch.Tensor, Any]](PREPARED_IMAGES)

    @property
    def side(self) -> int:
        """Side of the network's square input."""
        return int(self.sam.image_encoder.img_size)

    def encode(self, image: RgbImage) -> Embedding:
        """Return the embedding of an RGB image of shape (H, W, 3), kept as float16."""
        resized = self._transform.apply_image(image)
        tensor = torch.as_tensor(resized, device=self.sam.device).permute(2, 0, 1).contiguous()[None]
        with torch.inference_mode(), self._autocast():
            features = self.sam.image_encoder(self.sam.preprocess(tensor))
        kept = features[0].float().cpu().numpy().astype(np.float16)
        height, width = image.shape[:2]
        return Embedding((height, width), self.encoder_key, {"features": kept})

    def decode(
        self,
        embedding: Embedding,
        prompt: Prompt,
        *,
        refine: Candidate | None = None,
        insist: bool = False,
        preview: bool = False,
    ) -> list[Candidate]:
        """Return three candidates, best predicted IoU first (one with `preview`).

        The stability score is that of `segment_anything.utils.amg.calculate_stability_score` (logits cut at
        +1 and -1), taken at the decoder's own resolution within the photo.

        `insist` changes nothing: SAM's three answers to a mask are all of that mask.
        """
        low_res, predicted = self.predict(embedding, prompt, refine.low_res if refine else None)
        order = torch.argsort(predicted, descending=True).tolist()[: 1 if preview else 3]
        inside = self.inside(low_res, embedding.size_hw)
        areas = [float((inside[index] > 0).sum()) for index in range(3)]
        levels = levels_by_area(areas)
        found = []
        for index in order:
            logits = low_res[index].cpu().numpy()
            crop: NDArray[np.float32] = inside[index].cpu().numpy()
            found.append(
                Candidate(
                    predicted_iou=float(predicted[index].clamp(0, 1)),
                    stability_score=stability(crop),
                    level=levels[index],
                    low_res=logits,
                    coarse=_coarse(crop, embedding.size_hw),
                    upsample=lambda logits=logits: self.full_mask(logits, embedding.size_hw),  # type: ignore[misc]
                )
            )
        return found

    def full_mask(self, low_res: Logits, size_hw: tuple[int, int]) -> Mask:
        """Return one mask at the image's size by SAM's own postprocessing."""
        with torch.inference_mode():
            logits = torch.as_tensor(low_res, device=self.sam.device)[None, None]
            full = self.sam.postprocess_masks(logits, self.input_size(size_hw), size_hw)
            mask: Mask = (full > self.sam.mask_threshold)[0, 0].cpu().numpy()
        return mask

    def predict(self, embedding: Embedding, prompt: Prompt, refine: Logits | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return low-resolution logits (3, h, w) and predicted IoU (3,) of one run of the decoder.

        `refine` are such logits, to go on from; those of another size are passed over.
        """
        device, size_hw = self.sam.device, embedding.size_hw
        points = boxes = masks = None
        if prompt.points:
            xy = np.array([[point.x, point.y] for point in prompt.points])
            labels = np.array([point.label for point in prompt.points])
            coordinates = torch.as_tensor(self._transform.apply_coords(xy, size_hw), dtype=torch.float, device=device)
            points = (coordinates[None], torch.as_tensor(labels, dtype=torch.int, device=device)[None])
        if prompt.box is not None:
            box = self._transform.apply_boxes(np.array(prompt.box), size_hw)
            boxes = torch.as_tensor(box, dtype=torch.float, device=device)[None, :]
        if refine is not None and refine.shape == self.sam.prompt_encoder.mask_input_size:
            masks = torch.as_tensor(refine, dtype=torch.float, device=device)[None, None]
        with torch.inference_mode():
            features, image = self._image(embedding)
            sparse, dense = self.sam.prompt_encoder(points=points, boxes=boxes, masks=masks)
            return self._decoder.run(image, features, sparse, dense, masks is not None)

    def best_each(self, embedding: Embedding, places: NDArray[np.float64]) -> list[tuple[Logits, float]]:
        """Return the best answer to each of some places (N, 2), each taken for a click of its own.

        An answer is its logits within the photo and its predicted IoU in [0, 1].
        """
        found = []
        for begin in range(0, len(places), PLACES_AT_ONCE):
            some = places[begin : begin + PLACES_AT_ONCE]
            xy = self._transform.apply_coords(some, embedding.size_hw)[:, None]
            coordinates = torch.as_tensor(xy, dtype=torch.float, device=self.sam.device)
            labels = torch.ones(len(some), 1, dtype=torch.int, device=self.sam.device)
            with torch.inference_mode():
                features, image = self._image(embedding)
                sparse, dense = self.sam.prompt_encoder(points=(coordinates, labels), boxes=None, masks=None)
                logits, scores = self._decoder.run_each(image, features, sparse, dense)
            for index, best in enumerate(scores.argmax(1).tolist()):
                inside: Logits = self.inside(logits[index], embedding.size_hw)[best].cpu().numpy()
                found.append((inside, float(scores[index, best].clamp(0, 1))))
        return found

    def _image(self, embedding: Embedding) -> tuple[torch.Tensor, Any]:
        """Return the image's features and their prepared form, kept for the images used last."""

        def prepare() -> tuple[torch.Tensor, Any]:
            values = embedding.arrays["features"].astype(np.float32)
            features = torch.as_tensor(values, device=self.sam.device)[None]
            return features, self._decoder.prepare(features)

        return self._prepared.get(embedding, None, prepare)

    def input_size(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width at which the network sees an image of this size."""
        height, width = self._transform.get_preprocess_shape(size_hw[0], size_hw[1], self.side)
        return int(height), int(width)

    def inside(self, low_res: torch.Tensor, size_hw: tuple[int, int]) -> torch.Tensor:
        """Return the part of low-resolution logits that lies on the photo, not on the padding."""
        height, width = self.input_size(size_hw)
        rows, columns = low_res.shape[-2:]
        return low_res[:, : max(1, round(height * rows / self.side)), : max(1, round(width * columns / self.side))]

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device, dtype=torch.bfloat16)


def bf16_is_fast(device: str) -> bool:
    """Return whether bfloat16 matrix work is faster than float32 there: AVX512-BF16, or a GPU that has it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        with open("/proc/cpuinfo") as file:
            return any("avx512_bf16" in line or "amx_bf16" in line for line in file)
    except OSError:
        return False


def stability(logits: Logits) -> float:
    """Return the IoU of the masks cut at logits +1 and -1; 0 where there is nothing."""
    larger = int((logits > -STABILITY_OFFSET).sum())
    return int((logits > STABILITY_OFFSET).sum()) / larger if larger else 0.0


def _coarse(logits: Logits, size_hw: tuple[int, int]) -> Mask:
    rows, columns = coarse_size(size_hw)
    small: Mask = cv2.resize(logits, (columns, rows), interpolation=cv2.INTER_LINEAR) > 0
    return small


def _weights_digest(module: torch.nn.Module) -> str:
    """Return a hash of a module's weights: names, shapes and values."""
    parts: list[bytes | str] = []
    for name, value in sorted(module.state_dict().items()):
        flat = value.detach().cpu().contiguous().reshape(-1)
        parts += [name, str(tuple(value.shape)), str(value.dtype), flat.view(torch.uint8).numpy().tobytes()]
    return digest(*parts)
