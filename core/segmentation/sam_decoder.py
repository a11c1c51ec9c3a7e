"""SAM's mask decoder with its waste left out: the same weights, the same mathematics, less work.

A click has a handful of tokens, an image has a thousand and more. Between the two, the original projects every token
of the image to keys, values and queries. Matrix products can be taken in any order, so here the few are
projected in place of the many: with n prompt tokens and h heads, n h columns take the place of the attention's width.
The image's tokens stay contiguous between layers, where the original permutes and copies them. The transposed
convolutions, whose stride equals their kernel, are plain matrix products. Sums are taken in another order, so logits
differ from the original's in the last bits; tests hold that masks are the same pixel for pixel and scores
agree to 1e-4.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image's tokens, shape (h * w, C): as they are, and with their places added."""

    tokens: Tensor
    placed: Tensor


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
        return PreparedImage(tokens, tokens + self._position)

    def run(
        self, image: PreparedImage, features: Tensor, sparse: Tensor, dense: Tensor, refined: bool
    ) -> tuple[Tensor, Tensor]:
        """Return low-resolution logits (3, h, w) and predicted IoU (3,).

        Parameters
        ----------
        sparse : Tensor, shape (1, N, C)
            Embedded points and box.
        dense : Tensor, shape (1, C, h, w)
            Embedded mask to refine; what stands for none is part of the prepared image.
        refined : bool
            Whether there is a mask to refine.
        """
        decoder = self._decoder
        learned = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight], dim=0)
        point = torch.cat((learned, sparse[0]), dim=0)
        if refined:
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
        queries = point
        for layer in self._transformer.layers:
            if layer.skip_first_layer_pe:
                queries = _attention(layer.self_attn, queries, queries, queries)
            else:
                placed = queries + point
                queries = queries + _attention(layer.self_attn, placed, placed, queries)
            queries = layer.norm1(queries)
            queries = queries + _from_image(layer.cross_attn_token_to_image, queries + point, image)
            queries = layer.norm2(queries)
            queries = layer.norm3(queries + layer.mlp(queries))
            answer = _to_image(layer.cross_attn_image_to_token, image, queries + point, queries)
            image = self._prepared(layer.norm4(answer.add_(image.tokens)))
        queries = queries + _from_image(self._transformer.final_attn_token_to_image, queries + point, image)
        return self._transformer.norm_final_attn(queries), image.tokens

    def _upscaled(self, tokens: Tensor, side: torch.Size) -> Tensor:
        """Return upscaled embeddings as (pixels, channels), each token's 4 x 4 pixels one after another."""
        (weight1, bias1), (weight2, bias2) = self._upscale
        _, norm, activate, _, last = self._decoder.output_upscaling
        first = functional.linear(tokens, weight1, bias1).view(-1, norm.weight.shape[0])
        normed = functional.layer_norm(first, (first.shape[1],), norm.weight, norm.bias, norm.eps)
        second = functional.linear(activate(normed), weight2, bias2)
        upscaled: Tensor = last(second).view(-1, weight2.shape[0] // 4)
        return upscaled

    def run_each(self, image: PreparedImage, features: Tensor, sparse: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, 3, h, w) and predicted IoU (N, 3) of N prompts, one after the other."""
        answers = [
            self.run(image, features, sparse[index : index + 1], dense[index : index + 1], False)
            for index in range(len(sparse))
        ]
        return torch.stack([logits for logits, _ in answers]), torch.stack([scores for _, scores in answers])


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


def _head_weights(layer: Any, attention: Any) -> Tensor:
    """Return the weight (C, inputs) of a projection into heads as (heads, C / heads, inputs)."""
    weight: Tensor = layer.weight
    return weight.view(attention.num_heads, -1, weight.shape[1])


def _attention(attention: Any, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return the attention of few to few, as the original computes it."""
    mixed = functional.scaled_dot_product_attention(
        _heads(attention.q_proj(queries), attention)[None],
        _heads(attention.k_proj(keys), attention)[None],
        _heads(attention.v_proj(values), attention)[None],
    )[0]
    projected: Tensor = attention.out_proj(_joined(mixed))
    return projected


def _from_image(attention: Any, asking: Tensor, image: PreparedImage) -> Tensor:
    """Return what few tokens (n, C) read in the image.

    q (W_k t + b_k) is (q W_k) t and a number that is the same for every t, which softmax does not see. Weights
    add up to 1, so values are projected after they are mixed.
    """
    queries = _heads(attention.q_proj(asking), attention)
    folded = queries @ _head_weights(attention.k_proj, attention)
    scores = folded.flatten(0, 1) @ image.placed.T
    weights = (scores * queries.shape[-1] ** -0.5).softmax(dim=-1)
    mixed = (weights @ image.tokens).view(*queries.shape[:2], -1)
    values = mixed @ _head_weights(attention.v_proj, attention).transpose(1, 2)
    projected: Tensor = attention.out_proj(_joined(values) + attention.v_proj.bias)
    return projected


def _to_image(attention: Any, image: PreparedImage, keyed: Tensor, values: Tensor) -> Tensor:
    """Return what every token of the image reads in few tokens (n, C), shape (h * w, C)."""
    keys = _heads(attention.k_proj(keyed), attention) * (attention.internal_dim // attention.num_heads) ** -0.5
    folded = keys @ _head_weights(attention.q_proj, attention)
    constant = keys @ attention.q_proj.bias.view(attention.num_heads, -1, 1)
    # The image's tokens lie along the rows: a softmax over the few is slow where they are neighbours in memory.
    scores = torch.addmm(constant.flatten(0, 1), folded.flatten(0, 1), image.placed.T)
    weights = scores.view(*keys.shape[:2], -1).softmax(dim=1).flatten(0, 1)
    out = attention.out_proj.weight.T.reshape(attention.num_heads, -1, attention.out_proj.out_features)
    answers = _heads(attention.v_proj(values), attention) @ out
    return torch.addmm(attention.out_proj.bias, weights.T, answers.flatten(0, 1))


def _joined(by_head: Tensor) -> Tensor:
    """Return (heads, N, C / heads) as (N, C)."""
    return by_head.transpose(0, 1).reshape(by_head.shape[1], -1)
