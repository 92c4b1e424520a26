"""What the network is punished for: missed and invented elements, wrong edges, wrong roles.

Used by `models.detector.train`. Quality focal loss after Li et al. 2020 (Generalized Focal Loss, section 3.2): the score
learns how well the box fits; generalised IoU after Rezatofighi et al. 2019 (equation 1) for the edges.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# Boxes and roles are summed over some sixteen cells per element; these shares keep finding elements the main task.
_BOX_SHARE, _LOG_SHARE, _ROLE_SHARE = 1.0, 0.25, 0.2
# A found element is worth something even when its box is still poor; else scores collapse in the first steps.
_LEAST_QUALITY = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Targets of a batch at one level, as in `TargetMaps` with a batch axis."""

    kind: Tensor  # (B, h, w) int8
    weight: Tensor  # (B, h, w)
    edges: Tensor  # (B, 4, h, w)
    role: Tensor  # (B, h, w) int64


def detection_loss(maps: tuple[Tensor, ...], targets: tuple[Targets, ...]) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch and its parts, each per element."""
    count = sum(float(level.weight.square().sum()) for level in targets)
    total = max(count, 1.0)
    parts = [_level_loss(found.float(), wanted) for found, wanted in zip(maps, targets, strict=True)]
    element, box, role = (torch.stack([part[i] for part in parts]).sum() / total for i in range(3))
    return element + box + role, {"element": element.item(), "box": box.item(), "role": role.item()}


def _level_loss(found: Tensor, wanted: Targets) -> tuple[Tensor, Tensor, Tensor]:
    positive = wanted.kind == 1
    weight = wanted.weight[positive]
    cells = found.permute(0, 2, 3, 1)[positive]
    goal = wanted.edges.permute(0, 2, 3, 1)[positive]
    logs = cells[:, 1:5].clamp(-6, 8)
    giou, iou = _overlap(logs.exp(), goal)
    box = (weight * (_BOX_SHARE * (1 - giou) + _LOG_SHARE * (logs - goal.log()).abs().mean(1))).sum()
    role = (
        _ROLE_SHARE * (weight * functional.cross_entropy(cells[:, 5:], wanted.role[positive], reduction="none")).sum()
    )
    quality = torch.zeros_like(found[:, 0])
    quality[positive] = _LEAST_QUALITY + (1 - _LEAST_QUALITY) * iou.detach()
    asked = torch.where(positive, wanted.weight, (wanted.kind == 0).float())
    logit = found[:, 0]
    distance = (quality - logit.sigmoid()).abs().square()
    element = (asked * distance * functional.binary_cross_entropy_with_logits(logit, quality, reduction="none")).sum()
    return element, box, role


def _overlap(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """GIoU and IoU of boxes given by their distances (N, 4) from the same point."""
    low, high = torch.minimum(one, other), torch.maximum(one, other)
    shared = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    areas = [(box[:, 0] + box[:, 2]) * (box[:, 1] + box[:, 3]) for box in (one, other)]
    union = areas[0] + areas[1] - shared
    iou = shared / union.clamp(min=1e-6)
    return iou - (hull - union) / hull.clamp(min=1e-6), iou
