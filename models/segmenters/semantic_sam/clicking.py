"""One click on a picture -> its six masks, one per slot of the network; and the choice among them. Called by `segmenter`.

Each click is asked alone: clicks of one call see each other, and a region must not depend on what else was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from models import rle
from models.rle import Runs
from models.segmenters.semantic_sam.candidates import candidates
from models.segmenters.semantic_sam.cleaning import cleaned
from models.segmenters.semantic_sam.decoder import BOX, POINT
from models.segmenters.semantic_sam.levels import SLOT_OF_LEVEL
from models.segmenters.semantic_sam.network import POINT_SIDE, PromptedPicture

NOWHERE = (0.5, 0.5, 0.006, 0.006)
"""What the published predictor asks when it is given no point."""
_LEAST_SCORE, _MOST_IOU, _LEAST_PX = 0.5, 0.95, 100
_LEVEL_OF_SLOT = {slot: level for level, slot in SLOT_OF_LEVEL.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicked:
    """One of a click's masks at the size that the network saw, its predicted IoU (not bounded to 0-1) and its level."""

    runs: Runs
    score: float
    level: int


def click(picture: PromptedPicture, point_xy: tuple[float, float]) -> list[Clicked]:
    """Return the six masks of a point in 0-1 of the picture, in the order of the network's slots."""
    return _asked(picture, (*point_xy, POINT_SIDE, POINT_SIDE), POINT)


def click_box(picture: PromptedPicture, box_xyxy: Sequence[float]) -> list[Clicked]:
    """Return the six masks of a box, corners in 0-1 of the picture, in the order of the network's slots.

    The network learned boxes (section 3), the published demos only ever give points.
    """
    x0, y0, x1, y1 = box_xyxy
    return _asked(picture, ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0), BOX)


def distinct(masks: Sequence[Clicked], size_hw: tuple[int, int]) -> list[Clicked]:
    """Return what the published demo shows of a click's masks: the surest first, cleaned, without near-copies.

    Masks below 0.5 and those with an IoU above 0.95 with a surer one go, the surest always stays; holes and islands
    below 100 pixels are cleaned away.
    """
    kept: list[Clicked] = []
    for mask in sorted(masks, key=lambda item: -item.score):
        sure = mask.score >= _LEAST_SCORE and all(_iou(mask.runs, other.runs) <= _MOST_IOU for other in kept)
        if sure or not kept:
            kept.append(mask)
    return [replace(mask, runs=cleaned(mask.runs, size_hw, _LEAST_PX)[0]) for mask in kept]


def chosen(
    masks: Sequence[Clicked], level: int | None, hits_xy_px: NDArray[np.float64], size_hw: tuple[int, int]
) -> Clicked:
    """Return the mask of the wanted level; without one, the one that is sure and holds most of the points (n, 2)."""
    if level is not None:
        return next(mask for mask in masks if mask.level == level)
    return max(masks, key=lambda mask: mask.score + _share_held(mask.runs, hits_xy_px, size_hw[0]))


def _asked(picture: PromptedPicture, box: tuple[float, ...], kind: int) -> list[Clicked]:
    answers = picture.ask_boxes(torch.tensor([box]), torch.tensor([kind]))
    slots = torch.arange(answers.scores.shape[1], device=answers.scores.device)
    made = candidates(answers.logits(torch.zeros_like(slots), slots), picture.stride, picture.size_hw, 0.0)
    nothing = np.array([picture.size_hw[0] * picture.size_hw[1]], np.int64)
    return [
        Clicked(runs=nothing if mask is None else mask.runs, score=score, level=_LEVEL_OF_SLOT[slot])
        for slot, (mask, score) in enumerate(zip(made, answers.scores[0].tolist(), strict=True))
    ]


def _share_held(runs: Runs, points_xy_px: NDArray[np.float64], height: int) -> float:
    if not len(points_xy_px):
        return 0.0
    at = points_xy_px.astype(np.int64)
    places = at[:, 0] * height + at[:, 1]
    starts, ends = rle.spans(runs)
    return float(np.mean([((starts <= place) & (place < ends)).any() for place in places.tolist()]))


def _iou(one: Runs, other: Runs) -> float:
    """IoU of two masks from the places where either begins or ends; 0 where both are empty."""
    first, second = np.cumsum(one), np.cumsum(other)
    cuts = np.unique(np.concatenate(([0], first, second)))
    lengths = np.diff(cuts)
    inside = [np.searchsorted(edges, cuts[:-1], side="right") % 2 == 1 for edges in (first, second)]
    union = int(lengths[inside[0] | inside[1]].sum())
    return int(lengths[inside[0] & inside[1]].sum()) / union if union else 0.0
