"""Where each label goes: inside its region's visible part, else beside it with a leader line.

A label inside stands where the part is widest (SoM, section 3.2); on an interface element, whose middle holds its text or
icon, on quiet ground near a corner. Labels never touch one another or leave the frame while there is room at any legible
size, and hide no more than a quarter of a region that has room for its own. Called by `place`; knows no ids or styles.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.marks.ground import Grid, Ground
from models.marks.spots import Line, Rect, Spot, Wish, anchor_of, label_size
from models.marks.visible import Part, Visible, middle_of_best

_MIN_COVERAGE = 0.7  # of a label inside its region
_MAX_SHARE = 0.5  # of the visible part that a label inside may hide
_MAX_FRAME_SHARE = 0.5  # of the frame that labels may fill: no need to try beyond
_MIN_HEIGHT_PX = 8
_SHRINK = (1.0, 0.85, 0.72, 0.6, 0.5)
_REACHES = (1.0, 3.0, 8.0, math.inf)  # how far from its part a label is looked for, in label heights
_PLACES = 8000  # places looked at per label and reach
_TRIES = 6  # best places that are examined closely
# What is wrong with a place, in label heights that it would be worth to stand farther off.
_CROSSES, _HIDES, _INK, _HIDDEN = 1.5, 3.0, 8.0, 2.0
_ELEMENT_SHARE = 0.12  # of an element that a label inside may hide for nothing
_ELEMENT_HEIGHT = 0.42  # of the element: a label in a lower one hides the first letter of tight text
_BESIDE_ELEMENT = 0.15  # what it costs to leave an element
_LARGE_INSIDE = 6.0  # what it costs to hide a share of an element beyond that
_MIDDLE = 2.5  # what it costs to stand in the middle half of an element: flat icons have little ink


def lay_out(
    visible: Visible, parts: Sequence[Part], wishes: Sequence[Wish], ink: NDArray[np.int32] | None = None
) -> list[Spot]:
    """Return one label place per part; all labels shrink together until they fit side by side.

    `ink` is `ground.ink_of` of the picture: with it, labels of elements and labels off their region keep off text.
    """
    anchors = np.asarray([anchor_of(p, wish) for p, wish in zip(parts, wishes, strict=True)], np.int64).reshape(-1, 2)
    for shrink in _SHRINK:
        heights = [max(_MIN_HEIGHT_PX, round(wish.height_px * shrink)) for wish in wishes]
        last = shrink == _SHRINK[-1] or max(heights, default=0) <= _MIN_HEIGHT_PX
        sizes = [label_size(wish.text, h, visible.size_hw) for wish, h in zip(wishes, heights, strict=True)]
        if not last and sum((w + 1) * (h + 1) for w, h in sizes) > _MAX_FRAME_SHARE * visible.owner.size:
            continue
        typical = max(1, int(np.median([w * h for w, h in sizes]))) if sizes else 1
        ground = Ground(visible, parts, anchors, typical, ink)
        spots = _place_all(ground, parts, wishes, sizes, last_try=last)
        if spots is not None:
            return spots
    raise AssertionError("the last try places every label")


def _place_all(
    ground: Ground, parts: Sequence[Part], wishes: Sequence[Wish], sizes: Sequence[tuple[int, int]], *, last_try: bool
) -> list[Spot] | None:
    spots: dict[int, Spot] = {}
    # Small parts choose first: a large one has other places.
    for i in sorted(range(len(parts)), key=lambda i: (parts[i].area_px, i)):
        if wishes[i].element:
            spot = _for_element(ground, parts[i], i, sizes[i])
        else:
            spot = _for_object(ground, parts[i], i, sizes[i], pinned=wishes[i].point_xy_px is not None)
        if spot is None:
            rect = ground.nearest_free(sizes[i], parts[i].anchor_xy)
            if rect is None and not last_try:
                return None
            spot = _tied(rect or ground.least_covered(sizes[i], parts[i].anchor_xy), parts[i])
        spots[i] = spot
        ground.add(spot.rect, spot.leader, i)
    return [spots[i] for i in range(len(parts))]


def _for_object(ground: Ground, part: Part, i: int, size_wh: tuple[int, int], *, pinned: bool) -> Spot | None:
    inside = None
    if size_wh[0] * size_wh[1] <= _MAX_SHARE * part.area_px and not part.hidden:
        inside = _inside(ground, part, i, size_wh, pinned=pinned)
    return inside or _beside(ground, part, i, size_wh)[1]


def _for_element(ground: Ground, part: Part, i: int, size_wh: tuple[int, int]) -> Spot | None:
    cost, spot = _in_corner(ground, part, i, size_wh)
    if cost > _BESIDE_ELEMENT:
        cost_beside, beside = _beside(ground, part, i, size_wh, reaches=(1.2,))
        if cost_beside + _BESIDE_ELEMENT < cost:
            spot = beside
    return spot or _beside(ground, part, i, size_wh)[1]


def _inside(ground: Ground, part: Part, i: int, size_wh: tuple[int, int], *, pinned: bool) -> Spot | None:
    """Return the free place where the part is widest; the label's middle is a visible pixel of the part."""
    found = _centred(ground, part, size_wh, _MIN_COVERAGE)
    if found is None:
        return None
    grid, fits, distance = found
    score = np.where(fits & (ground.hidden(grid, size_wh, i) < 0.5), distance, np.float32(-1))
    ground.forbid(grid, score, size_wh, None if pinned else i, -1)
    for _ in range(_TRIES):
        if float(score.max()) <= 0:
            return None
        column, row = middle_of_best(score)
        rect = _rect(grid, row, column, size_wh)
        roomy, hides = ground.hides(rect, i)
        if not (roomy or hides):
            return Spot(rect=rect)
        _forget(score, grid, row, column, size_wh, -1)
    return None


