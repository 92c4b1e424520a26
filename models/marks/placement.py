"""Where each label goes: inside its region's visible part, else beside it with a leader line.

Labels never touch one another or leave the frame while there is room at any legible size. Works on parts
(`models.marks.visible`); knows no ids, styles or pixels. Called by `place` and `paint_for_model`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.marks.labels import label_width
from models.marks.visible import Part, Visible, middle_of_best

Rect = tuple[int, int, int, int]

_GAP_PX = 1  # free pixels between two labels
_MIN_COVERAGE = 0.7  # of a label inside its region
_MAX_SHARE = 0.5  # of the visible part that a label inside may hide
_MIN_HEIGHT_PX = 8
_SHRINK = (1.0, 0.85, 0.72, 0.6, 0.5)
_RINGS = np.array([0.12, 0.4, 0.8, 1.3, 2.0, 3.0, 4.2, 5.8, 8.0])  # distances from the region in label heights


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A placed label: its pixel rectangle, and whether it stands off its region."""

    rect: Rect
    off_region: bool


@dataclass(slots=True)
class _Table:
    """The frame as far as labels care: what is taken, and which pixels must stay free."""

    size_hw: tuple[int, int]
    small: NDArray[np.int32]  # integral image of the small regions
    anchors: NDArray[np.int64]  # (N, 2) x, y
    rects: NDArray[np.int64]  # (K, 4) labels so far
    count: int = 0

    def add(self, rect: Rect) -> None:
        self.rects[self.count] = rect
        self.count += 1


def lay_out(
    visible: Visible,
    parts: Sequence[Part],
    texts: Sequence[str],
    heights: Sequence[int],
    kept_points: Sequence[tuple[float, float] | None],
    min_height_px: int = _MIN_HEIGHT_PX,
) -> list[Spot]:
    """Return one label place per part; all labels shrink together (to `min_height_px`) until they fit side by side."""
    small = visible.share_of_small(0.05 * visible.owner.size)
    anchors = [
        part.anchor_xy if point is None else (int(point[0]), int(point[1]))
        for part, point in zip(parts, kept_points, strict=True)
    ]
    spots: list[Spot] = []
    for shrink in _SHRINK:
        table = _Table(
            visible.size_hw,
            small,
            np.asarray(anchors, np.int64).reshape(-1, 2),
            np.zeros((len(parts), 4), np.int64),
        )
        sizes = [
            _label_size(t, max(min_height_px, round(h * shrink)), visible.size_hw)
            for t, h in zip(texts, heights, strict=True)
        ]
        last = shrink == _SHRINK[-1] or all(h * shrink <= min_height_px for h in heights)
        attempt = _place_all(table, parts, sizes, last_try=last)
        if attempt is not None:
            spots = attempt
            break
    return spots


def _label_size(text: str, height: int, size_hw: tuple[int, int]) -> tuple[int, int]:
    height = min(height, size_hw[0])
    return min(label_width(text, height), size_hw[1]), height


def _place_all(
    table: _Table, parts: Sequence[Part], sizes: Sequence[tuple[int, int]], *, last_try: bool
) -> list[Spot] | None:
    spots: list[Spot | None] = [None] * len(parts)
    # Small parts choose first: a large one has other places.
    for i in sorted(range(len(parts)), key=lambda i: (parts[i].area_px, i)):
        spot = _inside(table, parts[i], i, sizes[i]) or _beside(table, parts[i], i, sizes[i])
        if spot is None:
            if not last_try:
                return None
            spot = _anywhere(table, parts[i], sizes[i])
        table.add(spot.rect)
        spots[i] = spot
    return [spot for spot in spots if spot is not None]


