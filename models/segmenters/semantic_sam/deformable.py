"""Multi-scale deformable attention (Zhu et al. 2021, section 4.1) without an extension: it samples by torch alone.

Each head of each query looks at a few places on every map, bilinearly and with zeros outside. Called by the pixel decoder
and the decoder; knows neither. The number of maps is what the weights say: MaskDINO has five of them with Swin-L.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Sizes = Sequence[tuple[int, int]]
"""Height and width of each map, in the order in which the maps stand in a sequence of tokens."""

# So many that their rows and weights (8 heads, 64 neighbours) stay in a core's cache.
_QUERIES_AT_ONCE = 512


class DeformableAttention(nn.Module):
    """Modules carry the checkpoint's names."""

    def __init__(self, width: int, heads: int, levels: int, points: int) -> None:
        super().__init__()
        self.heads, self.levels, self.points = heads, levels, points
        self.sampling_offsets = nn.Linear(width, heads * levels * points * 2)
        self.attention_weights = nn.Linear(width, heads * levels * points)
        self.value_proj = nn.Linear(width, width)
        self.output_proj = nn.Linear(width, width)

    def values(self, tokens: Tensor) -> Tensor:
        """Project the tokens (B, N, C) of all maps once for any number of queries: (B, N, heads, C / heads)."""
        projected: Tensor = self.value_proj(tokens)
        return projected.unflatten(-1, (self.heads, -1))

    def forward(self, query: Tensor, references: Tensor, values: Tensor, sizes: Sizes) -> Tensor:
        """Attend from queries (B, Q, C) around `references`: x, y (w, h) in 0-1, (B, Q, levels or 1, 2 or 4). Returns (B, Q, C)."""
        offsets = self.sampling_offsets(query).float().unflatten(-1, (self.heads, self.levels, self.points, 2))
        weights = self.attention_weights(query).float().unflatten(-1, (self.heads, -1)).softmax(dim=-1)
        places = self.places(references.float()[:, :, None, :, None], offsets, sizes)
        sample = sampled_by_rows if values.device.type == "cpu" else sampled_by_grid
        out: Tensor = self.output_proj(sample(values, places, weights, sizes).to(query.dtype))
        return out

    def places(self, references: Tensor, offsets: Tensor, sizes: Sizes) -> Tensor:
        """Return where to sample, (B, Q, heads, levels, points, 2) in 0-1.

        Around a point, offsets count in pixels of each map; around a box, `points` of them reach half its side.
        """
        if references.shape[-1] == 2:
            sides = torch.tensor([(wide, high) for high, wide in sizes], dtype=offsets.dtype, device=offsets.device)
            return references + offsets / sides[:, None]
        return references[..., :2] + offsets / self.points * references[..., 2:] * 0.5


def sampled_by_grid(values: Tensor, places: Tensor, weights: Tensor, sizes: Sizes) -> Tensor:
    """Return the weighted samples (B, Q, C) of `values` (B, N, heads, c) by torch's grid_sample, map by map.

    `places` (B, Q, heads, levels, points, 2) lie in 0-1 of each map, `weights` (B, Q, heads, levels * points).
    """
    batch, _, heads, width = values.shape
    queries = places.shape[1]
    grids = (2 * places - 1).permute(3, 0, 2, 1, 4, 5).flatten(1, 2)  # (levels, B * heads, Q, points, 2)
    shares = weights.unflatten(-1, (len(sizes), -1)).permute(3, 0, 2, 1, 4).flatten(1, 2)
    out = values.new_zeros((batch * heads, width, queries), dtype=torch.float32)
    start = 0
    for (high, wide), grid, share in zip(sizes, grids, shares, strict=True):
        level = values[:, start : start + high * wide].permute(0, 2, 3, 1).reshape(batch * heads, width, high, wide)
        seen = functional.grid_sample(level.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        out += torch.einsum("bcqp,bqp->bcq", seen, share)
        start += high * wide
    return out.view(batch, heads * width, queries).transpose(1, 2)


def sampled_by_rows(values: Tensor, places: Tensor, weights: Tensor, sizes: Sizes) -> Tensor:
    """The same as `sampled_by_grid`, as one weighted sum of rows over all maps at once: the faster way on a CPU.

    A sample is its four neighbours, each a row of `values`; a border of zeros round every map stands for all that is outside.
    """
    batch, _, heads, width = values.shape
    rows, firsts = _bordered(values, sizes)
    out = torch.empty(batch, places.shape[1], heads * width)
    for item in range(batch):
        for some in torch.arange(places.shape[1]).split(_QUERIES_AT_ONCE):
            part = slice(int(some[0]), int(some[-1]) + 1)
            index, share = _neighbours(places[item, part], weights[item, part], firsts, sizes)
            summed = functional.embedding_bag(index, rows[item], mode="sum", per_sample_weights=share)
            out[item, part] = summed.view(-1, heads * width)
    return out


def _bordered(values: Tensor, sizes: Sizes) -> tuple[Tensor, list[int]]:
    """Return the rows (B, M * heads, c) of all maps with their borders, and where each map starts among the M pixels."""
    batch, _, heads, width = values.shape
    parts, firsts, start = [], [], 0
    for (high, wide), level in zip(sizes, values.split([high * wide for high, wide in sizes], dim=1), strict=True):
        framed = functional.pad(level.reshape(batch, high, wide, heads * width), (0, 0, 1, 1, 1, 1))
        parts.append(framed.flatten(1, 2))
        firsts.append(start)
        start += (high + 2) * (wide + 2)
    # A sample far to the lower right reads up to a line behind the last map, with weight 0.
    parts.append(values.new_zeros(batch, sizes[-1][1] + 3, heads * width))
    return torch.cat(parts, dim=1).view(batch, -1, width).float(), firsts


def _neighbours(places: Tensor, weights: Tensor, firsts: Sequence[int], sizes: Sizes) -> tuple[Tensor, Tensor]:
    """Return rows and their weights, both (Q * heads, 4 * levels * points), of places (Q, heads, levels, points, 2)."""
    queries, heads, levels, points, _ = places.shape
    wide = torch.tensor([[side] for _, side in sizes], dtype=torch.float32)
    high = torch.tensor([[side] for side, _ in sizes], dtype=torch.float32)
    x = (places[..., 0] * wide - 0.5).clamp_(min=-1).minimum(wide)
    y = (places[..., 1] * high - 0.5).clamp_(min=-1).minimum(high)
    left, top = x.floor(), y.floor()
    x -= left
    y -= top
    line = (wide + 2) * heads
    first = torch.tensor(firsts, dtype=torch.float32)[:, None] * heads + torch.arange(heads)[:, None, None]
    # float32 counts exactly up to 16 million rows: a picture of 640 x 2560 pixels has 300,000.
    corner = ((top + 1) * line + (left + 1) * heads + first).to(torch.int32)
    below = line.to(torch.int32)
    shape = (queries, heads, 4, levels, points)
    index, share = torch.empty(shape, dtype=torch.int32), torch.empty(shape)
    lower = weights.view(queries, heads, levels, points) * y
    upper = weights.view(queries, heads, levels, points) - lower
    for at, (row, part) in enumerate(((corner, upper), (corner + below, lower))):
        index[:, :, 2 * at], index[:, :, 2 * at + 1] = row, row + heads
        right = torch.mul(part, x, out=share[:, :, 2 * at + 1])
        torch.sub(part, right, out=share[:, :, 2 * at])
    return index.view(queries * heads, -1), share.view(queries * heads, -1)