def _in_corner(ground: Ground, part: Part, i: int, size_wh: tuple[int, int]) -> tuple[float, Spot | None]:
    """Return the best place for an element's label inside it, and its cost: quiet ground first, then corners."""
    share = size_wh[0] * size_wh[1] / part.area_px
    found = None if part.hidden or share > _MAX_SHARE else _centred(ground, part, size_wh, 0.97)
    if found is None:
        return math.inf, None
    grid, fits, _ = found
    height = part.distance.shape[0] * part.stride
    cost = 0.35 * _off_corner(part, grid, size_wh) + _HIDDEN * ground.hidden(grid, size_wh, i)
    ink = ground.ink(grid, size_wh)
    if ink is not None:
        cost += np.float32(_INK) * ink + _MIDDLE * _in_middle(part, grid, size_wh)
        cost += np.float32(_LARGE_INSIDE * max(0.0, share - _ELEMENT_SHARE))
    elif share > _ELEMENT_SHARE or size_wh[1] > _ELEMENT_HEIGHT * height:
        cost += np.float32(1.3)  # an unknown picture has its text there
    cost = np.where(fits, cost, np.float32(np.inf))
    ground.forbid(grid, cost, size_wh, None, np.inf)
    row, column = divmod(int(cost.argmin()), grid.columns)
    if not math.isfinite(cost[row, column]):
        return math.inf, None
    return float(cost[row, column]), Spot(rect=_rect(grid, row, column, size_wh))


