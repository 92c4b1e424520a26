"""What of each region can be seen: its mask minus every smaller region, with distances to the edge.

One map of the frame says which region owns each pixel; crops are decoded one at a time and thrown away. Called by
placement and points; knows no labels.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.regions import Mask

Crop = tuple[tuple[int, int], Mask]  # top-left (x, y), (h, w) bool pixels
CropOf = Callable[[int], Crop]

# Distances are sampled on at most this many points per region: 100 x 100 places a label to a few pixels.
_SAMPLES = 10000
_ROWS = 256


@dataclass(slots=True, kw_only=True)
class Part:
    """The visible part of one region, sampled every `stride` pixels.

    `distance` (h, w) float32 holds the distance in pixels to the part's edge at the sampled pixels, 0 outside it;
    `anchor_xy` is the pixel farthest from the edge; `hidden` says that smaller regions cover the region entirely and
    the part is the whole region instead.
    """

    origin_xy: tuple[int, int]
    stride: int
    distance: NDArray[np.float32]
    area_px: int
    anchor_xy: tuple[int, int]
    hidden: bool


class Visible:
    """The ownership map of one frame; region i is `crop_of(i)` with `areas[i]` > 0 pixels."""

    def __init__(self, size_hw: tuple[int, int], areas: Sequence[int], crop_of: CropOf) -> None:
        """Carve: larger regions first, so that smaller ones take their pixels; of equals the first stays on top."""
        self.size_hw = size_hw
        self.crop_of = crop_of
        self._areas = np.asarray([*areas, 0], np.int64)  # the last entry answers for pixels of no region
        self.owner = np.full(size_hw, -1, np.int16 if len(areas) < 32767 else np.int32)
        self._boxes: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)] * len(areas)
        self._counts: NDArray[np.int64] | None = None
        for i in sorted(range(len(areas)), key=lambda i: (-areas[i], -i)):
            (x0, y0), mask = crop_of(i)
            h, w = mask.shape
            self._boxes[i] = (x0, y0, x0 + w, y0 + h)
            window = self.owner[y0 : y0 + h, x0 : x0 + w]
            if areas[i] == h * w:
                window[...] = i
            else:
                np.copyto(window, np.asarray(i, window.dtype), where=mask)

    def buried(self) -> list[int]:
        """Return the regions of which no pixel can be seen, larger ones first."""
        return sorted(np.flatnonzero(self.owned() == 0).tolist(), key=lambda i: (-int(self._areas[i]), i))

    def owned(self) -> NDArray[np.int64]:
        """Return the number of pixels that each region owns, counted once."""
        if self._counts is None:
            counts = np.zeros(len(self._boxes), np.int64)
            if counts.size and self.owner.dtype == np.int16:
                # In bands, because OpenCV counts in float32; -1 is 65535 there.
                for top in range(0, len(self.owner), _ROWS):
                    band = np.ascontiguousarray(self.owner[top : top + _ROWS]).view(np.uint16)
                    counts += cv2.calcHist([band], [0], None, [counts.size], [0, counts.size]).ravel().astype(np.int64)
            elif counts.size:
                counts += np.bincount(self.owner[self.owner >= 0], minlength=counts.size)
            self._counts = counts
        return self._counts

    def own_pixels(self, i: int) -> tuple[tuple[int, int], Mask]:
        """Return (x0, y0) and the pixels (h, w) bool that region `i` owns in its box."""
        x0, y0, x1, y1 = self._boxes[i]
        return (x0, y0), self.owner[y0:y1, x0:x1] == i

    def pixels(self, i: int) -> tuple[tuple[int, int], Mask, bool]:
        """Return (x0, y0), the visible pixels (h, w) bool of region `i`, and whether it is hidden entirely."""
        x0, y0, x1, y1 = self._boxes[i]
        window = self.owner[y0:y1, x0:x1]
        own = window == i
        if own.any():
            return (x0, y0), own, False
        _, mask = self.crop_of(i)
        if int((self._areas == self._areas[i]).sum()) == 1:
            return (x0, y0), mask, True
        # Regions of equal size do not carve one another: a duplicate keeps what the first one shows.
        shared = mask & (self._areas[window] >= self._areas[i])
        return ((x0, y0), shared, False) if shared.any() else ((x0, y0), mask, True)

    def part(self, i: int) -> Part:
        """Return the visible part of region `i` with its distances."""
        x0, y0, x1, y1 = self._boxes[i]
        area, hidden = int(self.owned()[i]), False
        if area:
            window = self.owner[y0:y1, x0:x1]
            origin = (x0, y0)
            stride, sampled = _sample(window.size, area, lambda step: window[::step, ::step] == i)
        else:
            origin, pixels, hidden = self.pixels(i)
            area = cv2.countNonZero(pixels.view(np.uint8))
            stride, sampled = _sample(pixels.size, area, lambda step: np.ascontiguousarray(pixels[::step, ::step]))
        padded = cv2.copyMakeBorder(sampled, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
        if stride > 1:
            distance = distance * np.float32(stride)
        x, y = middle_of_best(distance)
        anchor = (origin[0] + x * stride, origin[1] + y * stride)
        return Part(origin_xy=origin, stride=stride, distance=distance, area_px=area, anchor_xy=anchor, hidden=hidden)

    def share_of_small(self, limit_px: float) -> NDArray[np.int32]:
        """Return the (H + 1, W + 1) integral image of the pixels owned by regions of at most `limit_px` pixels."""
        small = (self._areas > 0) & (self._areas <= limit_px)
        integral: NDArray[np.int32] = cv2.integral(small[self.owner].view(np.uint8))
        return integral


def _sample(size: int, area: int, every: Callable[[int], Mask]) -> tuple[int, NDArray[np.uint8]]:
    """Return the stride and the sampled pixels of a part: `every(stride)` of `size` pixels, `area` of them set."""
    stride = max(1, math.ceil(math.sqrt(size / _SAMPLES)))
    while stride > 1:
        sampled = every(stride).view(np.uint8)
        # Thin shapes fall between coarse samples; half the expected count means that the shape is still there.
        if 2 * cv2.countNonZero(sampled) * stride * stride >= area:
            return stride, sampled
        stride //= 2
    return 1, every(1).view(np.uint8)


def middle_of_best(score: NDArray[np.float32]) -> tuple[int, int]:
    """Return (x, y) of the best score; on a plateau the place nearest to the plateau's middle, so jitter moves little."""
    best: float = cv2.minMaxLoc(score)[1]
    found = cv2.findNonZero((score >= best - 0.02 * abs(best) - 1e-6).view(np.uint8)).reshape(-1, 2)
    if len(found) == 1:
        return int(found[0, 0]), int(found[0, 1])
    xs, ys = found.T.astype(np.int64)
    nearest = int(np.argmin((xs - xs.sum() / xs.size) ** 2 + (ys - ys.sum() / ys.size) ** 2))
    return int(xs[nearest]), int(ys[nearest])
