"""What every cell should say: turns the boxes of one crop into target maps for the strides of the network.

Used by `models.detector.data`. Of two elements over each other the smaller wins; an `ignore` box silences its cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORED = -1  # as a role index: neither element nor background

# An element whose shorter side is below the first number is learnt at stride 4, above the second at stride 8, between at both.
_FINE_BELOW_PX, _COARSE_FROM_PX = 28.0, 18.0
_CORE = 0.5  # cells within half of the half-size are positive ...
_CORE_CAP_PX = (40.0, 14.0)  # ... but never further than this from the middle: wide fields need no hundred positives
_SILENT = 0.8  # between core and this share of the half-size nothing is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMaps:
    """Targets of one level: kind (h, w) is 1 element, 0 background, -1 not asked; the rest holds where kind is 1."""

    kind: NDArray[np.int8]
    weight: NDArray[np.float32]  # (h, w): 1 / sqrt(cells of the element)
    edges: NDArray[np.float32]  # (4, h, w) distances in strides
    role: NDArray[np.int64]  # (h, w)


def target_maps(
    boxes: NDArray[np.float32], roles: NDArray[np.int64], size_hw: tuple[int, int], stride: int
) -> TargetMaps:
    """Return the targets for `boxes` (N, 4) in pixels and `roles` (N,), IGNORED among them, on a crop of `size_hw`."""
    height, width = size_hw[0] // stride, size_hw[1] // stride
    maps = TargetMaps(
        kind=np.zeros((height, width), np.int8),
        weight=np.zeros((height, width), np.float32),
        edges=np.ones((4, height, width), np.float32),
        role=np.zeros((height, width), np.int64),
    )
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index in np.argsort(-areas, kind="stable"):
        box = [float(value) for value in boxes[index]]
        if roles[index] == IGNORED:
            _silence(maps, box, stride)
        elif _belongs(box, stride):
            _paint(maps, box, int(roles[index]), stride)
    return maps


def _belongs(box: list[float], stride: int) -> bool:
    shorter = min(box[2] - box[0], box[3] - box[1])
    return shorter < _FINE_BELOW_PX if stride == 4 else shorter >= _COARSE_FROM_PX


def _silence(maps: TargetMaps, box: list[float], stride: int) -> None:
    x0, y0, x1, y1 = (value / stride for value in box)
    maps.kind[max(0, int(y0)) : int(np.ceil(y1)), max(0, int(x0)) : int(np.ceil(x1))] = -1


def _paint(maps: TargetMaps, box: list[float], role: int, stride: int) -> None:
    height, width = maps.kind.shape
    x0, y0, x1, y1 = box
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    half = ((x1 - x0) / 2, (y1 - y0) / 2)
    left, right = max(0, int(x0 // stride)), min(width, int(-(-x1 // stride)))
    top, bottom = max(0, int(y0 // stride)), min(height, int(-(-y1 // stride)))
    xs, ys = (np.arange(left, right) + 0.5) * stride, (np.arange(top, bottom) + 0.5) * stride
    dx, dy = np.abs(xs - middle[0])[None], np.abs(ys - middle[1])[:, None]
    reach = [max(min(_CORE * side, cap), 0.5001 * stride) for side, cap in zip(half, _CORE_CAP_PX, strict=True)]
    core = (dx <= reach[0]) & (dy <= reach[1])
    window = (slice(top, bottom), slice(left, right))
    maps.kind[window][(dx <= _SILENT * half[0]) & (dy <= _SILENT * half[1])] = -1
    if not core.any():
        return
    maps.kind[window][core] = 1
    maps.weight[window][core] = 1.0 / np.sqrt(core.sum())
    maps.role[window][core] = role
    grid = np.broadcast_arrays(xs[None] - x0, ys[:, None] - y0, x1 - xs[None], y1 - ys[:, None])
    for side, distance in enumerate(grid):
        maps.edges[side][window][core] = np.maximum(distance[core] / stride, 0.02)
