"""SAM's mask decoder with its waste left out: the same weights, the same mathematics, less memory traffic.

The first layer's projections of the image do not depend on the prompt, so they are made once per image. The
image's tokens stay contiguous between layers, where the original permutes and copies them. The transposed
convolutions, whose stride equals their kernel, are plain matrix products. Sums are
taken in another order, so logits differ from the original's in the last bits; tests hold that masks
are the same pixel for pixel and scores agree to 1e-4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """What the first layer needs of an image: tokens, and their keys, values and queries by head."""

    tokens: Tensor
    keys: Tensor
    values: Tensor
    queries: Tensor


class FastMaskDecoder:
    """Runs the transformer and the heads of a `segment_anything.modeling.MaskDecoder`.

    Parameters
    ----------
    sam
        A `segment_anything.modeling.Sam`; its weights are read, never changed.
    """

    def __init__(self, sam: Any) -> None:
        self._decoder = sam.mask_decoder
        self._transformer = sam.mask_decoder.transformer
        self._encoder = sam.prompt_encoder
        with torch.inference_mode():
            self._position = _tokens(sam.prompt_encoder.get_dense_pe())
            self._no_mask = sam.prompt_encoder.no_mask_embed.weight.reshape(1, -1)
        self._upscale = [_as_matrix(layer) for layer in sam.mask_decoder.output_upscaling if hasattr(layer, "stride")]

    def prepare(self, features: Tensor) -> PreparedImage:
        """Return the prompt-independent part of an image's features, shape (1, C, h, w)."""
        return self._prepared(_tokens(features) + self._no_mask)

    def _prepared(self, tokens: Tensor) -> PreparedImage:
        layer = self._transformer.layers[0]
        into, out = layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
        placed = tokens + self._position
        return PreparedImage(
            tokens,
            _heads(into.k_proj(placed), into),
            _heads(into.v_proj(tokens), into),
            _heads(out.q_proj(placed), out),
        )

    def run(
        self, image: PreparedImage, features: Tensor, sparse: Tensor, dense: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return low-resolution logits (3, h, w) and predicted IoU (3,).

        Parameters
        ----------
        sparse : Tensor, shape (1, N, C)
            Embedded points and box.
        dense : Tensor, shape (1, C, h, w), or None
            Embedded mask to refine, if there is one.
        """
        decoder = self._decoder
        learned = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight], dim=0)
        point = torch.cat((learned, sparse[0]), dim=0)
        if dense is not None:
            image = self._prepared(_tokens(features + dense))
        queries, tokens = self._attend(point, image)
        predicted = decoder.iou_prediction_head(queries[:1])[0, 1:]
        side = features.shape[-2:]
        upscaled = self._upscaled(tokens, side)
        # Token 0 of the masks is the one for unambiguous prompts; 1 to 3 are the candidates.
        hyper = torch.stack([decoder.output_hypernetworks_mlps[index](queries[1 + index]) for index in (1, 2, 3)])
        logits = functional.linear(hyper, upscaled)
        return _unshuffled(logits, side), predicted

    def _attend(self, point: Tensor, image: PreparedImage) -> tuple[Tensor, Tensor]:
        queries, tokens = point, image.tokens
        for index, layer in enumerate(self._transformer.layers):
            if layer.skip_first_layer_pe:
                queries = _attention(layer.self_attn, queries, queries, queries)
            else:
                placed_queries = queries + point
                queries = queries + _attention(layer.self_attn, placed_queries, placed_queries, queries)
            queries = layer.norm1(queries)
            into, out = layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
            if index == 0:
                keys, values, asking = image.keys, image.values, image.queries
            else:
                placed = tokens + self._position
                keys = _heads(into.k_proj(placed), into)
                values = _heads(into.v_proj(tokens), into)
                asking = _heads(out.q_proj(placed), out)
            queries = queries + into.out_proj(_mixed(_heads(into.q_proj(queries + point), into), keys, values))
            queries = layer.norm2(queries)
            queries = layer.norm3(queries + layer.mlp(queries))
            answer = _mixed(asking, _heads(out.k_proj(queries + point), out), _heads(out.v_proj(queries), out))
            tokens = layer.norm4(out.out_proj(answer).add_(tokens))
        final = self._transformer.final_attn_token_to_image
        queries = queries + _attention(final, queries + point, tokens + self._position, tokens)
        return self._transformer.norm_final_attn(queries), tokens

    def _upscaled(self, tokens: Tensor, side: torch.Size) -> Tensor:
        """Return upscaled embeddings as (pixels, channels), each token's 4 x 4 pixels one after another."""
        (weight1, bias1), (weight2, bias2) = self._upscale
        _, norm, activate, _, last = self._decoder.output_upscaling
        first = functional.linear(tokens, weight1, bias1).view(-1, norm.weight.shape[0])
        normed = functional.layer_norm(first, (first.shape[1],), norm.weight, norm.bias, norm.eps)
        second = functional.linear(activate(normed), weight2, bias2)
        upscaled: Tensor = last(second).view(-1, weight2.shape[0] // 4)
        return upscaled


def _tokens(features: Tensor) -> Tensor:
    """Return features (1, C, h, w) as contiguous tokens (h * w, C)."""
    return features[0].flatten(1).transpose(0, 1).contiguous()


def _as_matrix(layer: Any) -> tuple[Tensor, Tensor]:
    """Return a transposed convolution with 2 x 2 kernel and stride as weight (4 * out, in) and bias (4 * out)."""
    inputs, outputs = layer.weight.shape[:2]
    weight = layer.weight.detach().permute(2, 3, 1, 0).reshape(4 * outputs, inputs).contiguous()
    return weight, layer.bias.detach().repeat(4)


def _unshuffled(logits: Tensor, side: torch.Size) -> Tensor:
    """Return (3, h * w * 4 * 4) in order of token, first and second upscaling, as pictures (3, 4 h, 4 w)."""
    rows, columns = side
    grid = logits.view(logits.shape[0], rows, columns, 2, 2, 2, 2)
    return grid.permute(0, 1, 3, 5, 2, 4, 6).reshape(logits.shape[0], rows * 4, columns * 4)


def _heads(projected: Tensor, attention: Any) -> Tensor:
    """Return (N, C) as (heads, N, C / heads)."""
    count, channels = projected.shape
    return projected.view(count, attention.num_heads, channels // attention.num_heads).transpose(0, 1)


def _mixed(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return scaled dot-product attention by head, as (N, C)."""
    mixed = functional.scaled_dot_product_attention(queries[None], keys[None], values[None])[0]
    return mixed.transpose(0, 1).reshape(queries.shape[1], -1)


def _attention(attention: Any, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    project: Callable[[Tensor], Tensor] = attention.out_proj
    return project(
        _mixed(
            _heads(attention.q_proj(queries), attention),
            _heads(attention.k_proj(keys), attention),
            _heads(attention.v_proj(values), attention),
        )
    )
