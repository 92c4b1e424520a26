"""The sizes of a segment-anything checkpoint, read from the shapes of its tensors.

Called by `network` before anything is built, so that ViT-B, L, H and small test checkpoints all load without a name.
Knows no torch: it sees names and shapes only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.errors import WeightsMissing

Shapes = Mapping[str, tuple[int, ...]]

# The attention heads of the mask decoder leave no trace in its tensors; every published checkpoint has eight.
DECODER_HEADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SamShape:
    """Everything needed to build the network. `windows` holds each encoder block's window side, 0 where global."""

    image_px: int  # side of the square input
    patch_px: int
    width: int  # channels of the encoder
    mlp_width: int
    heads: int
    windows: tuple[int, ...]
    prompt_width: int  # channels of prompts, embedding and decoder
    mask_channels: int
    decoder_layers: int
    decoder_mlp_width: int
    decoder_inner: int  # channels inside the cross attention
    decoder_heads: int
    mask_tokens: int
    score_layers: int
    score_width: int

    @property
    def grid(self) -> int:
        """Side of the embedding in tokens."""
        return self.image_px // self.patch_px

    @property
    def low_px(self) -> int:
        """Side of the decoder's masks in pixels."""
        return 4 * self.grid


def shape_of(shapes: Shapes, decoder_heads: int = DECODER_HEADS) -> SamShape:
    """Return the sizes behind the tensor `shapes`; raises WeightsMissing where they are no segment-anything network."""
    try:
        return _shape_of(shapes, decoder_heads)
    except (KeyError, ValueError, ZeroDivisionError):
        raise WeightsMissing(
            "the file holds other weights than a segment-anything network's (vit_b, vit_l, vit_h)"
        ) from None


def _shape_of(shapes: Shapes, decoder_heads: int) -> SamShape:
    encoder, decoder = "image_encoder.", "mask_decoder."
    _, grid, _, width = shapes[f"{encoder}pos_embed"]
    patch_px = shapes[f"{encoder}patch_embed.proj.weight"][2]
    windows = []
    head_width = shapes[f"{encoder}blocks.0.attn.rel_pos_h"][1]
    for block in range(_count(shapes, rf"{encoder}blocks\.(\d+)\.")):
        side = (shapes[f"{encoder}blocks.{block}.attn.rel_pos_h"][0] + 1) // 2
        windows.append(0 if side == grid else side)
    transformer = f"{decoder}transformer."
    inner, prompt_width = shapes[f"{transformer}final_attn_token_to_image.q_proj.weight"]
    return SamShape(
        image_px=grid * patch_px,
        patch_px=patch_px,
        width=width,
        mlp_width=shapes[f"{encoder}blocks.0.mlp.lin1.weight"][0],
        heads=width // head_width,
        windows=tuple(windows),
        prompt_width=prompt_width,
        mask_channels=shapes["prompt_encoder.mask_downscaling.3.weight"][0],
        decoder_layers=_count(shapes, rf"{transformer}layers\.(\d+)\."),
        decoder_mlp_width=shapes[f"{transformer}layers.0.mlp.lin1.weight"][0],
        decoder_inner=inner,
        decoder_heads=decoder_heads,
        mask_tokens=shapes[f"{decoder}mask_tokens.weight"][0],
        score_layers=_count(shapes, rf"{decoder}iou_prediction_head\.layers\.(\d+)\."),
        score_width=shapes[f"{decoder}iou_prediction_head.layers.0.weight"][0],
    )


def _count(shapes: Shapes, pattern: str) -> int:
    found = {int(match[1]) for name in shapes if (match := re.match(pattern, name))}
    if not found:
        raise KeyError(pattern)
    return max(found) + 1
