"""The image encoder of Segment Anything: a ViT with windowed and global attention and decomposed relative positions.

Modules carry the names of the published state dict. Attention runs over a few hundred query rows at a time: ViT-B's
global blocks would otherwise hold three 805 MB score matrices at once. Knows no prompts and no image files.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.segmenters.sam.shape import SamShape

# Scores (images x heads x rows x keys) held at once: 16 M are 64 MB in float32, past the point where more gets faster.
_SCORES_AT_ONCE = 1 << 24


class LayerNorm2d(nn.Module):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def channels_last(self, x: Tensor) -> Tensor:
        """Normalise (..., C)."""
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, H, W); the result is laid out channels last."""
        return self.channels_last(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Mlp(nn.Module):
    """Two linear layers with GELU (the encoder) or ReLU (the decoder) between them."""

    def __init__(self, width: int, inner: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, inner)
        self.lin2 = nn.Linear(inner, width)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        out: Tensor = self.lin2(self.act(self.lin1(x)))
        return out


class Attention(nn.Module):
    """Self-attention on a grid of `side` x `side` tokens, with learned offsets per row and column distance."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads, self.side = heads, side
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, width // heads))

    def attend(self, qkv: Tensor) -> Tensor:
        """Mix (B, side * side, 3 * C) to (B, side * side, C), without the output projection."""
        batch, tokens, _ = qkv.shape
        q, k, v = qkv.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (B, heads, N, c)
        # One query row of the grid is `side` tokens.
        grid_rows = max(1, _SCORES_AT_ONCE // (batch * self.heads * tokens * self.side))
        parts = []
        for row in range(0, self.side, grid_rows):
            some = q[:, :, row * self.side : (row + grid_rows) * self.side]
            bias = self._bias(some, row)
            parts.append(functional.scaled_dot_product_attention(some, k, v, attn_mask=bias))
        mixed = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
        return mixed.transpose(1, 2).reshape(batch, tokens, -1)

    def _bias(self, q: Tensor, first_row: int) -> Tensor:
        """What the distances add to the scores of the queries (B, heads, n, c) of grid rows from `first_row` on."""
        batch, heads, count, _ = q.shape
        rows = count // self.side
        at = torch.arange(self.side, device=q.device)
        near_h = self.rel_pos_h[at[first_row : first_row + rows, None] - at[None] + self.side - 1]  # (rows, side, c)
        near_w = self.rel_pos_w[at[:, None] - at[None] + self.side - 1]  # (side, side, c)
        grid = q.unflatten(2, (rows, self.side))
        by_row = torch.matmul(grid, near_h.transpose(1, 2))  # (B, heads, rows, side, side)
        by_column = torch.matmul(grid.transpose(2, 3), near_w.transpose(1, 2)).transpose(2, 3).contiguous()
        return (by_row[..., :, None] + by_column[..., None, :]).view(batch, heads, count, -1)


class Block(nn.Module):
    """One transformer block; `window` 0 attends over the whole grid."""

    def __init__(self, shape: SamShape, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(shape.width, eps=1e-6)
        self.attn = Attention(shape.width, shape.heads, window or shape.grid)
        self.norm2 = nn.LayerNorm(shape.width, eps=1e-6)
        self.mlp = Mlp(shape.width, shape.mlp_width, nn.GELU)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, H, W, C) to (B, H, W, C)."""
        batch, high, wide, _ = x.shape
        qkv = self.attn.qkv(self.norm1(x))
        if self.window:
            mixed = self._in_windows(qkv)
        else:
            mixed = self.attn.attend(qkv.flatten(1, 2)).view(batch, high, wide, -1)
        x = x + self.attn.proj(mixed)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out

    def _in_windows(self, qkv: Tensor) -> Tensor:
        """Attend inside windows; the margin that fills the last ones is what the projection makes of zeros: its bias."""
        batch, high, wide, channels = qkv.shape
        side = self.window
        down, right = -high % side, -wide % side
        if down or right:
            full = self.attn.qkv.bias.expand(batch, high + down, wide + right, channels).clone()
            full[:, :high, :wide] = qkv
        else:
            full = qkv
        rows, columns = full.shape[1] // side, full.shape[2] // side
        cut = full.view(batch, rows, side, columns, side, channels).transpose(2, 3)
        mixed = self.attn.attend(cut.reshape(-1, side * side, channels))
        mixed = mixed.view(batch, rows, columns, side, side, -1).transpose(2, 3)
        return mixed.reshape(batch, rows * side, columns * side, -1)[:, :high, :wide]


class PatchEmbed(nn.Module):
    """Patches of the picture to tokens."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, shape.width, kernel_size=shape.patch_px, stride=shape.patch_px)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, S, S) to (B, grid, grid, C)."""
        out: Tensor = self.proj(x).permute(0, 2, 3, 1)
        return out


class ImageEncoder(nn.Module):
    """Pixels to the embedding that all prompts of an image share."""

    def __init__(self, shape: SamShape) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(shape)
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.grid, shape.grid, shape.width))
        self.blocks = nn.ModuleList(Block(shape, window) for window in shape.windows)
        self.neck = nn.Sequential(
            nn.Conv2d(shape.width, shape.prompt_width, kernel_size=1, bias=False),
            LayerNorm2d(shape.prompt_width),
            nn.Conv2d(shape.prompt_width, shape.prompt_width, kernel_size=3, padding=1, bias=False),
            LayerNorm2d(shape.prompt_width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised, padded pixels (B, 3, S, S) to embeddings (B, C, grid, grid)."""
        x = self.patch_embed(x) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.neck(x.permute(0, 3, 1, 2))
        return out
