"""A drawn picture with nested, overlapping and holed masks, for measuring marks where every mask is known.

It stands in for the published protocol (superpixels of a photo at several scales): partitions of the frame into bent
cells, coarse to fine, give masks whose areas are log-uniform from 200 px to 40 % of the frame and which overlap by less
than IoU 0.7; 2, 7 and 15 of 10, 50 and 150 have a hole. The same seed gives the same picture. Knows no marks.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

SIZE_HW = (683, 1024)
_CELLS = (3, 3, 4, 5, 7, 10, 15, 25, 45, 90, 180, 400, 900)  # cells of each partition of the frame
_MIN_AREA_PX = 200
_MAX_SHARE = 0.4
_MAX_IOU = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A picture (H, W, 3) uint8 RGB and its masks, each (H, W) bool."""

    image: NDArray[np.uint8]
    masks: tuple[NDArray[np.bool_], ...]


def case(count: int, seed: int = 0, size_hw: tuple[int, int] = SIZE_HW) -> Case:
    """Return `count` masks on a picture of `size_hw`."""
    random = np.random.default_rng((seed, count))
    partitions = [_partition(random, cells, size_hw) for cells in _CELLS for _ in range(2)]
    image = _picture(random, partitions[:: max(1, len(partitions) // 6)], size_hw)
    pool = [mask for labels in partitions for mask in _cells_of(labels)]
    chosen = _choose(random, pool, count, size_hw)
    for k in random.permutation(count)[: min(15, max(2, count // 7))].tolist():
        chosen[k] = _with_hole(chosen[k])
    return Case(image=image, masks=tuple(chosen))


def jittered(masks: tuple[NDArray[np.bool_], ...], seed: int = 0) -> list[NDArray[np.bool_]]:
    """Return every mask eroded by a pixel, left alone or dilated by a pixel, at random; none becomes empty."""
    random = np.random.default_rng(seed)
    kernel = np.ones((3, 3), np.uint8)
    changed = []
    for mask in masks:
        step = int(random.integers(-1, 2))
        source = mask.view(np.uint8)
        moved = source if step == 0 else (cv2.erode if step < 0 else cv2.dilate)(source, kernel)
        changed.append((moved if moved.any() else source).astype(np.bool_))
    return changed


def shifted(masks: tuple[NDArray[np.bool_], ...], seed: int = 0) -> list[NDArray[np.bool_]]:
    """Return every mask moved by -1, 0 or 1 px in x and in y, at random and each for itself; none becomes empty."""
    random = np.random.default_rng(seed)
    changed = []
    for mask in masks:
        dy, dx = random.integers(-1, 2, 2).tolist()
        moved = np.pad(mask, 1)[1 - dy : 1 - dy + mask.shape[0], 1 - dx : 1 - dx + mask.shape[1]]
        changed.append(moved if moved.any() else mask)
    return changed


def _noise(random: np.random.Generator, size_hw: tuple[int, int], cells: int) -> NDArray[np.float32]:
    coarse = random.normal(size=(cells, cells * size_hw[1] // size_hw[0] + 1)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, size_hw[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _partition(random: np.random.Generator, cells: int, size_hw: tuple[int, int]) -> NDArray[np.int32]:
    """Return (H, W) int32 cell numbers of a Voronoi partition whose ground is bent by noise."""
    height, width = size_hw
    seeds = np.ones(size_hw, np.uint8)
    seeds[random.integers(0, height, cells), random.integers(0, width, cells)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    bend = 0.35 * float(np.sqrt(height * width / cells))
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    grain = max(3, min(60, round(2.5 * float(np.sqrt(cells)))))
    xs += bend * _noise(random, size_hw, grain) * 0.5
    ys += bend * _noise(random, size_hw, grain) * 0.5
    bent = cv2.remap(labels.astype(np.float32), xs, ys, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, np.int32)


def _cells_of(labels: NDArray[np.int32]) -> list[tuple[tuple[int, int], NDArray[np.bool_]]]:
    """Return the origin and pixels of every cell's smoothed largest component."""
    found = []
    for value in range(1, int(labels.max()) + 1):
        rough = cv2.inRange(labels, value, value)
        x, y, w, h = cv2.boundingRect(rough)
        if not w:
            continue
        smooth = cv2.medianBlur(np.ascontiguousarray(rough[y : y + h, x : x + w]), 5)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(smooth, connectivity=4)
        if count > 1:
            best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
            found.append(((x, y), parts == best))
    return found


def _choose(
    random: np.random.Generator,
    pool: list[tuple[tuple[int, int], NDArray[np.bool_]]],
    count: int,
    size_hw: tuple[int, int],
) -> list[NDArray[np.bool_]]:
    areas = np.array([int(mask.sum()) for _, mask in pool])
    limits = np.log([_MIN_AREA_PX, _MAX_SHARE * size_hw[0] * size_hw[1]])
    usable = (areas >= _MIN_AREA_PX) & (areas <= _MAX_SHARE * size_hw[0] * size_hw[1])
    chosen: list[NDArray[np.bool_]] = []
    taken: list[coco.EncodedRLE] = []
    while len(chosen) < count and usable.any():
        wanted = random.uniform(*limits)
        near = np.where(usable, np.abs(np.log(np.maximum(areas, 1)) - wanted), np.inf)
        best = int(random.choice(np.argsort(near, kind="stable")[:5]))
        if not usable[best]:
            continue
        usable[best] = False
        (x, y), crop = pool[best]
        mask = np.zeros(size_hw, np.bool_)
        mask[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
        code = coco.encode(np.asfortranarray(mask.view(np.uint8)))
        if not taken or float(np.max(coco.iou([code], taken, [0] * len(taken)))) < _MAX_IOU:
            chosen.append(mask)
            taken.append(code)
    return chosen


def _with_hole(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask with a disc cut out around its widest place."""
    distance = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(distance.argmax()), mask.shape)
    cut = np.zeros(mask.shape, np.uint8)
    cv2.circle(cut, (int(x), int(y)), max(1, int(0.4 * float(distance.max()))), 1, -1)
    return mask & (cut == 0)


def _picture(
    random: np.random.Generator, partitions: list[NDArray[np.int32]], size_hw: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a picture in which every partition leaves its edges: flat colours of each, averaged, with soft light."""
    total = np.zeros((*size_hw, 3), np.float32)
    for labels in partitions:
        colors = random.uniform(30, 225, (int(labels.max()) + 1, 3)).astype(np.float32)
        total += colors[labels]
    light = 12 * _noise(random, size_hw, 6)[:, :, None] + random.normal(0, 4, (*size_hw, 1)).astype(np.float32)
    spread = (total / len(partitions) - 127) * 1.5 + 127 + light
    return np.asarray(np.clip(spread, 0, 255), np.uint8)
