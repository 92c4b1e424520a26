"""The sizes of a Semantic-SAM checkpoint, read from the names and shapes of its tensors, and those of the two published ones.

Called by `checkpoint` before anything is built, so that Swin-T, Swin-L and small test checkpoints all load without a name.
Knows no torch: it sees names and shapes only.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.errors import WeightsMissing

Shapes = Mapping[str, tuple[int, ...]]

HEADS = 8
"""Attention heads of pixel decoder and decoder: they leave no trace in the tensors, and every published model has eight."""
_DECODER, _PREDICTOR = "sem_seg_head.pixel_decoder.", "sem_seg_head.predictor."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Everything needed to build the network.

    `depths` and `swin_heads` are per stage of the backbone; `encoder_levels` counts the maps that the pixel decoder mixes,
    the coarsest of them made by a stride of its own; `mask_tokens` are the masks per click.
    """

    swin_width: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    swin_heads: tuple[int, ...] = (3, 6, 12, 24)
    window: int = 7
    mlp_ratio: int = 4
    width: int = 256
    mask_width: int = 256
    feedforward: int = 2048
    encoder_layers: int = 6
    encoder_levels: int = 4
    encoder_points: int = 4
    decoder_layers: int = 9
    decoder_points: int = 4
    mask_tokens: int = 6


PUBLISHED_SHAPES = {
    "swin-t": Shape(),
    "swin-l": Shape(swin_width=192, depths=(2, 2, 18, 2), swin_heads=(6, 12, 24, 48), window=12),
}


def shape_of(shapes: Shapes) -> Shape:
    """Return the sizes behind the tensor `shapes` (names without prefix); raises WeightsMissing for another network's."""
    try:
        return _shape_of(shapes)
    except (KeyError, ValueError, IndexError, ZeroDivisionError):
        raise WeightsMissing(
            "the file holds other weights than Semantic-SAM's (Swin-T or Swin-L, SA-1B only)"
        ) from None


def _shape_of(shapes: Shapes) -> Shape:
    stages = _count(shapes, r"backbone\.layers\.(\d+)\.")
    tables = [shapes[f"backbone.layers.{i}.blocks.0.attn.relative_position_bias_table"] for i in range(stages)]
    swin_width = shapes["backbone.patch_embed.proj.weight"][0]
    levels, width = shapes[f"{_DECODER}transformer.level_embed"]
    encoder, decoder = f"{_DECODER}transformer.encoder.layers.", f"{_PREDICTOR}decoder.layers."
    return Shape(
        swin_width=swin_width,
        depths=tuple(_count(shapes, rf"backbone\.layers\.{i}\.blocks\.(\d+)\.") for i in range(stages)),
        swin_heads=tuple(table[1] for table in tables),
        window=(math.isqrt(tables[0][0]) + 1) // 2,
        mlp_ratio=shapes["backbone.layers.0.blocks.0.mlp.fc1.weight"][0] // swin_width,
        width=width,
        mask_width=shapes[f"{_DECODER}mask_features.weight"][0],
        feedforward=shapes[f"{encoder}0.linear1.weight"][0],
        encoder_layers=_count(shapes, rf"{re.escape(encoder)}(\d+)\."),
        encoder_levels=levels,
        encoder_points=shapes[f"{encoder}0.self_attn.attention_weights.weight"][0] // (HEADS * levels),
        decoder_layers=_count(shapes, rf"{re.escape(decoder)}(\d+)\."),
        decoder_points=shapes[f"{decoder}0.cross_attn.attention_weights.weight"][0] // (HEADS * levels),
        mask_tokens=shapes[f"{_PREDICTOR}mask_tokens.weight"][0],
    )


def _count(shapes: Shapes, pattern: str) -> int:
    found = {int(match[1]) for name in shapes if (match := re.match(pattern, name))}
    if not found:
        raise KeyError(pattern)
    return max(found) + 1
