"""The starter: a small network in SAM's clothes, so that segment_anything's own Sam and SamPredictor run it unmodified.

Clicks become dense maps and are fused late, by a small convolutional decoder, with what classical segmenters know:
how likely a colour is near the clicks, how alike features are to those clicked. Image and prompts meet only there,
so an image is encoded once. SAM's token decoder, trained from scratch on as little, learns far more slowly.
"""

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.segmentation.sam_modules import segment_anything

INPUT_SIDE: Final = 512
STRIDE: Final = 16
"""Of the embedding; finer maps are folded into its channels."""
FEATURES_16: Final = 64
FEATURES_8: Final = 32
FEATURES_4: Final = 8
METRIC: Final = 16
"""Of the features at stride 8, these are compared between places."""
COLOUR_BINS: Final = 8
LEAST_CONTRAST: Final = 0.5
"""Deviation of a picture's colours; that of photos is near 1."""
MOST_GAIN: Final = 4.0
PROMPT_MAPS: Final = 11
RANGES: Final = 3
CUE_MAPS: Final = 2 + RANGES


def conv(into: int, out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return convolution, batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """Two 3 x 3 convolutions and what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        return functional.relu(x + self.second(self.first(x)))


def doubled(x: Tensor) -> Tensor:
    """Return maps at twice the side."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def levelled(x: Tensor) -> Tensor:
    """Return pictures (B, 3, S, S) of little contrast with more of it, and nearer to the middle; others as they are.

    Micrographs are dark and flat: their colours would all fall into one bin. Zeros are padding and stay.
    """
    there = (x.abs().amax(1, keepdim=True) > 0).to(x.dtype)
    count = (3 * there.sum((1, 2, 3), keepdim=True)).clamp(min=1)
    mean = x.sum((1, 2, 3), keepdim=True) / count
    deviation = ((x**2).sum((1, 2, 3), keepdim=True) / count - mean**2).clamp(min=1e-6).sqrt()
    gain = (LEAST_CONTRAST / deviation).clamp(1, MOST_GAIN)
    return ((x - mean) * gain + mean / gain) * there


class ImageEncoder(nn.Module):
    """(B, 3, S, S), normalised and padded with zeros, to (B, C, S / 16, S / 16).

    The embedding holds features at strides 16, 8 and 4, the colours at stride 4, and where the photo is.
    """

    def __init__(self, img_size: int = INPUT_SIDE) -> None:
        super().__init__()
        self.img_size = img_size
        self.stem = nn.Sequential(conv(48, 32, 1), conv(32, 24))
        self.down8 = nn.Sequential(conv(24, 48, 3, 2), Block(48))
        self.down16 = nn.Sequential(conv(48, 96, 3, 2), Block(96), Block(96))
        self.down32 = nn.Sequential(conv(96, 176, 3, 2), Block(176), Block(176))
        self.down64 = nn.Sequential(conv(176, 256, 3, 2), Block(256))
        self.context = nn.Linear(256, 128)
        self.side64 = nn.Conv2d(256, 128, 1)
        self.side32 = nn.Conv2d(176, 128, 1)
        self.merge32 = conv(128, 128)
        self.side16 = nn.Conv2d(96, 96, 1)
        self.merge16 = conv(128 + 96, 96)
        self.out16 = nn.Conv2d(96, FEATURES_16, 1)
        self.side8 = nn.Conv2d(48, 32, 1)
        self.merge8 = conv(96 + 32, 48)
        self.out8 = nn.Conv2d(48, FEATURES_8, 1)
        self.out4 = nn.Conv2d(24, FEATURES_4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the embedding."""
        x = levelled(x)
        valid = (functional.avg_pool2d(x.abs().amax(1, keepdim=True), STRIDE // 2) > 0).to(x.dtype)
        x4 = self.stem(functional.pixel_unshuffle(x, 4))
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        x32 = self.down32(x16)
        x64 = self.down64(x32)
        top = self.side64(x64) + self.context(x64.mean((2, 3)))[:, :, None, None]
        top = self.merge32(self.side32(x32) + doubled(top))
        top16 = self.merge16(torch.cat([self.side16(x16), doubled(top)], 1))
        top8 = self.merge8(torch.cat([self.side8(x8), doubled(top16)], 1))
        colours = functional.avg_pool2d(x, 4)
        return torch.cat(
            [
                self.out16(top16),
                functional.pixel_unshuffle(torch.cat([self.out8(top8), valid], 1), 2),
                functional.pixel_unshuffle(torch.cat([self.out4(x4), colours], 1), 4),
            ],
            1,
        )


def unfolded(embedding: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return an embedding's features at strides 16, 8 and 4, colours at stride 4, and the photo's place at stride 8."""
    at8 = FEATURES_16 + 4 * (FEATURES_8 + 1)
    features8 = functional.pixel_shuffle(embedding[:, FEATURES_16:at8], 2)
    features4 = functional.pixel_shuffle(embedding[:, at8:], 4)
    return (
        embedding[:, :FEATURES_16],
        features8[:, :FEATURES_8],
        features4[:, :FEATURES_4],
        features4[:, FEATURES_4:],
        features8[:, FEATURES_8:],
    )


class PromptEncoder(nn.Module):
    """Points, boxes and earlier logits as dense maps at stride 8. Nothing here is learned.

    The points themselves are handed on as (x, y, label), for the decoder to look up what lies under them.
    """

    def __init__(self, img_size: int = INPUT_SIDE) -> None:
        super().__init__()
        self.side = img_size
        self.input_image_size = (img_size, img_size)
        self.image_embedding_size = (img_size // STRIDE, img_size // STRIDE)
        self.mask_input_size = (img_size // 4, img_size // 4)
        self.embed_dim = 3
        self.register_buffer("centres", (torch.arange(img_size // 8) + 0.5) * 8, persistent=False)

    def get_dense_pe(self) -> Tensor:
        """Return a place holder: maps carry their places themselves."""
        centres: Tensor = self.centres  # type: ignore[assignment]
        return centres.new_zeros(1, 1, 1, 1)

    def forward(
        self, points: tuple[Tensor, Tensor] | None = None, boxes: Tensor | None = None, masks: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return points (B, N, 3) and maps (B, PROMPT_MAPS, S / 8, S / 8)."""
        centres: Tensor = self.centres  # type: ignore[assignment]
        given = points[0] if points is not None else boxes if boxes is not None else masks
        if given is None:
            raise ValueError("a prompt must have points, a box or a mask, got none")
        count, cells = given.shape[0], len(centres)
        maps = centres.new_zeros(count, PROMPT_MAPS, cells, cells)
        sparse = centres.new_zeros(count, 0, 3)
        if points is not None:
            xy, labels = points
            sparse = torch.cat([xy, labels[..., None].to(xy.dtype)], -1)
            dx = (centres - xy[..., :1]) ** 2
            dy = (centres - xy[..., 1:]) ** 2
            squared = dx[:, :, None, :] + dy[:, :, :, None]
            near = torch.exp(-squared / (2 * (self.side / 40) ** 2))
            far = torch.exp(-squared.sqrt() / (self.side / 6))
            for index, label in enumerate((1, 0)):
                here = (labels == label)[..., None, None]
                maps[:, index] = (near * here).amax(1)
                maps[:, 2 + index] = (far * here).amax(1)
        if boxes is not None:
            edges = boxes.reshape(count, 4)[:, :, None]
            reach = self.side / 20
            across = torch.minimum(centres - edges[:, 0], edges[:, 2] - centres).clamp(-reach, reach) / reach
            down = torch.minimum(centres - edges[:, 1], edges[:, 3] - centres).clamp(-reach, reach) / reach
            maps[:, 4] = torch.minimum(across[:, None, :], down[:, :, None])
            maps[:, 5] = 1
        if masks is not None:
            maps[:, 6:10] = functional.pixel_unshuffle(torch.tanh(masks.float() / 4), 2)
            maps[:, 10] = 1
        return sparse, maps


def colour_bins(colours: Tensor, valid: Tensor) -> Tensor:
    """Return each pixel's bin of lightness and two colour differences, shape (B, h * w); padding has one of its own.

    Parameters
    ----------
    colours : Tensor, shape (B, 3, h, w)
        Normalised to mean 0 and deviation 1 of ordinary photos.
    """
    red, green, blue = colours.float().unbind(1)
    axes = ((red + green + blue) / 3, (red - green) * 1.5, ((red + green) / 2 - blue) * 1.5)
    # Half the bins within a deviation of the middle: most photos are greyer than not.
    cells = [((torch.tanh(axis / 1.5) + 1) / 2 * COLOUR_BINS).long().clamp(0, COLOUR_BINS - 1) for axis in axes]
    index = (cells[0] * COLOUR_BINS + cells[1]) * COLOUR_BINS + cells[2]
    return torch.where(valid[:, 0] > 0, index, COLOUR_BINS**3).flatten(1)


def likelihood(bins: Tensor, weights: Tensor) -> Tensor:
    """Return how much likelier each pixel's colour is under a weight than elsewhere, in [0, 1]; 0.5 = as likely.

    Parameters
    ----------
    bins : Tensor of int64, shape (B, pixels)
    weights : Tensor, shape (B, R, pixels), in [0, 1]

    Returns
    -------
    Tensor, shape (B, R, pixels)
    """
    ranges = weights.shape[1]
    here = torch.cat([weights, torch.ones_like(weights[:, :1])], 1)
    where = bins[:, None].expand_as(here)
    counts = here.new_zeros(*here.shape[:2], COLOUR_BINS**3 + 1).scatter_add_(2, where, here)
    counts = _smoothed(counts)
    inside = counts[:, :ranges]
    outside = counts[:, ranges:] - inside
    inside = inside / inside.sum(2, keepdim=True).clamp(min=1e-6)
    outside = outside / outside.sum(2, keepdim=True).clamp(min=1e-6)
    share = (inside + 1e-5) / (inside + outside + 2e-5)
    return share.gather(2, where[:, :ranges])


def _smoothed(counts: Tensor) -> Tensor:
    """Return histograms whose neighbouring colours share: a few pixels tell little of a bin, more of those around."""
    cubes = counts[..., :-1].reshape(-1, 1, COLOUR_BINS, COLOUR_BINS, COLOUR_BINS)
    kernel = cubes.new_tensor([0.25, 0.5, 0.25])
    for axis in range(3):
        shape = [1, 1, 1, 1, 1]
        shape[2 + axis] = 3
        padding = [0, 0, 0]
        padding[axis] = 1
        cubes = functional.conv3d(cubes, kernel.view(shape), padding=tuple(padding))
    smooth = cubes.reshape(*counts.shape[:-1], -1)
    return torch.cat([smooth, torch.zeros_like(smooth[..., :1])], -1)


class MaskDecoder(nn.Module):
    """Embedding and prompts to four masks at a quarter of the input's side, with their predicted IoU.

    As in SAM, mask 0 answers unambiguous prompts, masks 1 to 3 are the candidates: here subpart, part and whole.
    """

    num_mask_tokens = 4

    def __init__(self) -> None:
        super().__init__()
        self.fuse = conv(FEATURES_8 + 3 + PROMPT_MAPS + CUE_MAPS, 32, 1)
        self.mix8 = conv(32, 32)
        self.down16 = conv(32, 64, 3, 2)
        self.join16 = conv(64 + FEATURES_16, 64, 1)
        self.block16 = Block(64)
        self.down32 = conv(64, 96, 3, 2)
        self.block32 = nn.Sequential(Block(96), Block(96))
        self.context = nn.Linear(96, 96)
        self.up16 = nn.Conv2d(96, 64, 1)
        self.after16 = Block(64)
        self.up8 = nn.Conv2d(64, 32, 1)
        self.after8 = Block(32)
        self.spread = nn.Conv2d(32, 4 * 16, 1)
        self.fine = conv(16 + FEATURES_4 + 3, 16)
        self.masks = nn.Conv2d(16, 4, 1)
        self.score = nn.Sequential(nn.Linear(96 + 12, 128), nn.ReLU(), nn.Linear(128, 4))

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, Tensor]:
        """Return masks (B, 3 or 1, S / 4, S / 4) as logits and their predicted IoU (B, 3 or 1), as SAM does."""
        masks, scores = self.predict(image_embeddings, sparse_prompt_embeddings, dense_prompt_embeddings)
        chosen = slice(1, 4) if multimask_output else slice(0, 1)
        return masks[:, chosen], scores[:, chosen].sigmoid()

    def predict(self, embedding: Tensor, points: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return all four masks as logits (B, 4, S / 4, S / 4), and their scores as logits (B, 4)."""
        count = maps.shape[0]
        if embedding.shape[0] != count:
            embedding = embedding.repeat_interleave(count // embedding.shape[0], 0)
        features16, features8, features4, colours4, valid = unfolded(embedding)
        colours8 = functional.avg_pool2d(colours4, 2)
        cues = self._cues(features8, colours8, valid, points, maps)
        known = [features8, colours8, maps.to(features8.dtype), cues.to(features8.dtype)]
        x8 = self.mix8(self.fuse(torch.cat(known, 1)))
        x16 = self.block16(self.join16(torch.cat([self.down16(x8), features16], 1)))
        x32 = self.block32(self.down32(x16))
        summary = x32.mean((2, 3))
        x32 = x32 + self.context(summary)[:, :, None, None]
        x16 = self.after16(x16 + self.up16(doubled(x32)))
        x8 = self.after8(x8 + self.up8(doubled(x16)))
        x4 = functional.pixel_shuffle(self.spread(x8), 2)
        x4 = self.fine(torch.cat([x4, features4, colours4], 1))
        masks = self.masks(x4).float()
        return masks, self.score(torch.cat([summary.float(), _looks(masks)], 1))

    def _cues(self, features: Tensor, colours: Tensor, valid: Tensor, points: Tensor, maps: Tensor) -> Tensor:
        """Return what is alike to what was clicked: features to foreground and background, colours at three ranges."""
        cells = features.shape[-1]
        metric = functional.normalize(features[:, :METRIC].float(), dim=1)
        foreground = background = metric.new_zeros(len(maps), 1, cells, cells)
        if points.shape[1]:
            at = (points[..., :2] / 8).long().clamp(0, cells - 1)
            index = (at[..., 1] * cells + at[..., 0])[:, None].expand(-1, METRIC, -1)
            under = metric.flatten(2).gather(2, index)
            alike = torch.einsum("bcn,bchw->bnhw", under, metric)
            labels = points[..., 2][..., None, None]
            some = ((labels == 0) | (labels == 1)).any(1, keepdim=True)  # points of other labels are none
            foreground = torch.where(labels == 1, alike, -1.0).amax(1, keepdim=True) * some
            background = torch.where(labels == 0, alike, -1.0).amax(1, keepdim=True) * some
        with torch.no_grad():
            bins = colour_bins(colours, valid)
            shares = likelihood(bins, self._ranges(maps).flatten(2)).view(-1, RANGES, cells, cells)
        return torch.cat([foreground, background, shares], 1)

    def _ranges(self, maps: Tensor) -> Tensor:
        """Return where the object's colours are taken from: close to its clicks, around them, and the mask before."""
        inside = maps[:, 4].clamp(0, 1)
        near = (maps[:, 0] - maps[:, 1]).clamp(0, 1)
        far = (maps[:, 2] ** 2 - maps[:, 3] ** 2).clamp(0, 1)
        before = (maps[:, 6:10].mean(1) / 2 + 0.5) * maps[:, 10]
        return torch.stack([torch.maximum(near, inside), torch.maximum(far, inside), torch.maximum(before, near)], 1)


def _looks(masks: Tensor) -> Tensor:
    """Return how sure and how large each mask is: mean probability inside, log area, share of sure pixels, (B, 12)."""
    likely = masks.detach().sigmoid()
    inside = (likely > 0.5).float()
    area = inside.mean((2, 3))
    sure = ((likely * inside).mean((2, 3)) + 1e-4) / (area + 1e-4)
    decided = ((likely - 0.5).abs() > 0.4).float().mean((2, 3))
    return torch.cat([sure, (area + 1e-4).log() / 4, decided], 1)


def build_starter(img_size: int = INPUT_SIDE) -> Any:
    """Return the untrained network as a `segment_anything.modeling.Sam`."""
    return segment_anything().modeling.Sam(ImageEncoder(img_size), PromptEncoder(img_size), MaskDecoder())
