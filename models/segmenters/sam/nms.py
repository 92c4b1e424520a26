"""Greedy suppression of overlapping boxes, in the order and arithmetic of torchvision's `batched_nms` on one class."""

import numpy as np
from numpy.typing import NDArray


def suppress(boxes_xyxy_px: NDArray[np.float32], scores: NDArray[np.float32], most_iou: float) -> NDArray[np.int64]:
    """Return the indices of the boxes (N, 4) that stay, best score first; equal scores keep their order.

    A box goes if a better one that stays has an IoU of more than `most_iou` with it.
    """
    order = np.argsort(-scores, kind="stable")
    boxes = boxes_xyxy_px[order].astype(np.float32)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive = np.ones(len(boxes), np.bool_)
    kept = []
    for i in range(len(boxes)):
        if not alive[i]:
            continue
        kept.append(i)
        rest = boxes[i + 1 :]
        sides = np.minimum(boxes[i, 2:], rest[:, 2:]) - np.maximum(boxes[i, :2], rest[:, :2])
        sides = np.maximum(sides, 0)
        inter = sides[:, 0] * sides[:, 1]
        with np.errstate(invalid="ignore"):  # two empty boxes: 0 / 0 is no overlap
            iou = inter / (area[i] + area[i + 1 :] - inter)
        # The threshold is a double there, and 0.7 is not a float32: compare as it does.
        alive[i + 1 :] &= ~(iou.astype(np.float64) > most_iou)
    return order[np.array(kept, np.int64)].astype(np.int64)
