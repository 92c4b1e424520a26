"""Mask logits at the network's stride -> masks at the size it saw, with stability, box and run lengths. Called by `everything`.

The published code enlarges every mask to the whole frame; here a mask is enlarged where it has pixels at all, with the same
numbers: bilinear weights are convex, so around pixels below the lower level nothing can rise above it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models import rle
from models.rle import Runs

STABILITY_OFFSET = 1.0
# Pixels enlarged at once on an accelerator: 512 M of float32 with their masks stay under 4 GB.
_PIXELS_AT_ONCE = 1 << 29


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One mask: run lengths, box of the first and last pixel (inclusive, zeros if empty), stability 0-1."""

    runs: Runs
    box_xyxy_px: tuple[int, int, int, int]
    stability: float


def candidates(logits: Tensor, stride: int, size_hw: tuple[int, int], stability_min: float) -> list[Candidate | None]:
    """Enlarge logits (k, h, w) float32 by `stride`, cut to `size_hw`; None where a mask is not stable enough.

    Stability is the share of the pixels above -1 that are above +1; a mask without either is none.
    """
    if logits.device.type == "cpu":
        return [_of_part(item, stride, size_hw, stability_min) for item in logits]
    padded = (logits.shape[1] * stride, logits.shape[2] * stride)
    found: list[Candidate | None] = []
    for some in logits.split(max(1, _PIXELS_AT_ONCE // (padded[0] * padded[1]))):
        found += _of_frames(some, stride, size_hw, stability_min)
    return found


def enlarged(logits: Tensor, stride: int) -> Tensor:
    """Enlarge logits (k, h, w) to (k, h * stride, w * stride), bilinearly."""
    size = (logits.shape[1] * stride, logits.shape[2] * stride)
    return functional.interpolate(logits[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def _of_part(logits: Tensor, stride: int, size_hw: tuple[int, int], stability_min: float) -> Candidate | None:
    reaches = (logits > -STABILITY_OFFSET).numpy()
    rows, columns = np.flatnonzero(reaches.any(axis=1)), np.flatnonzero(reaches.any(axis=0))
    if not rows.size:
        return None
    # One more line of neighbours on each side: what they reach is as in the whole frame.
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    part = logits[None, top : int(rows[-1]) + 2, left : int(columns[-1]) + 2]
    large = enlarged(part, stride)[0].numpy()
    corner = (left * stride, top * stride)
    large = large[: max(0, size_hw[0] - corner[1]), : max(0, size_hw[1] - corner[0])]
    under = np.count_nonzero(large > -STABILITY_OFFSET)
    if not under:
        return None
    stability = np.float32(np.count_nonzero(large > STABILITY_OFFSET)) / np.float32(under)
    if not stability >= np.float32(stability_min):
        return None
    return _candidate(large > 0, corner, size_hw, float(stability))


def _of_frames(logits: Tensor, stride: int, size_hw: tuple[int, int], stability_min: float) -> list[Candidate | None]:
    large = enlarged(logits, stride)[:, : size_hw[0], : size_hw[1]]
    over, under = ((large > side * STABILITY_OFFSET).sum(dim=(1, 2)).float() for side in (1, -1))
    stability = over / under
    stable = (stability >= stability_min).nonzero()[:, 0]
    found: list[Candidate | None] = [None] * len(logits)
    masks = (large[stable] > 0).cpu().numpy()
    for index, mask, value in zip(stable.tolist(), masks, stability[stable].tolist(), strict=True):
        found[index] = _candidate(mask, (0, 0), size_hw, value)
    return found


def _candidate(
    mask: NDArray[np.bool_], corner_xy: tuple[int, int], size_hw: tuple[int, int], stability: float
) -> Candidate:
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not down.size:
        return Candidate(runs=rle.encode(mask[:0, :0], (0, 0), size_hw), box_xyxy_px=(0, 0, 0, 0), stability=stability)
    tight = mask[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    left, top = corner_xy[0] + int(across[0]), corner_xy[1] + int(down[0])
    box = (left, top, corner_xy[0] + int(across[-1]), corner_xy[1] + int(down[-1]))
    return Candidate(runs=rle.encode(tight, (left, top), size_hw), box_xyxy_px=box, stability=stability)


def inclusive_box(runs: Runs, height: int) -> tuple[int, int, int, int]:
    """Return the first and last column and row of a mask as (x0, y0, x1, y1), zeros where it is empty."""
    bounds = rle.bounds_of(runs, height)
    return (0, 0, 0, 0) if bounds is None else (bounds[0], bounds[1], bounds[2] - 1, bounds[3] - 1)
