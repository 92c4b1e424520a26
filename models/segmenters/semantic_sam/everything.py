"""Everything-mode: a grid of clicks on a picture -> the masks of the wanted levels that are sure, stable and no duplicates.

The masks of the published `SemanticSamAutomaticMaskGenerator` with the same settings, in the same order: scores are looked
at before any mask is made, and masks leave as run lengths. Clicks of one call see each other, so `points_at_once` and the
order of the grid are part of the result. Called by `segmenter` and `tagging`; knows no network, only what answers.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.rle import Runs
from models.segmenters.sam.everything import point_grid
from models.segmenters.sam.nms import suppress
from models.segmenters.semantic_sam.candidates import candidates, inclusive_box
from models.segmenters.semantic_sam.cleaning import cleaned
from models.segmenters.semantic_sam.levels import LEVELS, SLOT_OF_LEVEL

# Masks made at a time: at 640 x 800 pixels each takes 128 kB before it is enlarged.
_MASKS_AT_ONCE = 64


class Answered(Protocol):
    """What a picture says to n clicks."""

    @property
    def scores(self) -> Tensor:
        """Predicted IoU, (n, slots) float32."""
        ...

    def logits(self, clicks: Tensor, slots: Tensor) -> Tensor:
        """Masks of pairs of a click and a slot, both (k,): (k, h, w) float32."""
        ...


class Clickable(Protocol):
    """A picture that takes clicks; `stride` pixels of `size_hw` make one of its masks' pixels."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Size of the masks when enlarged."""
        ...

    @property
    def stride(self) -> int:
        """By what masks are enlarged."""
        ...

    def ask(self, points_xy: Tensor) -> Answered:
        """Answer points (n, 2) in 0-1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """Settings, with the published demo's values; `levels` are answered in their order."""

    levels: tuple[int, ...] = LEVELS
    points_per_side: int = 32
    points_at_once: int = 200
    score_min: float = 0.88
    stability_min: float = 0.92
    most_iou: float = 0.7
    least_px: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """N masks at the size that the network saw; boxes are of the first and last pixel, points in 0-1 of the picture."""

    size_hw: tuple[int, int]
    runs: tuple[Runs, ...]
    boxes_xyxy_px: NDArray[np.int64]  # (N, 4), inclusive
    scores: NDArray[np.float32]  # (N,) predicted IoU, before holes and islands were cleaned
    stability: NDArray[np.float32]  # (N,)
    points_xy: NDArray[np.float32]  # (N, 2) the click that found it
    levels: NDArray[np.int64]  # (N,)

    def take(self, index: NDArray[np.int64]) -> "Found":
        """Return the masks at `index`, in that order."""
        return Found(
            size_hw=self.size_hw,
            runs=tuple(self.runs[i] for i in index.tolist()),
            boxes_xyxy_px=self.boxes_xyxy_px[index],
            scores=self.scores[index],
            stability=self.stability[index],
            points_xy=self.points_xy[index],
            levels=self.levels[index],
        )


@dataclass(slots=True)
class _Collected:
    runs: list[Runs] = field(default_factory=list)
    boxes: list[tuple[int, int, int, int]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    stability: list[float] = field(default_factory=list)
    points: list[list[float]] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)


def find_everything(picture: Clickable, settings: Everything) -> Found:
    """Return the masks of a picture, in the published order: untouched ones by falling score, then cleaned ones."""
    got = _Collected()
    points = torch.from_numpy(point_grid(settings.points_per_side)).float()
    for some in points.split(settings.points_at_once):
        _collect(picture, some, settings, got)
    found = _found(got, picture.size_hw)
    found = found.take(suppress(found.boxes_xyxy_px.astype(np.float32), found.scores, settings.most_iou))
    return _cleaned(found, settings) if settings.least_px > 0 else found


def _collect(picture: Clickable, points: Tensor, settings: Everything, got: _Collected) -> None:
    """Add what a batch of clicks finds, click by click and in the order of the levels."""
    answers = picture.ask(points)
    slots = [SLOT_OF_LEVEL[level] for level in settings.levels]
    scores = answers.scores[:, slots]
    clicks, places = (scores > settings.score_min).nonzero(as_tuple=True)
    wanted = torch.tensor(slots, device=places.device)[places]
    values = scores[clicks, places].tolist()
    for at in range(0, len(clicks), _MASKS_AT_ONCE):
        part = slice(at, at + _MASKS_AT_ONCE)
        logits = answers.logits(clicks[part], wanted[part])
        made = candidates(logits, picture.stride, picture.size_hw, settings.stability_min)
        of = zip(made, values[part], clicks[part].tolist(), places[part].tolist(), strict=True)
        for mask, score, click, place in of:
            if mask is not None:
                got.runs.append(mask.runs)
                got.boxes.append(mask.box_xyxy_px)
                got.scores.append(score)
                got.stability.append(mask.stability)
                got.points.append(points[click].tolist())
                got.levels.append(settings.levels[place])


def _found(got: _Collected, size_hw: tuple[int, int]) -> Found:
    return Found(
        size_hw=size_hw,
        runs=tuple(got.runs),
        boxes_xyxy_px=np.array(got.boxes, np.int64).reshape(-1, 4),
        scores=np.array(got.scores, np.float32),
        stability=np.array(got.stability, np.float32),
        points_xy=np.array(got.points, np.float32).reshape(-1, 2),
        levels=np.array(got.levels, np.int64),
    )


def _cleaned(found: Found, settings: Everything) -> Found:
    """Clean every mask and drop what became a duplicate; masks that needed no cleaning win over those that did."""
    made = [cleaned(runs, found.size_hw, settings.least_px) for runs in found.runs]
    boxes = np.array([inclusive_box(runs, found.size_hw[0]) for runs, _ in made], np.int64).reshape(-1, 4)
    untouched = np.array([not changed for _, changed in made], np.float32)
    keep = suppress(boxes.astype(np.float32), untouched, settings.most_iou)
    clean = Found(
        size_hw=found.size_hw,
        runs=tuple(runs for runs, _ in made),
        boxes_xyxy_px=boxes,
        scores=found.scores,
        stability=found.stability,
        points_xy=found.points_xy,
        levels=found.levels,
    )
    return clean.take(keep)