def _inside(table: _Table, part: Part, i: int, size_wh: tuple[int, int]) -> Spot | None:
    w, h = size_wh
    if part.hidden or w * h > _MAX_SHARE * part.area_px:
        return None
    stride, (x0, y0) = part.stride, part.origin_xy
    rows, columns = part.distance.shape
    kernel = (max(1, round(w / stride)), max(1, round(h / stride)))
    seen = (part.distance > 0).astype(np.float32)
    coverage = cv2.boxFilter(seen, -1, kernel, normalize=True, borderType=cv2.BORDER_CONSTANT)
    score = np.where((coverage >= _MIN_COVERAGE) & (part.distance > 0), part.distance, np.float32(-1))
    # From here in label corners: sample (row, column) puts the label's corner at pixel - size / 2.
    _forbid_outside(score, part, size_wh, table.size_hw)
    pixel_box = (x0, y0, x0 + columns * stride, y0 + rows * stride)
    for left, top, right, bottom in _blockers(table, pixel_box, size_wh, i):
        c0, c1 = _first(left - w + w // 2 - x0, stride), _first(right + w // 2 - x0, stride)
        r0, r1 = _first(top - h + h // 2 - y0, stride), _first(bottom + h // 2 - y0, stride)
        score[max(0, r0) : max(0, r1), max(0, c0) : max(0, c1)] = -1
    if float(score.max()) <= 0:
        return None
    column, row = middle_of_best(score)
    left, top = x0 + column * stride - w // 2, y0 + row * stride - h // 2
    return Spot(rect=(left, top, left + w, top + h), off_region=False)


def _first(offset: int, stride: int) -> int:
    """Return the first sample whose pixel offset exceeds `offset`."""
    return offset // stride + 1


def _forbid_outside(
    score: NDArray[np.float32], part: Part, size_wh: tuple[int, int], frame_hw: tuple[int, int]
) -> None:
    (w, h), stride, (x0, y0) = size_wh, part.stride, part.origin_xy
    score[: max(0, _first(h // 2 - y0 - 1, stride))] = -1
    score[max(0, _first(frame_hw[0] - h + h // 2 - y0, stride)) :] = -1
    score[:, : max(0, _first(w // 2 - x0 - 1, stride))] = -1
    score[:, max(0, _first(frame_hw[1] - w + w // 2 - x0, stride)) :] = -1


def _blockers(table: _Table, box: Rect, size_wh: tuple[int, int], own: int) -> list[list[int]]:
    """Return rectangles, open at both ends, that a label near `box` must not enter: labels with a gap, and anchors."""
    w, h = size_wh
    reach = np.array([box[0] - w, box[1] - h, box[2] + w, box[3] + h])
    rects = table.rects[: table.count] + np.array([-_GAP_PX, -_GAP_PX, _GAP_PX, _GAP_PX])
    points = np.concatenate((table.anchors, table.anchors + 1), axis=1)
    points[own] = -(1 << 30)
    every = np.concatenate((rects, points))
    near = (every[:, :2] < reach[2:]).all(1) & (every[:, 2:] > reach[:2]).all(1)
    found: list[list[int]] = every[near].tolist()
    return [[r[0], r[1], r[2] - 1, r[3] - 1] for r in found]


def _beside(table: _Table, part: Part, i: int, size_wh: tuple[int, int]) -> Spot | None:
    corners, cost = _ring(part, size_wh)
    spot = _cheapest(table, i, corners, cost, size_wh)
    if spot is not None:
        return spot
    height, width = table.size_hw
    w, h = size_wh
    xs, ys = np.meshgrid(np.arange(0, width - w + 1, max(1, w // 2)), np.arange(0, height - h + 1, max(1, h // 2)))
    corners = np.stack((xs.ravel(), ys.ravel()), 1)
    cost = np.hypot(corners[:, 0] + w / 2 - part.anchor_xy[0], corners[:, 1] + h / 2 - part.anchor_xy[1])
    return _cheapest(table, i, corners, cost, size_wh)


def _ring(part: Part, size_wh: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return label corners (M, 2) around the part's box in widening rings, and their cost (M,)."""
    w, h = size_wh
    x0, y0, x1, y1 = _seen_box(part)
    corners, cost = [], []
    for rank, away in enumerate((np.maximum(1, np.rint(_RINGS * h))).astype(int).tolist()):
        xs = (x0 - away - w, x0, (x0 + x1 - w) // 2, x1 - w, x1 + away)
        ys = (y0 - away - h, y0, (y0 + y1 - h) // 2, y1 - h, y1 + away)
        for row, y in enumerate(ys):
            for column, x in enumerate(xs):
                if row in (0, 4) or column in (0, 4):
                    corners.append((x, y))
                    # Above before left before right before below, and sides before corners.
                    side = 0.0 if row == 0 else 0.3 if column == 0 else 0.4 if column == 4 else 0.6
                    diagonal = 0.5 if row in (0, 4) and column in (0, 4) else 0.0
                    cost.append(away + h * (0.2 * side + diagonal) + 0.01 * rank)
    return np.asarray(corners, np.int64), np.asarray(cost, np.float64)


def _seen_box(part: Part) -> Rect:
    seen = part.distance > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    (x0, y0), s = part.origin_xy, part.stride
    return (
        x0 + int(columns[0]) * s,
        y0 + int(rows[0]) * s,
        x0 + (int(columns[-1]) + 1) * s,
        y0 + (int(rows[-1]) + 1) * s,
    )


def _cheapest(
    table: _Table, own: int, corners: NDArray[np.int64], cost: NDArray[np.float64], size_wh: tuple[int, int]
) -> Spot | None:
    w, h = size_wh
    height, width = table.size_hw
    fits = (corners >= 0).all(1) & (corners[:, 0] + w <= width) & (corners[:, 1] + h <= height)
    corners, cost = corners[fits], cost[fits]
    if not len(corners):
        return None
    x0, y0 = corners[:, 0], corners[:, 1]
    x1, y1 = x0 + w, y0 + h
    rects = table.rects[: table.count]
    blocked = (
        (x0[:, None] < rects[:, 2] + _GAP_PX)
        & (x1[:, None] > rects[:, 0] - _GAP_PX)
        & (y0[:, None] < rects[:, 3] + _GAP_PX)
        & (y1[:, None] > rects[:, 1] - _GAP_PX)
    ).any(1)
    ax, ay = table.anchors[:, 0], table.anchors[:, 1]
    blocked |= ((x0[:, None] <= ax) & (x1[:, None] > ax) & (y0[:, None] <= ay) & (y1[:, None] > ay)).any(1)
    if blocked.all():
        return None
    covered = table.small[y1, x1] - table.small[y0, x1] - table.small[y1, x0] + table.small[y0, x0]
    total = np.where(blocked, np.inf, cost + 2.0 * h * covered / (w * h))
    best = int(np.argmin(total))
    left, top = int(x0[best]), int(y0[best])
    return Spot(rect=(left, top, left + w, top + h), off_region=True)


def _anywhere(table: _Table, part: Part, size_wh: tuple[int, int]) -> Spot:
    """Return the place near the part that hides least of other labels: only where no free one is left."""
    w, h = size_wh
    height, width = table.size_hw
    corners, cost = _ring(part, size_wh)
    corners = np.concatenate((corners, [[part.anchor_xy[0] - w // 2, part.anchor_xy[1] - h // 2]]))
    corners = np.clip(corners, 0, [width - w, height - h])
    rects = table.rects[: table.count]
    over_x = np.minimum(corners[:, :1] + w, rects[:, 2]) - np.maximum(corners[:, :1], rects[:, 0])
    over_y = np.minimum(corners[:, 1:] + h, rects[:, 3]) - np.maximum(corners[:, 1:], rects[:, 1])
    hidden = (np.maximum(over_x, 0) * np.maximum(over_y, 0)).sum(1)
    best = int(np.argmin(hidden + 1e-3 * np.concatenate((cost, [0.0]))))
    left, top = int(corners[best, 0]), int(corners[best, 1])
    return Spot(rect=(left, top, left + w, top + h), off_region=True)
