"""Where each label goes on the small model's input: inside its region's visible part, else beside it with a leader.

Frozen: models were trained on exactly these places (tests/unit/models/marks/test_for_model_frozen.py), so improvements
go into `layout`, which places everything else, and come here only together with new weights. Called by `for_model`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.marks.spots import Line, Rect, Spot, Wish, anchor_of, label_size
from models.marks.visible import Part, Visible, middle_of_best

_GAP_PX = 1  # free pixels between two labels
_GROWTH = np.array([-_GAP_PX, -_GAP_PX, _GAP_PX, _GAP_PX])
_MIN_COVERAGE = 0.7  # of a label inside its region
_MAX_SHARE = 0.5  # of the visible part that a label inside may hide
_ELEMENT_SHARE = 0.12  # the same where the region is an interface element and a place beside it is free
_ELEMENT_HEIGHT = 0.42  # of the element: a label in a lower one hides the first letter of tight text
_MAX_FRAME_SHARE = 0.5  # of the frame that labels may fill: no need to try beyond
_MIN_HEIGHT_PX = 8
_SHRINK = (1.0, 0.85, 0.72, 0.6, 0.5)
_RINGS = np.array([0.12, 0.4, 0.8, 1.3, 2.0, 3.0, 4.2, 5.8, 8.0])  # distances from the region in label heights

# The 16 places of a ring: column and row (0 before, 1 flush, 2 centred, 3 flush, 4 after) and what each costs in label
# heights. Above is best, then left, right, below; sides come before corners.
_AROUND_X, _AROUND_Y = np.array([(x, y) for y in range(5) for x in range(5) if x in {0, 4} or y in {0, 4}]).T
_AROUND_COST = np.where(
    np.isin(_AROUND_X, (0, 4)) & np.isin(_AROUND_Y, (0, 4)),
    0.5,
    np.select([_AROUND_Y == 0, _AROUND_X == 0, _AROUND_X == 4], [0.0, 0.06, 0.08], 0.12),
)


@dataclass(slots=True)
class _Table:
    """The frame as far as labels care: what is taken, and which pixels must stay free."""

    size_hw: tuple[int, int]
    small: NDArray[np.int32]  # integral image of the small regions
    anchors: NDArray[np.int64]  # (N, 2) x, y
    rects: NDArray[np.int64]  # (K, 4) labels, the first `count` of which are placed
    count: int = 0

    def add(self, rect: Rect) -> None:
        self.rects[self.count] = rect
        self.count += 1

    def blockers(self, box: Rect, own: int | None = None) -> NDArray[np.int64]:
        """Return rectangles (M, 4) that meet `box` and no label may enter: labels with their gap, anchors' pixels.

        `own` is the index of an anchor that does not count.
        """
        points = np.concatenate((self.anchors, self.anchors + 1), axis=1)
        if own is not None:
            points[own] = -1
        every = np.concatenate((self.rects[: self.count] + _GROWTH, points))
        x0, y0, x1, y1 = every.T
        found: NDArray[np.int64] = every[(x0 < box[2]) & (x1 > box[0]) & (y0 < box[3]) & (y1 > box[1])]
        return found


def lay_out(
    visible: Visible, parts: Sequence[Part], wishes: Sequence[Wish], min_height_px: int = _MIN_HEIGHT_PX
) -> list[Spot]:
    """Return one label place per part; all labels shrink together (to `min_height_px`) until they fit side by side."""
    small = visible.share_of_small(0.05 * visible.owner.size)
    anchors = np.asarray([anchor_of(p, wish) for p, wish in zip(parts, wishes, strict=True)], np.int64).reshape(-1, 2)
    for shrink in _SHRINK:
        heights = [max(min_height_px, round(wish.height_px * shrink)) for wish in wishes]
        last = shrink == _SHRINK[-1] or max(heights, default=0) <= min_height_px
        sizes = [label_size(wish.text, h, visible.size_hw) for wish, h in zip(wishes, heights, strict=True)]
        if not last and sum((w + _GAP_PX) * (h + _GAP_PX) for w, h in sizes) > _MAX_FRAME_SHARE * visible.owner.size:
            continue
        table = _Table(visible.size_hw, small, anchors, np.zeros((len(parts), 4), np.int64))
        spots = _place_all(table, parts, wishes, sizes, last_try=last)
        if spots is not None:
            return spots
    raise AssertionError("the last try places every label")


def _place_all(
    table: _Table, parts: Sequence[Part], wishes: Sequence[Wish], sizes: Sequence[tuple[int, int]], *, last_try: bool
) -> list[Spot] | None:
    spots: dict[int, Spot] = {}
    # Small parts choose first: a large one has other places.
    for i in sorted(range(len(parts)), key=lambda i: (parts[i].area_px, i)):
        find = _for_element if wishes[i].element else _for_object
        spot = find(table, parts[i], i, sizes[i], pinned=wishes[i].point_xy_px is not None)
        if spot is None and not last_try:
            return None
        spots[i] = spot or _anywhere(table, parts[i], sizes[i])
        table.add(spots[i].rect)
    return [spots[i] for i in range(len(parts))]


def _for_object(table: _Table, part: Part, i: int, size_wh: tuple[int, int], *, pinned: bool) -> Spot | None:
    inside = None
    if size_wh[0] * size_wh[1] <= _MAX_SHARE * part.area_px:
        inside = _inside(table, part, None if pinned else i, size_wh, corner=False)
    return inside or _beside(table, part, size_wh) or _afar(table, part, size_wh)


def _for_element(table: _Table, part: Part, i: int, size_wh: tuple[int, int], *, pinned: bool) -> Spot | None:
    (w, h), free = size_wh, None if pinned else i
    box_height = part.distance.shape[0] * part.stride
    if w * h <= _ELEMENT_SHARE * part.area_px and h <= _ELEMENT_HEIGHT * box_height:
        spot = _inside(table, part, free, size_wh, corner=True)
        if spot is not None:
            return spot
    spot = _beside(table, part, size_wh, max_cost=1.0)
    if spot is None and w * h <= _MAX_SHARE * part.area_px:
        spot = _inside(table, part, free, size_wh, corner=True)
    return spot or _beside(table, part, size_wh) or _afar(table, part, size_wh)


def _inside(table: _Table, part: Part, own: int | None, size_wh: tuple[int, int], *, corner: bool) -> Spot | None:
    """Return a free place on the part; `own` is the index of an anchor that the label may cover."""
    if part.hidden:
        return None
    (w, h), stride, (x0, y0) = size_wh, part.stride, part.origin_xy
    rows, columns = part.distance.shape
    kernel = (max(1, round(w / stride)), max(1, round(h / stride)))
    seen = (part.distance > 0).astype(np.float32)
    coverage = cv2.boxFilter(seen, -1, kernel, normalize=True, borderType=cv2.BORDER_CONSTANT)
    wanted = _near_corner(rows, columns) if corner else part.distance
    least = 0.97 if corner else _MIN_COVERAGE
    score = np.where((coverage >= least) & (part.distance > 0), wanted, np.float32(-1))
    # A sample at pixel (x, y) stands for the label whose corner is (x - w // 2, y - h // 2).
    _forbid_outside(score, part, size_wh, table.size_hw)
    reach = (x0 - w, y0 - h, x0 + columns * stride + w, y0 + rows * stride + h)
    for left, top, right, bottom in table.blockers(reach, own).tolist():
        c0, c1 = _first(left - w + w // 2 - x0, stride), _first(right - 1 + w // 2 - x0, stride)
        r0, r1 = _first(top - h + h // 2 - y0, stride), _first(bottom - 1 + h // 2 - y0, stride)
        score[max(0, r0) : max(0, r1), max(0, c0) : max(0, c1)] = -1
    if float(score.max()) <= 0:
        return None
    column, row = divmod(int(score.T.argmax()), rows) if corner else middle_of_best(score)
    left, top = x0 + column * stride - w // 2, y0 + row * stride - h // 2
    return Spot(rect=(left, top, left + w, top + h))


def _near_corner(rows: int, columns: int) -> NDArray[np.float32]:
    """Return (rows, columns) float32, larger nearer to a corner; top left before top right before the lower ones."""
    xs, ys = np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
    across = np.minimum(xs, columns - 1 - xs + 0.15 * columns)
    down = np.minimum(ys, rows - 1 - ys + 0.3 * rows)
    score: NDArray[np.float32] = np.float32(rows + columns) - down[:, None] - across[None, :]
    return score


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


def _beside(table: _Table, part: Part, size_wh: tuple[int, int], max_cost: float = np.inf) -> Spot | None:
    """Return the cheapest free place around the part, at most `max_cost` label heights dear."""
    (w, h), (height, width) = size_wh, table.size_hw
    corners, cost = _ring(part, size_wh)
    fits = (corners >= 0).all(1) & (corners <= [width - w, height - h]).all(1)
    corners, cost = corners[fits], cost[fits]
    if not len(corners):
        return None
    x0, y0 = corners.T
    x1, y1 = x0 + w, y0 + h
    blockers = table.blockers((int(x0.min()), int(y0.min()), int(x1.max()), int(y1.max())))
    left, top, right, bottom = blockers.T
    blocked = (x0[:, None] < right) & (x1[:, None] > left) & (y0[:, None] < bottom) & (y1[:, None] > top)
    covered = table.small[y1, x1] - table.small[y0, x1] - table.small[y1, x0] + table.small[y0, x0]
    # Hiding a small region entirely is as bad as standing two label heights away.
    total = np.where(blocked.any(1), np.inf, cost + 2.0 * covered / w)
    best = int(np.argmin(total))
    return _off(part, int(x0[best]), int(y0[best]), size_wh) if total[best] <= min(max_cost * h, 1e9) else None


def _afar(table: _Table, part: Part, size_wh: tuple[int, int]) -> Spot | None:
    """Return the free place nearest to the part, anywhere in the frame."""
    (w, h), (height, width) = size_wh, table.size_hw
    taken = np.zeros(table.size_hw, np.uint8)
    for left, top, right, bottom in table.blockers((0, 0, width, height)).tolist():
        taken[max(0, top) : bottom, max(0, left) : right] = 1
    total = cv2.integral(taken)
    free = (total[h:, w:] - total[h:, :-w] - total[:-h, w:] + total[:-h, :-w]) == 0
    ys, xs = np.nonzero(free)
    if not xs.size:
        return None
    nearest = int(np.argmin((xs + w // 2 - part.anchor_xy[0]) ** 2 + (ys + h // 2 - part.anchor_xy[1]) ** 2))
    return _off(part, int(xs[nearest]), int(ys[nearest]), size_wh)


def _off(part: Part, left: int, top: int, size_wh: tuple[int, int]) -> Spot:
    rect = (left, top, left + size_wh[0], top + size_wh[1])
    return Spot(rect=rect, leader=_leader(rect, part))


def _leader(rect: Rect, part: Part) -> Line:
    """Return the line from the label's edge to the part's nearest pixel."""
    left, top, right, bottom = rect
    ys, xs = np.nonzero(part.distance > 0)
    px, py = part.origin_xy[0] + xs * part.stride, part.origin_xy[1] + ys * part.stride
    # Measured from the label's middle: of many equally near pixels this takes the one opposite.
    away = np.maximum(left - px, px - right + 1).clip(0) ** 2 + np.maximum(top - py, py - bottom + 1).clip(0) ** 2
    off_middle = (px - (left + right) / 2) ** 2 + (py - (top + bottom) / 2) ** 2
    nearest = int(np.argmin(away + 1e-3 * off_middle))
    x, y = float(px[nearest]) + 0.5, float(py[nearest]) + 0.5
    return (min(max(x, left + 0.5), right - 0.5), min(max(y, top + 0.5), bottom - 0.5), x, y)


def _ring(part: Part, size_wh: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return label corners (M, 2) around the part's box in widening rings, and their cost (M,)."""
    w, h = size_wh
    x0, y0, x1, y1 = _seen_box(part)
    away = np.maximum(1, np.rint(_RINGS * h)).astype(np.int64)[:, None]
    one = np.ones_like(away)
    xs = np.concatenate((x0 - away - w, x0 * one, (x0 + x1 - w) // 2 * one, (x1 - w) * one, x1 + away), 1)
    ys = np.concatenate((y0 - away - h, y0 * one, (y0 + y1 - h) // 2 * one, (y1 - h) * one, y1 + away), 1)
    corners = np.stack((xs[:, _AROUND_X], ys[:, _AROUND_Y]), -1).reshape(-1, 2)
    return corners, (away + h * _AROUND_COST).ravel()


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
    return _off(part, int(corners[best, 0]), int(corners[best, 1]), size_wh)
