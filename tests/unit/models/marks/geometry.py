"""What every marking must satisfy, checked from the outside: pixels and rectangles only."""

import math

import numpy as np

from models.regions import Regions


def random_boxes(count, size_hw, *, seed=0, low=0.01, high=0.3):
    random = np.random.default_rng(seed)
    sizes = random.uniform(low, high, (count, 2)) * (size_hw[1], size_hw[0])
    corners = random.uniform(0, 1, (count, 2)) * ((size_hw[1], size_hw[0]) - sizes)
    return Regions.from_boxes(size_hw, np.concatenate((corners, corners + sizes), 1))


def blobs(count, size_hw, *, seed=0):
    """Star-shaped masks, nested and overlapping, every fifth with a hole."""
    random = np.random.default_rng(seed)
    ys, xs = np.mgrid[: size_hw[0], : size_hw[1]]
    masks = []
    while len(masks) < count:
        cx, cy, radius = (
            random.uniform(0, size_hw[1]),
            random.uniform(0, size_hw[0]),
            random.uniform(6, 0.25 * size_hw[1]),
        )
        angle = np.arctan2(ys - cy, xs - cx)
        wave = 1 + 0.3 * np.sin(random.integers(2, 7) * angle + random.uniform(0, 6))
        mask = np.hypot(xs - cx, ys - cy) < radius * wave
        if len(masks) % 5 == 0:
            mask &= np.hypot(xs - cx, ys - cy) > radius * 0.2
        if mask.sum() > 30:
            masks.append(mask)
    return masks


def touching_pairs(marking):
    boxes = [mark.label_bbox_xyxy_px for mark in marking.marks]
    return [
        (i, j)
        for i, a in enumerate(boxes)
        for j, b in enumerate(boxes[:i])
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def cut_labels(marking, size_hw):
    return [
        mark.id
        for mark in marking.marks
        if min(mark.label_bbox_xyxy_px) < 0
        or mark.label_bbox_xyxy_px[2] > size_hw[1]
        or mark.label_bbox_xyxy_px[3] > size_hw[0]
    ]


def visible_mask(marking, regions, mark):
    """The mark's mask minus every strictly smaller marked region."""
    visible = regions.mask(mark.region_index)
    for other in marking.marks:
        if other.area_px < mark.area_px:
            visible &= ~regions.mask(other.region_index)
    return visible


def label_pixels(marking, size_hw):
    under = np.zeros(size_hw, np.bool_)
    for mark in marking.marks:
        x0, y0, x1, y1 = map(round, mark.label_bbox_xyxy_px)
        under[y0:y1, x0:x1] = True
    return under


def wrong_points(marking, regions):
    """Marks whose point breaks the rule: visible and under no label, or `occluded` and still in the region."""
    under = label_pixels(marking, regions.size_hw)
    wrong = []
    for mark in marking.marks:
        x, y = math.floor(mark.point_xy_px[0]), math.floor(mark.point_xy_px[1])
        free = visible_mask(marking, regions, mark) & ~under
        good = regions.mask(mark.region_index)[y, x] if mark.occluded else free[y, x]
        if not good or (mark.occluded and free.any()):
            wrong.append(mark.id)
    return wrong