def _centred(
    ground: Ground, part: Part, size_wh: tuple[int, int], least: float
) -> tuple[Grid, NDArray[np.bool_], NDArray[np.float32]] | None:
    """Return the places whose label's middle is a sample of the part, which of them cover it enough, and distances."""
    (w, h), s, (x0, y0) = size_wh, part.stride, part.origin_xy
    (height, width), (rows, columns) = ground.size_hw, part.distance.shape
    # A sample at pixel (x, y) stands for the label whose corner is (x - w // 2, y - h // 2).
    c0, c1 = max(0, -((x0 - w // 2) // s)), min(columns, (width - w + w // 2 - x0) // s + 1)
    r0, r1 = max(0, -((y0 - h // 2) // s)), min(rows, (height - h + h // 2 - y0) // s + 1)
    if c1 <= c0 or r1 <= r0:
        return None
    seen = (part.distance > 0).view(np.uint8)
    kernel = (max(1, round(w / s)), max(1, round(h / s)))
    coverage = cv2.boxFilter(seen, cv2.CV_32F, kernel, normalize=True, borderType=cv2.BORDER_CONSTANT)
    window = (slice(r0, r1), slice(c0, c1))
    distance = part.distance[window]
    fits = (coverage[window] >= least) & (distance > 0)
    if not fits.any():
        return None
    grid = Grid(x0 + c0 * s - w // 2, y0 + r0 * s - h // 2, s, c1 - c0, r1 - r0)
    return grid, fits, distance


def _off_corner(part: Part, grid: Grid, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Return (rows, columns), 0 in the part's top left corner to 1; top right comes before the lower corners."""
    x0, y0, x1, y1 = _seen_box(part)
    xs = grid.x + grid.stride * np.arange(grid.columns, dtype=np.float32)
    ys = grid.y + grid.stride * np.arange(grid.rows, dtype=np.float32)
    wide, high = max(1, x1 - x0), max(1, y1 - y0)
    across = np.minimum(np.abs(xs - x0), np.abs(x1 - size_wh[0] - xs) + 0.15 * wide) / wide
    down = np.minimum(np.abs(ys - y0), np.abs(y1 - size_wh[1] - ys) + 0.3 * high) / high
    total: NDArray[np.float32] = np.asarray(across[None, :] + down[:, None], np.float32)
    return total


def _in_middle(part: Part, grid: Grid, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Return the share of the label at each place that stands in the middle half of the part's box, (rows, columns)."""
    x0, y0, x1, y1 = _seen_box(part)
    xs = grid.x + grid.stride * np.arange(grid.columns, dtype=np.float32)
    ys = grid.y + grid.stride * np.arange(grid.rows, dtype=np.float32)
    over_x = np.minimum(xs + size_wh[0], x1 - (x1 - x0) / 4) - np.maximum(xs, x0 + (x1 - x0) / 4)
    over_y = np.minimum(ys + size_wh[1], y1 - (y1 - y0) / 4) - np.maximum(ys, y0 + (y1 - y0) / 4)
    shared = np.maximum(over_x, 0)[None, :] * np.maximum(over_y, 0)[:, None] / (size_wh[0] * size_wh[1])
    return np.asarray(shared, np.float32)


def _beside(
    ground: Ground, part: Part, i: int, size_wh: tuple[int, int], reaches: Sequence[float] = _REACHES
) -> tuple[float, Spot | None]:
    """Return the best place off the part and its cost in label heights: near, quiet, hiding little, leader line free."""
    best, best_cost = None, math.inf
    for reach in reaches:
        grid = _around(ground, part, size_wh, reach)
        away = _away(part, grid, size_wh)
        h = np.float32(size_wh[1])
        cost = away / h + _HIDDEN * ground.hidden(grid, size_wh, i) + _askew(part, grid, size_wh)
        ink = ground.ink(grid, size_wh)
        if ink is not None:
            cost += np.float32(_INK) * ink
        cost[away < 1] = np.inf
        ground.forbid(grid, cost, size_wh, None, np.inf)
        for _ in range(_TRIES):
            row, column = divmod(int(cost.argmin()), grid.columns)
            if cost[row, column] >= best_cost or not math.isfinite(cost[row, column]):
                break
            rect = _rect(grid, row, column, size_wh)
            spot = _tied(rect, part)
            roomy, hides = ground.hides(rect, i)
            crossed = spot.leader is not None and ground.crosses(spot.leader)
            total = float(cost[row, column]) + _HIDES * hides + _CROSSES * crossed + (100 if roomy else 0)
            if total < best_cost:
                best, best_cost = spot, total
            _forget(cost, grid, row, column, size_wh, math.inf)
        if best_cost <= reach:
            break
    return best_cost, best


def _around(ground: Ground, part: Part, size_wh: tuple[int, int], reach: float) -> Grid:
    (w, h), (height, width) = size_wh, ground.size_hw
    x0, y0, x1, y1 = _seen_box(part)
    far = min(round(reach * h) if math.isfinite(reach) else height + width, height + width)
    left, top = min(max(0, x0 - w - far), width - w), min(max(0, y0 - h - far), height - h)
    right, bottom = max(left, min(width - w, x1 + far)), max(top, min(height - h, y1 + far))
    places = (right - left + 1) * (bottom - top + 1)
    stride = max(1, h // 7, math.ceil(math.sqrt(places / _PLACES)))
    return Grid(left, top, stride, (right - left) // stride + 1, (bottom - top) // stride + 1)


def _away(part: Part, grid: Grid, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Return the distance in pixels from the label at each place to the part, (rows, columns); 0 where they meet."""
    s, high, wide = grid.stride, math.ceil(size_wh[1] / grid.stride), math.ceil(size_wh[0] / grid.stride)
    seen = (part.distance > 0).view(np.uint8)
    if s > part.stride:  # thin parts must not fall between the places
        seen = cv2.dilate(seen, np.ones((math.ceil(s / part.stride),) * 2, np.uint8))
    columns = (grid.x + s * np.arange(grid.columns + wide) - part.origin_xy[0]) // part.stride
    rows = (grid.y + s * np.arange(grid.rows + high) - part.origin_xy[1]) // part.stride
    in_columns = np.flatnonzero((columns >= 0) & (columns < seen.shape[1]))
    in_rows = np.flatnonzero((rows >= 0) & (rows < seen.shape[0]))
    outside = np.ones((len(rows), len(columns)), np.uint8)
    outside[np.ix_(in_rows, in_columns)] = 1 - seen[np.ix_(rows[in_rows], columns[in_columns])]
    if not outside.all():
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    else:  # a single pixel between the places
        distance = np.full(outside.shape, 1.0, np.float32)
    nearest = cv2.erode(distance, np.ones((high, wide), np.uint8), anchor=(0, 0))
    return np.asarray(nearest[: grid.rows, : grid.columns], np.float32) * np.float32(s)


def _askew(part: Part, grid: Grid, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Return a small cost, (rows, columns): above and flush left is best, below worst."""
    h, (x0, y0, x1, y1) = size_wh[1], _seen_box(part)
    xs = (grid.x + grid.stride * np.arange(grid.columns, dtype=np.float32))[None, :]
    ys = (grid.y + grid.stride * np.arange(grid.rows, dtype=np.float32))[:, None]
    side = np.select([ys + h <= y0, ys >= y1, xs >= x1], [0.0, 0.12, 0.08], 0.06)
    shift = np.where((ys + h <= y0) | (ys >= y1), np.abs(xs - x0), np.abs(ys + h / 2 - (y0 + y1) / 2))
    return np.asarray(side + 0.05 * shift / np.float32(h), np.float32)


def _forget(
    score: NDArray[np.float32], grid: Grid, row: int, column: int, size_wh: tuple[int, int], value: float
) -> None:
    """Strike out the places within half a label of one that was examined."""
    down, across = max(1, size_wh[1] // (2 * grid.stride)), max(1, size_wh[0] // (2 * grid.stride))
    score[max(0, row - down) : row + down + 1, max(0, column - across) : column + across + 1] = value


def _rect(grid: Grid, row: int, column: int, size_wh: tuple[int, int]) -> Rect:
    x, y = grid.corner(row, column)
    return x, y, x + size_wh[0], y + size_wh[1]


def _seen_box(part: Part) -> Rect:
    x, y, w, h = cv2.boundingRect((part.distance > 0).view(np.uint8))
    (x0, y0), s = part.origin_xy, part.stride
    return x0 + x * s, y0 + y * s, x0 + (x + w) * s, y0 + (y + h) * s


def _tied(rect: Rect, part: Part) -> Spot:
    return Spot(rect=rect, leader=_leader(rect, part))


def _leader(rect: Rect, part: Part) -> Line:
    """Return the line from the label's edge to a pixel of the part just inside its edge, by the shortest way."""
    left, top, right, bottom = rect
    inner = part.distance >= min(3.0, 0.6 * float(part.distance.max()))
    ys, xs = np.nonzero(inner)
    px, py = part.origin_xy[0] + xs * part.stride, part.origin_xy[1] + ys * part.stride
    # Measured from the label's middle: of many equally near pixels this takes the one opposite.
    away = np.maximum(left - px, px - right + 1).clip(0) ** 2 + np.maximum(top - py, py - bottom + 1).clip(0) ** 2
    off_middle = (px - (left + right) / 2) ** 2 + (py - (top + bottom) / 2) ** 2
    nearest = int(np.argmin(away + 1e-3 * off_middle))
    x, y = float(px[nearest]) + 0.5, float(py[nearest]) + 0.5
    return min(max(x, left + 0.5), right - 0.5), min(max(y, top + 0.5), bottom - 0.5), x, y
