"""The pixel decoder: maps of the backbone -> maps that have seen each other, and the features that masks are made of.

Deformable encoder of Mask DINO (Li et al. 2022), whose own models use it as it is, with four or five levels: nothing here
counts them by hand. Modules carry the checkpoint's names. Called by `network`; knows no prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.segmenters.semantic_sam.deformable import DeformableAttention, Sizes
from models.segmenters.semantic_sam.layers import sine_of_map
from models.segmenters.semantic_sam.shape import HEADS, Shape

_GROUPS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """`maps` (B, C, h, w) from the finest to the coarsest; `mask_features` (B, C, H / 4, W / 4)."""

    maps: list[Tensor]
    mask_features: Tensor


class PixelDecoder(nn.Module):
    """Projects, encodes, and adds the finest map of the backbone."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [shape.swin_width << stage for stage in range(len(shape.depths))]
        self.seen = shape.encoder_levels - 1  # maps of the backbone that are encoded; one coarser is made here
        self.input_proj = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, shape.width, kernel_size=1), nn.GroupNorm(_GROUPS, shape.width))
            for width in widths[-self.seen :]
        )
        coarser = nn.Conv2d(widths[-1], shape.width, kernel_size=3, stride=2, padding=1)
        self.input_proj.append(nn.Sequential(coarser, nn.GroupNorm(_GROUPS, shape.width)))
        self.transformer = Transformer(shape)
        self.adapter_1 = ConvNorm(widths[0], shape.width, kernel_size=1)
        self.layer_1 = ConvNorm(shape.width, shape.width, kernel_size=3, padding=1)
        self.mask_features = nn.Conv2d(shape.width, shape.mask_width, kernel_size=1)

    def forward(self, maps: Sequence[Tensor]) -> Decoded:
        """Take the backbone's maps (B, C, h, w), the finest first."""
        encoded = [*maps[-self.seen :], maps[-1]]
        mixed = self.transformer([proj(item) for proj, item in zip(self.input_proj, encoded, strict=True)])
        fine = self.adapter_1(maps[0])
        fine = fine + functional.interpolate(mixed[0], size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return Decoded(maps=mixed, mask_features=self.mask_features(self.layer_1(fine).relu()))


class ConvNorm(nn.Conv2d):
    """A convolution without bias and its GroupNorm."""

    def __init__(self, width: int, after: int, kernel_size: int, padding: int = 0) -> None:
        super().__init__(width, after, kernel_size=kernel_size, padding=padding, bias=False)
        self.norm = nn.GroupNorm(_GROUPS, after)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to (B, C', h, w)."""
        out: Tensor = self.norm(super().forward(x))
        return out


class Transformer(nn.Module):
    """Tokens of all maps attend to each other."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.level_embed = nn.Parameter(torch.zeros(shape.encoder_levels, shape.width))
        self.encoder = Encoder(shape)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Map (B, C, h, w) each to the same shapes."""
        sizes = [(item.shape[2], item.shape[3]) for item in maps]
        tokens = torch.cat([item.flatten(2).transpose(1, 2) for item in maps], dim=1)
        codes = [
            sine_of_map(size, tokens.shape[-1] // 2, tokens.device) + level
            for size, level in zip(sizes, self.level_embed, strict=True)
        ]
        encoded = self.encoder(tokens, torch.cat(codes)[None].to(tokens.dtype), sizes)
        parts = encoded.split([high * wide for high, wide in sizes], dim=1)
        return [part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, sizes, strict=True)]


class Encoder(nn.Module):
    """Layers without a last norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder_layers))

    def forward(self, tokens: Tensor, positions: Tensor, sizes: Sizes) -> Tensor:
        """Map tokens (B, N, C) with their positions (1, N, C) to (B, N, C)."""
        references = centres(sizes, tokens.device)[None, :, None].expand(len(tokens), -1, -1, -1)
        for layer in self.layers:
            tokens = layer(tokens, positions, references, sizes)
        return tokens


class EncoderLayer(nn.Module):
    """Deformable attention and a perceptron, each added and normalised after."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(shape.width, HEADS, shape.encoder_levels, shape.encoder_points)
        self.norm1 = nn.LayerNorm(shape.width)
        self.linear1 = nn.Linear(shape.width, shape.feedforward)
        self.linear2 = nn.Linear(shape.feedforward, shape.width)
        self.norm2 = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, positions: Tensor, references: Tensor, sizes: Sizes) -> Tensor:
        """Map tokens (B, N, C) to (B, N, C); `references` (B, N, 1, 2) are their own places."""
        attended = self.self_attn(tokens + positions, references, self.self_attn.values(tokens), sizes)
        tokens = self.norm1(tokens + attended)
        out: Tensor = self.norm2(tokens + self.linear2(self.linear1(tokens).relu()))
        return out


def centres(sizes: Sizes, device: torch.device) -> Tensor:
    """Return the middles of all pixels of all maps as x, y in 0-1: (N, 2) float32."""
    found = []
    for high, wide in sizes:
        y = (torch.arange(high, dtype=torch.float32, device=device) + 0.5) / high
        x = (torch.arange(wide, dtype=torch.float32, device=device) + 0.5) / wide
        found.append(torch.stack([x[None].expand(high, wide), y[:, None].expand(high, wide)], dim=-1).flatten(0, 1))
    return torch.cat(found)
