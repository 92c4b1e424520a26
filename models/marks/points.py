"""A point that is surely inside a region's visible part and under no label: where an agent may click.

Called after all labels are placed. Knows no styles and no pixels' colours.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.marks.spots import Rect
from models.marks.visible import Part, Visible, middle_of_best
from models.regions import Mask, Point


def choose_point(visible: Visible, part: Part, i: int, labels: NDArray[np.int64]) -> tuple[Point, bool]:
    """Return the point (x, y) at a pixel's centre for region `i`, and whether it is occluded.

    `labels` are all label rectangles, (K, 4) int. The point keeps away from the part's edge and from labels.
    """
    (x0, y0), stride = part.origin_xy, part.stride
    rows, columns = part.distance.shape
    box = (x0, y0, x0 + columns * stride, y0 + rows * stride)
    near = _near(labels, box)
    if not part.hidden:
        x, y = _freest(part, near)
        if x >= 0:
            return (x0 + x * stride + 0.5, y0 + y * stride + 0.5), False
    free = None if part.hidden else _any_free(visible, i, near)
    if free is not None:
        return free, False
    return (part.anchor_xy[0] + 0.5, part.anchor_xy[1] + 0.5), True


def _freest(part: Part, labels: Sequence[Rect]) -> tuple[int, int]:
    """Return the sample (x, y) farthest from edge and labels, or (-1, -1) where no sample is free."""
    room, open_labels = part.distance, list(labels)
    x, y = ((anchor - first) // part.stride for anchor, first in zip(part.anchor_xy, part.origin_xy, strict=True))
    while True:
        if float(room[y, x]) <= 0:
            return -1, -1
        px, py = part.origin_xy[0] + x * part.stride, part.origin_xy[1] + y * part.stride
        # Only labels that are nearer than the edge bind; of 150 labels in a large region few ever do.
        binding = [r for r in open_labels if max(r[0] - px, px - r[2] + 1, r[1] - py, py - r[3] + 1) < room[y, x]]
        if not binding:
            return x, y
        for rect in binding:
            room = np.minimum(room, _distance_to(rect, part))
            open_labels.remove(rect)
        x, y = middle_of_best(room)


def keep_point(
    visible: Visible, i: int, mask: tuple[tuple[int, int], Mask], point: Point, labels: NDArray[np.int64]
) -> tuple[Point, bool] | None:
    """Return a caller's point and whether it is occluded, or None where its pixel is not in the region."""
    x, y = math.floor(point[0]), math.floor(point[1])
    (x0, y0), pixels = mask
    if not _holds(pixels, x - x0, y - y0):
        return None
    (vx, vy), seen, hidden = visible.pixels(i)
    under = bool(((labels[:, 0] <= x) & (x < labels[:, 2]) & (labels[:, 1] <= y) & (y < labels[:, 3])).any())
    return point, hidden or under or not _holds(seen, x - vx, y - vy)


def _holds(pixels: Mask, x: int, y: int) -> bool:
    return 0 <= y < pixels.shape[0] and 0 <= x < pixels.shape[1] and bool(pixels[y, x])


def _near(labels: NDArray[np.int64], box: Rect) -> Sequence[Rect]:
    meets = (labels[:, 0] < box[2]) & (labels[:, 2] > box[0]) & (labels[:, 1] < box[3]) & (labels[:, 3] > box[1])
    return [(r[0], r[1], r[2], r[3]) for r in labels[meets].tolist()]


def _distance_to(rect: Rect, part: Part) -> NDArray[np.float32]:
    """Return the (h, w) distance of the samples to a label, along the farther axis; 0 or less under it."""
    rows, columns = part.distance.shape
    xs = part.origin_xy[0] + part.stride * np.arange(columns, dtype=np.float32)
    ys = part.origin_xy[1] + part.stride * np.arange(rows, dtype=np.float32)
    dx = np.maximum(rect[0] - xs, xs - (rect[2] - 1))
    dy = np.maximum(rect[1] - ys, ys - (rect[3] - 1))
    distance: NDArray[np.float32] = np.maximum(dx[None, :], dy[:, None])
    return distance


def _any_free(visible: Visible, i: int, labels: Sequence[Rect]) -> Point | None:
    """Return the first visible pixel under no label, looked for at full resolution."""
    (x0, y0), pixels, _ = visible.pixels(i)
    free = pixels.copy()
    for left, top, right, bottom in labels:
        free[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = False
    ys, xs = np.nonzero(free)
    return (x0 + int(xs[0]) + 0.5, y0 + int(ys[0]) + 0.5) if xs.size else None
