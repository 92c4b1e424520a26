"""The frame as labels see it: what is taken, what a label would hide, and where the picture is quiet.

`layout` asks it about whole grids of places at once; integral images answer in the time of four slices. Knows no regions'
shapes, ids or styles.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.marks.spots import Line, Rect
from models.marks.visible import Part, Visible

_GAP_PX = 1  # free pixels between two labels
_GROWTH = np.array([-_GAP_PX, -_GAP_PX, _GAP_PX, _GAP_PX])
_MAX_HIDDEN = 0.25  # of another region's visible part under one label
_WEIGHT = 16  # a pixel's weight is this many label areas over its region's area, in a byte
_NONE = -2
_NOBODY = -1  # whose label it is that all others keep off
_STEP_PX = 3  # between two points that stand for a leader line
_EDGE = 12  # grey levels between neighbours that count as ink: faint icons on a coloured ground have 15


@dataclass(frozen=True, slots=True)
class Grid:
    """Places for one label: its corner may be (x + c * stride, y + r * stride), c < columns, r < rows; all in the frame."""

    x: int
    y: int
    stride: int
    columns: int
    rows: int

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return the corner (x, y) of one place."""
        return self.x + column * self.stride, self.y + row * self.stride


def ink_of(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the integral image (H + 1, W + 1) of the pixels of `image` (H, W, 3) that hold text, icons or lines.

    Those are the ones that differ from a neighbour, closed over the inside of letters, without straight lines: a label
    may stand on a frame. About 6 ms for 1280x800.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = np.zeros(grey.shape, np.uint8)
    if min(grey.shape) < 2:  # OpenCV takes no difference of nothing
        return np.asarray(cv2.integral(edges), np.int32)
    across = cv2.absdiff(grey[:, 1:], grey[:, :-1])
    down = cv2.absdiff(grey[1:], grey[:-1])
    edges[:, :-1] = across > _EDGE
    edges[:-1] |= down > _EDGE
    stroke = 2 * max(1, round(min(grey.shape) / 400)) + 1
    lines = [_thin_lines(edges, 8 * stroke, stroke + 1), _thin_lines(edges.T, 8 * stroke, stroke + 1).T]
    edges &= ~(lines[0] | lines[1])
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((stroke, stroke), np.uint8))
    return np.asarray(cv2.integral(closed), np.int32)


def _thin_lines(edges: NDArray[np.uint8], length_px: int, thickness_px: int) -> NDArray[np.uint8]:
    """Return the level runs of `edges` that are longer than any letter and thinner than a line of text."""
    level = cv2.morphologyEx(edges, cv2.MORPH_OPEN, np.ones((1, length_px), np.uint8))
    return np.asarray(level & ~cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((thickness_px, 1), np.uint8)), np.uint8)


