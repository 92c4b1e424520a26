"""Which of the detector's boxes stay, and where exactly their edges run. Geometry and an edge mask, no text."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.ranking.places import FIELD_ROLES
from models.segmenters.ocr import Box

# A box that holds four fifths of a box at least a quarter of its size is the same thing seen twice; a smaller one inside
# is a control of its own.
_TWIN_SHARE, _TWIN_SIZE = 0.8, 4.0
_CLEAR_EDGE = 0.8
_HELD, _TOUCHES = 0.5, 0.3


def distinct(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Return the indices of `boxes` (N, 4) that stay, best score first: of two that are one thing the better."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        others = boxes[kept]
        low, high = np.maximum(boxes[index, :2], others[:, :2]), np.minimum(boxes[index, 2:], others[:, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        smaller, larger = np.minimum(areas[index], areas[kept]), np.maximum(areas[index], areas[kept])
        if not ((shared > _TWIN_SHARE * smaller) & (larger < _TWIN_SIZE * smaller)).any():
            kept.append(index)
    return kept


def backed_by_text(weak: Sequence[Box], sure: Sequence[Box], free: Sequence[Box], used: Sequence[Box]) -> list[int]:
    """Return which of the `weak` boxes, best first, hold one of the `free` lines and none that names something already.

    They touch neither `sure` boxes nor each other: half seen, a row of settings swallowed its switch's label.
    """
    kept: list[int] = []
    for index, box in enumerate(weak):
        others = np.array([*sure, *(weak[other] for other in kept)], np.float32).reshape(-1, 4)
        low, high = np.maximum(others[:, :2], box[:2]), np.minimum(others[:, 2:], box[2:])
        smaller = np.minimum((others[:, 2:] - others[:, :2]).prod(axis=1), (box[2] - box[0]) * (box[3] - box[1]))
        touches = bool((np.clip(high - low, 0, None).prod(axis=1) > _TOUCHES * smaller).any())
        if not touches and _holds(box, free) and not _holds(box, used):
            kept.append(index)
    return kept


def _holds(box: Box, lines: Sequence[Box]) -> bool:
    """Whether half of one of `lines` lies in the box."""
    return any(
        box[1] <= (top + bottom) / 2 < box[3] and min(box[2], right) - max(box[0], left) > _HELD * (right - left)
        for left, top, right, bottom in lines
    )


def without_frames(boxes: NDArray[np.float32], scores: NDArray[np.float32], roles: Sequence[str]) -> list[int]:
    """Return the indices of `boxes` (N, 4) that stay: a field that holds other fields is a frame round them, not a field.

    One inner field must be surer than the frame; two settle it.
    """
    fields = np.array([role in FIELD_ROLES for role in roles], np.bool_)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    kept = []
    for index, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        within = (middles > (x0, y0)).all(axis=1) & (middles < (x1, y1)).all(axis=1) & fields
        within &= (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) < 0.5 * (x1 - x0) * (y1 - y0)
        framed = within.sum() > 1 or bool((scores[within] > scores[index]).any())
        if not (fields[index] and framed):
            kept.append(index)
    return kept


def has_content(edges: NDArray[np.bool_], box: Box) -> bool:
    """True if something is drawn in or round a box of `edges` (H, W): an even area is no control."""
    x0, y0, x1, y1 = (int(value) for value in box)
    return bool(edges[max(y0 - 1, 0) : y1 + 2, max(x0 - 1, 0) : x1 + 2].any())


def snapped(edges: NDArray[np.bool_], box: Sequence[float]) -> Box:
    """Move each side of a box to the clear straight edge beside it, where there is one; `edges` is (H, W).

    An edge is looked for within an eighth of the box's short side, at most 10 px: beyond lie the neighbours.
    """
    height, width = edges.shape
    x0, y0, x1, y1 = (float(value) for value in box)
    reach = int(np.clip(min(x1 - x0, y1 - y0) / 8, 1, 10))
    rows = slice(int(max(y0 + (y1 - y0) / 4, 0)), max(int(y1 - (y1 - y0) / 4), int(y0 + (y1 - y0) / 4) + 1))
    columns = slice(int(max(x0 + (x1 - x0) / 4, 0)), max(int(x1 - (x1 - x0) / 4), int(x0 + (x1 - x0) / 4) + 1))
    across = edges[rows].mean(axis=0, dtype=np.float32) if edges[rows].size else np.zeros(width, np.float32)
    down = edges[:, columns].mean(axis=1, dtype=np.float32) if edges[:, columns].size else np.zeros(height, np.float32)
    left, right = _side(across, x0, reach, -1), _side(across, x1, reach, 1)
    top, bottom = _side(down, y0, reach, -1), _side(down, y1, reach, 1)
    return (left, top, right, bottom) if right - left >= 1 and bottom - top >= 1 else (x0, y0, x1, y1)


def _side(clear: NDArray[np.float32], place: float, reach: int, outward: int) -> float:
    """The nearest clear edge to `place`, the outer one of a thin line's two; `place` itself where there is none."""
    middle = round(place)
    near = [at for at in range(max(middle - reach, 0), min(middle + reach + 1, len(clear))) if clear[at] >= _CLEAR_EDGE]
    if not near:
        return place
    best = min(near, key=lambda at: (abs(at - place), -outward * at))
    while best + outward in near and abs(best + outward - place) <= reach:
        best += outward
    return float(best)
