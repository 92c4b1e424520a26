"""Counts what is wrong with labels on a picture: touching, hidden, cut, away from their region, in another's way.

Works on rectangles and masks alone, so that any program's labels are judged by the same rules. "Visible" means: of all
masks at a pixel, the smallest owns it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Counts over the labels of one picture; `hiding_*` count regions of which one foreign label covers over a quarter."""

    labels: int
    touching: int  # labels that overlap another
    hidden_25: int  # labels of which later ones cover more than a quarter
    hidden_50: int
    cut: int  # labels that leave the frame
    centre_in_mask: int
    centre_on_visible: int
    centre_or_leader: int  # centre on the own visible part, or a leader line that ends there
    over_half: int  # labels without a leader that are larger than half their region
    hiding_roomy: int  # of the regions whose visible part is at least twice their own label
    hiding_any: int

    def __add__(self, other: "Quality") -> "Quality":
        """Return the counts of both."""
        return Quality(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def quality(
    masks: Sequence[NDArray[np.bool_]], labels: Sequence[Box], leaders: Sequence[Box | None] | None = None
) -> Quality:
    """Return the counts of `labels[k]` on `masks[k]` ((H, W) bool), painted in the order given.

    `leaders[k]` runs from the label to the region as x0, y0, x1, y1, or is None. A mask that no pixel shows is judged by
    all of its pixels.
    """
    boxes = np.array([[round(v) for v in label] for label in labels], np.int64).reshape(-1, 4)
    size_hw = masks[0].shape if len(masks) else (0, 0)
    visible = _visible(masks)
    sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    leaders = leaders or [None] * len(masks)
    over = [_hidden_share(boxes, k) for k in range(len(boxes))]
    on_visible = [_at(visible[k], *_centre(box)) for k, box in enumerate(boxes)]
    tied = [
        leader is not None and (_at(visible[k], leader[2], leader[3]) or not visible[k].any())
        for k, leader in enumerate(leaders)
    ]
    hiding = [_foreign_share(visible[k], boxes, k) > 0.25 for k in range(len(boxes))]
    roomy = [int(visible[k].sum()) >= 2 * sizes[k] for k in range(len(boxes))]
    counts = {
        "labels": len(boxes),
        "touching": sum(_touches(boxes, k) for k in range(len(boxes))),
        "hidden_25": sum(share > 0.25 for share in over),
        "hidden_50": sum(share > 0.5 for share in over),
        "cut": int(((boxes[:, :2] < 0).any(1) | (boxes[:, 2] > size_hw[1]) | (boxes[:, 3] > size_hw[0])).sum()),
        "centre_in_mask": sum(_at(masks[k], *_centre(box)) for k, box in enumerate(boxes)),
        "centre_on_visible": sum(on_visible),
        "centre_or_leader": sum(a or b for a, b in zip(on_visible, tied, strict=True)),
        "over_half": sum(leaders[k] is None and 2 * int(sizes[k]) > int(masks[k].sum()) for k in range(len(boxes))),
        "hiding_roomy": sum(a and b for a, b in zip(hiding, roomy, strict=True)),
        "hiding_any": sum(hiding),
    }
    return Quality(**{name: int(count) for name, count in counts.items()})


def _visible(masks: Sequence[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Return each mask minus every strictly smaller one, or all of it where nothing remains."""
    areas = [int(mask.sum()) for mask in masks]
    left = np.full(masks[0].shape, np.iinfo(np.int64).max) if masks else np.zeros((0, 0), np.int64)
    for mask, area in zip(masks, areas, strict=True):
        np.minimum(left, area, out=left, where=mask)
    seen = [mask & (left >= area) for mask, area in zip(masks, areas, strict=True)]
    return [part if part.any() else mask for part, mask in zip(seen, masks, strict=True)]


def _centre(box: NDArray[np.int64]) -> tuple[float, float]:
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2


def _at(mask: NDArray[np.bool_], x: float, y: float) -> bool:
    row, column = int(y), int(x)
    return 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1] and bool(mask[row, column])


def _overlaps(boxes: NDArray[np.int64], box: NDArray[np.int64]) -> NDArray[np.int64]:
    across = np.minimum(boxes[:, 2], box[2]) - np.maximum(boxes[:, 0], box[0])
    down = np.minimum(boxes[:, 3], box[3]) - np.maximum(boxes[:, 1], box[1])
    return np.asarray(np.maximum(across, 0) * np.maximum(down, 0))


def _touches(boxes: NDArray[np.int64], k: int) -> bool:
    others = np.delete(boxes, k, 0)
    return bool((_overlaps(others, boxes[k]) > 0).any())


def _hidden_share(boxes: NDArray[np.int64], k: int) -> float:
    x0, y0, x1, y1 = boxes[k].tolist()
    covered = np.zeros((max(1, y1 - y0), max(1, x1 - x0)), np.bool_)
    for left, top, right, bottom in boxes[k + 1 :].tolist():
        covered[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = True
    return float(covered.mean())


def _foreign_share(visible: NDArray[np.bool_], boxes: NDArray[np.int64], k: int) -> float:
    """Return the largest share of a visible part that one other label covers."""
    total, most = int(visible.sum()), 0
    for other, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        if other != k:
            most = max(most, int(visible[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)].sum()))
    return most / max(1, total)