class Ground:
    """What placement knows of one frame while it fills it with labels."""

    def __init__(
        self,
        visible: Visible,
        parts: Sequence[Part],
        anchors: NDArray[np.int64],
        label_px: int,
        ink: NDArray[np.int32] | None = None,
    ) -> None:
        """Start empty; `anchors` (N, 2) are pixels no foreign label may cover, `label_px` a typical label's area."""
        self.size_hw = visible.size_hw
        self._owner = visible.owner
        self._seen = np.array([part.area_px for part in parts], np.int64)
        self._roomy = self._seen >= 2 * label_px
        self._boxes = np.concatenate((anchors, anchors + 1), axis=1)  # (M, 4) what labels keep off ...
        self._whose = np.arange(len(parts))  # ... but that of their own region
        self._weights = np.rint(np.minimum(_WEIGHT * label_px / np.maximum(self._seen, 1), 255)).astype(np.uint8)
        self._weights[self._seen > 2 * label_px / _MAX_HIDDEN] = 0  # too large for a label to hide much
        weights = np.zeros(visible.owner.shape, np.uint8)
        for i in np.flatnonzero(self._weights).tolist():
            if not parts[i].hidden:
                (x0, y0), own = visible.own_pixels(i)
                window = weights[y0 : y0 + own.shape[0], x0 : x0 + own.shape[1]]
                window[own] = self._weights[i]
        self._hidden: NDArray[np.int32] = np.asarray(cv2.integral(weights), np.int32)
        self._share = 1 / (_WEIGHT * label_px)
        self._ink = ink
        self.labels = np.zeros((len(parts), 4), np.int64)
        self.count = 0

    def add(self, rect: Rect, leader: Line | None, own: int) -> None:
        """Put a label and its leader line on the frame."""
        self.labels[self.count] = rect
        self.count += 1
        points = np.zeros((0, 2), np.int64) if leader is None else _points_of(leader)
        line = np.concatenate((points, points + 1), axis=1)
        self._boxes = np.concatenate((self._boxes, [np.asarray(rect) + _GROWTH], line))
        self._whose = np.concatenate((self._whose, [_NOBODY], np.full(len(line), own)))

    def hidden(self, grid: Grid, size_wh: tuple[int, int], own: int) -> NDArray[np.float32]:
        """Return about how much a label at each place hides, (rows, columns): 1 is one whole foreign region."""
        if not self._any_small(grid, size_wh):
            return np.zeros((grid.rows, grid.columns), np.float32)
        mine = int(self._weights[own]) * size_wh[0] * size_wh[1]
        # The own region's pixels cost at most `mine`; without knowing how many are covered, no more is forgiven.
        total = _sums(self._hidden, grid, size_wh).astype(np.float32)
        return np.maximum(total - mine, 0) * np.float32(self._share) if mine else total * np.float32(self._share)

    def _any_small(self, grid: Grid, size_wh: tuple[int, int]) -> bool:
        x1, y1 = grid.corner(grid.rows - 1, grid.columns - 1)
        x1, y1, table = x1 + size_wh[0], y1 + size_wh[1], self._hidden
        return int(table[y1, x1]) - int(table[grid.y, x1]) - int(table[y1, grid.x]) + int(table[grid.y, grid.x]) > 0

    def ink(self, grid: Grid, size_wh: tuple[int, int]) -> NDArray[np.float32] | None:
        """Return the share of ink under a label at each place, (rows, columns), or None where no picture is known."""
        if self._ink is None:
            return None
        return _sums(self._ink, grid, size_wh).astype(np.float32) / np.float32(size_wh[0] * size_wh[1])

    def forbid(
        self, grid: Grid, score: NDArray[np.float32], size_wh: tuple[int, int], own: int | None, value: float
    ) -> None:
        """Set `score` (rows, columns) to `value` where a label would meet a label, a line or an anchor not of `own`."""
        (w, h), s = size_wh, grid.stride
        reach = (grid.x, grid.y, grid.x + (grid.columns - 1) * s + w, grid.y + (grid.rows - 1) * s + h)
        x0, y0, x1, y1 = self._boxes.T
        near = (
            (x0 < reach[2])
            & (x1 > reach[0])
            & (y0 < reach[3])
            & (y1 > reach[1])
            & (self._whose != (_NONE if own is None else own))
        )
        boxes = self._boxes[near]
        first = (boxes[:, :2] - (w + grid.x, h + grid.y)) // s + 1
        last = -((np.array([grid.x, grid.y]) - boxes[:, 2:]) // s)
        for (c0, r0), (c1, r1) in zip(np.maximum(first, 0).tolist(), np.maximum(last, 0).tolist(), strict=True):
            score[r0:r1, c0:c1] = value

    def hides(self, rect: Rect, own: int) -> tuple[bool, bool]:
        """Return whether a label hides over a quarter of another region, with room for its own label, and of any."""
        under = self._owner[rect[1] : rect[3], rect[0] : rect[2]]
        counts = np.bincount(under.ravel().astype(np.intp) + 1, minlength=len(self._seen) + 1)[1:]
        counts[own] = 0
        over = counts > _MAX_HIDDEN * self._seen
        return bool((over & self._roomy).any()), bool(over.any())

    def crosses(self, leader: Line) -> bool:
        """Return whether a line runs over a label that is placed."""
        points = _points_of(leader)
        x, y = points[:, :1], points[:, 1:]
        x0, y0, x1, y1 = self.labels[: self.count].T
        return bool(((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).any())

    def nearest_free(self, size_wh: tuple[int, int], anchor_xy: tuple[int, int]) -> Rect | None:
        """Return the free place nearest to a pixel, at full resolution anywhere in the frame."""
        (w, h), (height, width) = size_wh, self.size_hw
        taken = np.zeros(self.size_hw, np.uint8)
        for left, top, right, bottom in np.maximum(self._boxes, 0).tolist():
            taken[top:bottom, left:right] = 1
        free = _sums(np.asarray(cv2.integral(taken)), Grid(0, 0, 1, width - w + 1, height - h + 1), size_wh) == 0
        ys, xs = np.nonzero(free)
        if not xs.size:
            return None
        best = int(np.argmin((xs + w // 2 - anchor_xy[0]) ** 2 + (ys + h // 2 - anchor_xy[1]) ** 2))
        x, y = int(xs[best]), int(ys[best])
        return x, y, x + w, y + h

    def least_covered(self, size_wh: tuple[int, int], anchor_xy: tuple[int, int]) -> Rect:
        """Return the place around a pixel that hides least of other labels: only where no free one is left."""
        (w, h), (height, width) = size_wh, self.size_hw
        steps = np.arange(-6, 7)
        xs, ys = np.meshgrid(anchor_xy[0] - w // 2 + steps * w // 2, anchor_xy[1] - h // 2 + steps * h // 2)
        corners = np.clip(np.stack((xs.ravel(), ys.ravel()), 1), 0, [width - w, height - h])
        rects = self.labels[: self.count]
        across = np.minimum(corners[:, :1] + w, rects[:, 2]) - np.maximum(corners[:, :1], rects[:, 0])
        down = np.minimum(corners[:, 1:] + h, rects[:, 3]) - np.maximum(corners[:, 1:], rects[:, 1])
        covered = (np.maximum(across, 0) * np.maximum(down, 0)).sum(1)
        far = np.abs(corners - np.array(anchor_xy)).sum(1)
        x, y = corners[int(np.argmin(covered + 1e-3 * far))].tolist()
        return x, y, x + w, y + h


def _sums(integral: NDArray[np.int32], grid: Grid, size_wh: tuple[int, int]) -> NDArray[np.int32]:
    (w, h), s = size_wh, grid.stride
    x_end, y_end = grid.x + (grid.columns - 1) * s + 1, grid.y + (grid.rows - 1) * s + 1
    upper, lower = integral[grid.y : y_end : s], integral[grid.y + h : y_end + h : s]
    left, right = slice(grid.x, x_end, s), slice(grid.x + w, x_end + w, s)
    total: NDArray[np.int32] = lower[:, right] - lower[:, left] - upper[:, right] + upper[:, left]
    return total


def _points_of(leader: Line) -> NDArray[np.int64]:
    x0, y0, x1, y1 = leader
    steps = np.linspace(0, 1, 2 + math.floor(math.hypot(x1 - x0, y1 - y0) / _STEP_PX))[:, None]
    return np.floor(np.array([[x0, y0]]) * (1 - steps) + np.array([[x1, y1]]) * steps).astype(np.int64)
