"""The Swin backbone (Liu et al. 2021) as Semantic-SAM runs it: the window never shrinks and is always shifted.

Maps are padded to whole windows after the LayerNorm, so padded tokens enter the attention as keys (they carry the bias of
qkv), and no mask hides them. Modules carry the checkpoint's names. Called by `network`; knows no pixels' meaning.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.segmenters.semantic_sam.shape import Shape

_APART = -100.0
"""Added to the attention of tokens that only the shift brought together; the published weights were trained with it."""


class Swin(nn.Module):
    """Pixels to maps at strides 4, 8, 16 and 32, each with its own LayerNorm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [shape.swin_width << stage for stage in range(len(shape.depths))]
        self.patch_embed = PatchEmbed(shape.swin_width)
        self.layers = nn.ModuleList(
            Stage(width, depth, heads, shape, last=stage == len(widths) - 1)
            for stage, (width, depth, heads) in enumerate(zip(widths, shape.depths, shape.swin_heads, strict=True))
        )
        self.stages = len(widths)
        for stage, width in enumerate(widths):
            self.add_module(f"norm{stage}", nn.LayerNorm(width))

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Map normalised pixels (B, 3, H, W), sides multiples of 32, to maps (B, C, h, w), the finest first."""
        x = self.patch_embed(pixels)
        maps = []
        for stage, layer in enumerate(self.layers):
            x = layer(x)
            maps.append(getattr(self, f"norm{stage}")(x).permute(0, 3, 1, 2))
            if layer.downsample is not None:
                x = layer.downsample(x)
        return maps


class PatchEmbed(nn.Module):
    """Patches of 4 x 4 pixels to tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=4, stride=4)
        self.norm = nn.LayerNorm(width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, H / 4, W / 4, C)."""
        out: Tensor = self.norm(self.proj(pixels).permute(0, 2, 3, 1))
        return out


class Stage(nn.Module):
    """Blocks of one resolution; every second one shifts its windows by half a window."""

    def __init__(self, width: int, depth: int, heads: int, shape: Shape, *, last: bool) -> None:
        super().__init__()
        self.window = shape.window
        self.blocks = nn.ModuleList(
            Block(width, heads, shape.window, shape.window // 2 if index % 2 else 0, shape.mlp_ratio)
            for index in range(depth)
        )
        self.downsample = None if last else PatchMerging(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, h, w, C) to the same shape."""
        apart = split_by_shift((x.shape[1], x.shape[2]), self.window, self.window // 2).to(x)
        for block in self.blocks:
            x = block(x, apart)
        return x


class PatchMerging(nn.Module):
    """Four neighbours become one token of twice the width; odd sides are padded with zeros."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, h, w, C) to (B, h / 2, w / 2, 2 C), down the columns first."""
        x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(corners, dim=-1)))
        return out


class Block(nn.Module):
    """Attention inside windows, then a perceptron, both on normalised input and added."""

    def __init__(self, width: int, heads: int, window: int, shift: int, mlp_ratio: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads, window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width, mlp_ratio * width)

    def forward(self, x: Tensor, apart: Tensor) -> Tensor:
        """Map (B, h, w, C) to the same shape; `apart` is what `split_by_shift` says for this size."""
        _, high, wide, _ = x.shape
        inner = self.norm1(x)
        inner = functional.pad(inner, (0, 0, 0, -inner.shape[2] % self.window, 0, -inner.shape[1] % self.window))
        if self.shift:
            inner = inner.roll((-self.shift, -self.shift), dims=(1, 2))
        attended = self.attn(windows_of(inner, self.window), apart if self.shift else None)
        inner = from_windows(attended, self.window, (inner.shape[1], inner.shape[2]))
        if self.shift:
            inner = inner.roll((self.shift, self.shift), dims=(1, 2))
        x = x + inner[:, :high, :wide]
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class FeedForward(nn.Module):
    """Two linear layers with the exact GELU."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class WindowAttention(nn.Module):
    """Attention inside windows with a learned bias per relative place and head."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, windows: Tensor, apart: Tensor | None) -> Tensor:
        """Map (B * n, w * w, C) to the same shape; `apart` (n, w * w, w * w) is added to every head."""
        count, tokens, width = windows.shape
        query, key, value = self.qkv(windows).view(count, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.bias()[None]
        if apart is not None:
            bias = (bias + apart[:, None]).repeat(count // len(apart), 1, 1, 1)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        out: Tensor = self.proj(attended.transpose(1, 2).reshape(count, tokens, width))
        return out

    def bias(self) -> Tensor:
        """Return the bias of each head and pair (query, key) of window places: (heads, w * w, w * w)."""
        table = self.relative_position_bias_table
        places = relative_places(self.window).to(table.device)
        return table[places.flatten()].view(*places.shape, self.heads).permute(2, 0, 1)


def relative_places(window: int) -> Tensor:
    """Return the row of the bias table for each pair (query, key) of window places: (w * w, w * w) int64."""
    at = torch.arange(window)
    y, x = (grid.flatten() for grid in torch.meshgrid(at, at, indexing="ij"))
    down, across = y[:, None] - y[None], x[:, None] - x[None]
    return (down + window - 1) * (2 * window - 1) + across + window - 1


def windows_of(x: Tensor, window: int) -> Tensor:
    """Cut a map (B, h, w, C) of whole windows into (B * n, window * window, C), row by row."""
    batch, high, wide, width = x.shape
    x = x.view(batch, high // window, window, wide // window, window, width)
    return x.transpose(2, 3).reshape(-1, window * window, width)


def from_windows(windows: Tensor, window: int, size_hw: tuple[int, int]) -> Tensor:
    """Undo `windows_of`: (B * n, window * window, C) to (B, h, w, C)."""
    high, wide = size_hw
    width = windows.shape[-1]
    x = windows.view(-1, high // window, wide // window, window, window, width)
    return x.transpose(2, 3).reshape(-1, high, wide, width)


def split_by_shift(size_hw: tuple[int, int], window: int, shift: int) -> Tensor:
    """Return what is added to the attention of shifted windows over a map: (n, w * w, w * w) float32, 0 or -100.

    A shifted map wraps around; tokens that come from different sides of the seam do not belong together.
    """
    padded = [side + -side % window for side in size_hw]
    sides = []
    for side in padded:
        at = torch.arange(side)
        sides.append((at >= side - window).long() + (at >= side - shift).long())
    region = (3 * sides[0][:, None] + sides[1][None]).float()
    of = windows_of(region[None, :, :, None], window)[..., 0]
    return (of[:, None] != of[:, :, None]).float() * _APART
