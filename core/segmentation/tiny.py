"""A small SAM of the same modules with random weights: for tests and benchmarks, never for annotating."""

from functools import partial
from typing import Any

import torch

from core.segmentation.sam_modules import segment_anything


def build_tiny_sam(
    image_size: int = 512, *, depth: int = 6, width: int = 320, seed: int = 0, smooth: bool = False
) -> Any:
    """Return a `segment_anything.modeling.Sam` of about 10 million random parameters, the same for one seed.

    Its decoder is SAM's own (two-way transformer of depth 2, 256 wide); its encoder is a thinner ViT. With `smooth`
    its upscaling kernels are flat, at the same cost: masks then have about as many edges as those of a trained
    network, where random kernels would make them noise.
    """
    modeling = segment_anything().modeling
    side = image_size // 16
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sam = modeling.Sam(
            image_encoder=modeling.ImageEncoderViT(
                depth=depth,
                embed_dim=width,
                img_size=image_size,
                mlp_ratio=2,
                norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
                num_heads=5,
                patch_size=16,
                qkv_bias=True,
                use_rel_pos=True,
                global_attn_indexes=(depth - 1,),
                window_size=14,
                out_chans=256,
            ),
            prompt_encoder=modeling.PromptEncoder(
                embed_dim=256,
                image_embedding_size=(side, side),
                input_image_size=(image_size, image_size),
                mask_in_chans=16,
            ),
            mask_decoder=modeling.MaskDecoder(
                num_multimask_outputs=3,
                transformer=modeling.TwoWayTransformer(depth=2, embedding_dim=256, mlp_dim=2048, num_heads=8),
                transformer_dim=256,
                iou_head_depth=3,
                iou_head_hidden_dim=256,
            ),
            pixel_mean=[123.675, 116.28, 103.53],
            pixel_std=[58.395, 57.12, 57.375],
        )
    if smooth:
        for layer in sam.mask_decoder.output_upscaling:
            if isinstance(layer, torch.nn.ConvTranspose2d):
                layer.weight.data[:] = layer.weight.data.mean(dim=(2, 3), keepdim=True) * 2
    return sam.eval()
