"""Mask logits of the decoder -> masks at the picture's own size, with their stability, boxes and run lengths.

The published code enlarges twice (to the model's square, then to the picture), both bilinear: together one linear map per
axis, a narrow band of numbers. Here it is applied to the part of a mask that has pixels at all (on a CPU, one mask at a
time: an average mask fills a tenth of its frame) or to whole frames in batches (on an accelerator, one transfer each).
Called by `everything` and `prompting`; knows no network.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import rle
from models.rle import Runs
from models.segmenters.sam.network import Embedding

# Output columns per product: the band is a quarter as wide plus a margin, so wide tiles multiply mostly zeros.
_TILE_PX = 128
# Pixels enlarged at once on an accelerator: 1 G of float32 with its masks stay under 8 GB.
_PIXELS_AT_ONCE = 1 << 29


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlarged:
    """One mask in its frame: run lengths, inclusive pixel box as the published code has it, stability 0-1 (nan: empty)."""

    runs: Runs
    box_xyxy_px: tuple[int, int, int, int]
    stability: float
    area_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where a crop lies (x, y) in a picture of `size_hw`."""

    origin_xy: tuple[int, int]
    size_hw: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Enlarging along one axis: `weights` (out, low) and the first and last low-resolution index each output reads."""

    weights: Tensor
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def reach(self, low: int, high: int) -> tuple[int, int]:
        """Outputs (half-open) that read any of the low-resolution indices low..high (inclusive)."""
        return int(np.searchsorted(self.last, low)), int(np.searchsorted(self.first, high, side="right"))


class Enlarger:
    """Enlarges the masks of one encoded crop; pixels with a logit above `level` are in."""

    def __init__(
        self,
        embedding: Embedding,
        image_px: int,
        low_hw: tuple[int, int],
        low_px: int,
        frame: Frame,
        *,
        level: float,
    ) -> None:
        self.frame, self.level = frame, level
        self.crop_hw = embedding.size_hw
        self.y, self.x = (
            _axis(size, seen, image_px, low, low_px, embedding.features[0].device)
            for size, seen, low in zip(embedding.size_hw, embedding.input_hw, low_hw, strict=True)
        )

    def __call__(self, logits: Tensor, stability_min: float, offset: float) -> list[Enlarged | None]:
        """Enlarge logits (N, h, w) float32; None where the mask is less stable than `stability_min` (0: all stay).

        Stability is the IoU of the masks at `offset` above and below the level, counted at the picture's size.
        """
        if logits.device.type == "cpu":
            return [self._on_crop(item, stability_min, offset) for item in logits]
        at_once = max(1, _PIXELS_AT_ONCE // (self.crop_hw[0] * self.crop_hw[1]))
        found: list[Enlarged | None] = []
        for some in logits.split(at_once):
            found += self.in_frames(some, stability_min, offset)
        return found

    def _on_crop(self, logits: Tensor, stability_min: float, offset: float) -> Enlarged | None:
        """One mask, where it has pixels: bilinear weights are convex, so elsewhere every value is below the level."""
        reaches = (logits > self.level - offset).numpy()
        rows, columns = np.flatnonzero(reaches.any(axis=1)), np.flatnonzero(reaches.any(axis=0))
        y0, y1 = self.y.reach(rows[0], rows[-1]) if rows.size else (0, 0)
        x0, x1 = self.x.reach(columns[0], columns[-1]) if rows.size else (0, 0)
        if y0 == y1 or x0 == x1:  # nothing, or only under the padding
            return None if stability_min > 0 else self._empty()
        large = self._part(logits, (y0, y1), (x0, x1))  # (x, y): COCO's runs go down the columns
        with np.errstate(invalid="ignore"):
            stability = np.float32(np.count_nonzero(large > self.level + offset)) / np.float32(
                np.count_nonzero(large > self.level - offset)
            )
        if stability_min > 0 and not stability >= np.float32(stability_min):
            return None
        mask = large > self.level
        across, down = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not across.size:
            return self._empty(float(stability))
        tight = mask[across[0] : across[-1] + 1, down[0] : down[-1] + 1]
        left, top = x0 + int(across[0]), y0 + int(down[0])
        corner = (left + self.frame.origin_xy[0], top + self.frame.origin_xy[1])
        return Enlarged(
            runs=rle.encode(tight.T, corner, self.frame.size_hw),
            box_xyxy_px=(left, top, x0 + int(across[-1]), y0 + int(down[-1])),
            stability=float(stability),
            area_px=int(np.count_nonzero(tight)),
        )

    def _part(self, logits: Tensor, ys: tuple[int, int], xs: tuple[int, int]) -> NDArray[np.float32]:
        """The enlarged logits of some rows and columns, transposed: (x, y) float32."""
        low_y = slice(int(self.y.first[ys[0]]), int(self.y.last[ys[1] - 1]) + 1)
        narrow = logits[low_y].t()
        wide = _tiled(self.x, xs, narrow)  # (x, low y)
        high = _tiled(self.y, ys, wide.t(), shift=low_y.start)  # (y, x)
        return np.ascontiguousarray(high.t().numpy())

    def in_frames(self, logits: Tensor, stability_min: float, offset: float) -> list[Enlarged | None]:
        """Whole frames at once; one transfer for the numbers, one for the run lengths."""
        large = self.x.weights @ logits.transpose(1, 2) @ self.y.weights.t()  # (N, W, H)
        over, under = ((large > self.level + side * offset).sum(dim=(1, 2)).float() for side in (1, -1))
        stability = over / under
        keep = stability >= stability_min if stability_min > 0 else torch.ones_like(stability, dtype=torch.bool)
        masks = large[keep] > self.level
        numbers = torch.stack([*_edges(masks.any(dim=2)), *_edges(masks.any(dim=1)), masks.sum(dim=(1, 2))])
        (left, right, top, bottom, area), stable = numbers.cpu().numpy(), stability.cpu().numpy()
        runs = self._runs(masks)
        found: list[Enlarged | None] = [None] * len(logits)
        for at, index in enumerate(np.flatnonzero(keep.cpu().numpy()).tolist()):
            box = (int(left[at]), int(top[at]), int(right[at]), int(bottom[at])) if area[at] else (0, 0, 0, 0)
            found[index] = Enlarged(
                runs=runs[at], box_xyxy_px=box, stability=float(stable[index]), area_px=int(area[at])
            )
        return found

    def _runs(self, masks: Tensor) -> list[Runs]:
        """Run lengths of (N, W, H) masks of the crop in their frame, from the places where neighbours differ."""
        (height, width), (x, y) = self.frame.size_hw, self.frame.origin_xy
        (h, w), total = self.crop_hw, height * width
        full = torch.nn.functional.pad(masks, (y, height - y - h, x, width - x - w)).flatten(1)
        before = torch.nn.functional.pad(full[:, :-1], (1, 0))
        of, place = (full != before).nonzero().t().cpu().numpy()
        edges = np.split(place, np.searchsorted(of, np.arange(1, len(masks))))
        # A mask that reaches the last pixel ends with its own run, as COCO writes it.
        return [np.diff(np.concatenate(([0], some, [total]))).astype(np.int64) for some in edges]

    def _empty(self, stability: float = float("nan")) -> Enlarged:
        total = self.frame.size_hw[0] * self.frame.size_hw[1]
        return Enlarged(runs=np.array([total], np.int64), box_xyxy_px=(0, 0, 0, 0), stability=stability, area_px=0)


def _edges(seen: Tensor) -> tuple[Tensor, Tensor]:
    """First and last true index of each row of (N, n)."""
    at = torch.arange(seen.shape[1], device=seen.device)
    size = seen.shape[1]
    return torch.where(seen, at, size).amin(dim=1), torch.where(seen, at, -1).amax(dim=1)


def _tiled(axis: Axis, span: tuple[int, int], low: Tensor, shift: int = 0) -> Tensor:
    """Rows `span` of weights @ low (low - shift, n), tile by tile, each over the low indices it reads."""
    out = low.new_empty(span[1] - span[0], low.shape[1])
    for start in range(span[0], span[1], _TILE_PX):
        stop = min(start + _TILE_PX, span[1])
        first, last = int(axis.first[start]), int(axis.last[stop - 1]) + 1
        torch.mm(
            axis.weights[start:stop, first:last],
            low[first - shift : last - shift],
            out=out[start - span[0] : stop - span[0]],
        )
    return out


def _axis(size: int, seen: int, image_px: int, low: int, low_px: int, device: torch.device) -> Axis:
    """The map from `low` of `low_px` decoder pixels over `image_px`, cut to `seen`, to `size` pixels."""
    to_square = _bilinear(image_px, low_px)[:seen, :low]
    weights = _bilinear(size, seen) @ to_square
    filled = weights != 0
    return Axis(
        weights=torch.from_numpy(weights.astype(np.float32)).to(device),
        first=filled.argmax(axis=1),
        last=weights.shape[1] - 1 - filled[:, ::-1].argmax(axis=1),
    )


def _bilinear(out: int, count: int) -> NDArray[np.float64]:
    """Bilinear weights (out, count) with half-pixel centres, places in float32 as torch computes them."""
    scale = np.float32(count) / np.float32(out)
    at = np.maximum(scale * (np.arange(out, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5), np.float32(0))
    low = np.minimum(at.astype(np.int64), count - 1)
    high = np.minimum(low + 1, count - 1)
    share = (at - low).astype(np.float64)
    weights = np.zeros((out, count))
    rows = np.arange(out)
    np.add.at(weights, (rows, low), 1 - share)
    np.add.at(weights, (rows, high), share)
    return weights
