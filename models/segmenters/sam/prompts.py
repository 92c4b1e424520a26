"""The prompt encoder of Segment Anything: points and box corners to tokens, and the position code of the image grid.

Modules carry the names of the published state dict; the mask input is loaded with it and not used. Called by `network`.
"""

import math

import torch
from torch import Tensor, nn

from models.segmenters.sam.encoder import LayerNorm2d
from models.segmenters.sam.shape import SamShape

PADDING, BACKGROUND, FOREGROUND, BOX_FIRST, BOX_SECOND = -1, 0, 1, 2, 3
"""What a prompt point means; the numbers are the checkpoint's own."""


class RandomFrequencies(nn.Module):
    """Sine and cosine of random projections of a place (Kirillov et al. 2023, appendix A)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.zeros(2, width // 2))

    def forward(self, places: Tensor) -> Tensor:
        """Map float32 places (..., 2) in 0-1 to (..., C)."""
        frequencies: Tensor = self.positional_encoding_gaussian_matrix
        angles = 2 * math.pi * ((2 * places - 1) @ frequencies)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class PromptEncoder(nn.Module):
    """Prompts to tokens."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        width, inner = shape.prompt_width, shape.mask_channels
        self.image_px, self.grid = shape.image_px, shape.grid
        self.pe_layer = RandomFrequencies(width)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, inner // 4, kernel_size=2, stride=2),
            LayerNorm2d(inner // 4),
            nn.GELU(),
            nn.Conv2d(inner // 4, inner, kernel_size=2, stride=2),
            LayerNorm2d(inner),
            nn.GELU(),
            nn.Conv2d(inner, width, kernel_size=1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def forward(self, points: Tensor, labels: Tensor) -> Tensor:
        """Map points (B, N, 2) in pixels of the model's input and their meanings (B, N) to tokens (B, N, C).

        Padding is a token without a place. A pixel's place is its middle.
        """
        places = ((points + 0.5) / self.image_px).float()
        tokens = self.pe_layer(places)
        padding = (labels == PADDING)[..., None]
        kinds = torch.cat([self.not_a_point_embed.weight, *(item.weight for item in self.point_embeddings)])
        return torch.where(padding, 0.0, tokens) + kinds[labels.long() + 1].float()

    def dense(self) -> Tensor:
        """The position code of the image grid, (grid * grid, C) float32, row by row."""
        frequencies: Tensor = self.pe_layer.positional_encoding_gaussian_matrix
        steps = (torch.arange(self.grid, device=frequencies.device, dtype=torch.float32) + 0.5) / self.grid
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        out: Tensor = self.pe_layer(torch.stack([x, y], dim=-1).flatten(0, 1))
        return out
