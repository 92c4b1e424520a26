"""Runs the network (not the exported file) over whole pages, as the runtime class does, to score it during training."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from models.detector.augment import clip_truth
from models.detector.data import PageTruth
from models.detector.measure import Scored
from models.detector.net import STRIDES, ElementNet
from models.segmenters.detector import decode, suppress

_LOWEST = 0.04
_PAD = 32


def score_pages(
    net: ElementNet, pages: Sequence[PageTruth], device: torch.device, *, nms_iou: float = 0.35
) -> list[Scored]:
    """Return marks and truth of every page at CSS size; `net` is put into evaluation mode and back."""
    was_training = net.training
    net.eval()
    scored = []
    for page in pages:
        image = page.read()
        scale = 1.0 / page.device_pixel_ratio
        if scale != 1.0:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        size_hw = (image.shape[0], image.shape[1])
        padded = np.pad(image, ((0, -size_hw[0] % _PAD), (0, -size_hw[1] % _PAD), (0, 0)), constant_values=114)
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            maps = net(torch.from_numpy(padded[None]).to(device))
        boxes, scores, roles = decode([level.float().cpu().numpy() for level in maps], STRIDES, _LOWEST)
        kept = suppress(boxes, scores, nms_iou)
        true_boxes, true_roles = clip_truth(page.boxes * np.float32(scale), page.roles, size_hw)
        scored.append(
            Scored(
                boxes=boxes[kept], scores=scores[kept], roles=roles[kept], true_boxes=true_boxes, true_roles=true_roles
            )
        )
    net.train(was_training)
    return scored
