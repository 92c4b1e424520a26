"""The `regions` segmenter: regions of photos and drawings by colour alone, without weights.

Named by `models.registry`. Smooths, cuts into small areas of one colour, merges them to a tree and keeps the nodes that
stay as they are over a long stretch of the merging. A fallback for photos, good at flat drawings; a promptable model
(`sam`) is better wherever its weights are at hand.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters import merge_tree

_WORK_SIDE_PX = 480


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What one granularity keeps: smallest area (share of the image), lowest stability, most regions, parts of things."""

    smallest: float
    stability: float
    most: int
    parts: bool = False


# 1 keeps the few big things, 6 also small parts.
_SCALES = {
    1: _Scale(smallest=0.02, stability=1.8, most=10),
    2: _Scale(smallest=0.008, stability=1.6, most=20),
    3: _Scale(smallest=0.003, stability=1.45, most=40),
    4: _Scale(smallest=0.0015, stability=1.35, most=60, parts=True),
    5: _Scale(smallest=0.0008, stability=1.25, most=80, parts=True),
    6: _Scale(smallest=0.0004, stability=1.15, most=99, parts=True),
}


class RegionsSegmenter:
    """Classical regions; deterministic; 0.1-0.5 s per image on one core, mostly the masks of large images."""

    name = "regions"
    version = "1"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return regions of `image` ((H, W, 3) uint8 RGB), largest first; `granularity` 1 (few, big) to 6, default 3."""
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        if min(size_hw) < 8:
            return Regions.empty(size_hw)
        scale = _SCALES[min(max(request.granularity or 3, 1), 6)]
        work = _working_copy(image)
        labels, lab = _areas(work)
        tree = merge_tree.build(labels, lab, small_px=0.003 * labels.size)
        found = _find(tree, labels, scale)
        if not found:
            return Regions.empty(size_hw)
        scores = np.array([min(1.0, 0.3 + 0.2 * stability) for _, stability in found], np.float32)
        return Regions.from_masks(size_hw, (_enlarged(mask, size_hw) for mask, _ in found), scores=scores)


def _working_copy(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy whose longer side is at most 480 px: time is bounded and texture averages out."""
    factor = min(1.0, _WORK_SIDE_PX / max(image.shape[:2]))
    if factor == 1.0:
        return np.ascontiguousarray(image[:, :, :3])
    width, height = (max(8, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    return np.asarray(cv2.resize(image[:, :, :3], (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _areas(work: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Cut the picture into small areas of one colour: labels (H, W) from 0 and the smoothed picture in CIELAB."""
    median = cv2.medianBlur(work, 3)
    smooth = cv2.pyrMeanShiftFiltering(median, sp=6, sr=16, maxLevel=1)
    lab = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    edges = np.zeros(work.shape[:2], np.bool_)
    edges[:, 1:] |= np.abs(lab[:, 1:] - lab[:, :-1]).max(axis=2) > 4
    edges[1:, :] |= np.abs(lab[1:] - lab[:-1]).max(axis=2) > 4
    _, components, stats, _ = cv2.connectedComponentsWithStats((~edges).astype(np.uint8), connectivity=4)
    smallest = max(6, round(8e-5 * edges.size))
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False  # the edges themselves
    names = np.zeros(len(stats), np.int32)
    names[keep] = np.arange(1, int(keep.sum()) + 1, dtype=np.int32)
    markers = names[components]
    if not keep.any():
        return np.zeros(edges.shape, np.int32), lab
    # Flood what is left from its most alike neighbour; watershed leaves lines of -1 and the frame unassigned.
    flooded = cv2.watershed(smooth, markers.copy())
    flooded[[0, -1], :] = flooded[:, [0, -1]] = -1
    return _fill_lines(flooded, markers) - 1, lab


def _fill_lines(flooded: NDArray[np.int32], markers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give watershed lines their marker's label back, else that of the nearest neighbour."""
    labels = np.where((flooded <= 0) & (markers > 0), markers, np.maximum(flooded, 0)).astype(np.float32)
    while (labels == 0).any():
        grown = cv2.dilate(labels, np.ones((3, 3), np.uint8))
        labels = np.where(labels == 0, grown, labels)
    return labels.astype(np.int32)


def _find(
    tree: merge_tree.MergeTree, labels: NDArray[np.int32], scale: _Scale
) -> list[tuple[NDArray[np.bool_], float]]:
    """Masks (H, W) bool with their stability, largest first: things on the ground if there is one, then stable nodes."""
    ground = _ground(tree, labels)
    found = _things(~ground, scale) if ground is not None else []
    if ground is not None and scale.parts:
        things = np.any([mask for mask, _ in found], axis=0) if found else np.zeros(labels.shape, np.bool_)
        candidates = [
            item for item in _stable_nodes(tree, labels, scale) if (item[0] & things).sum() > 0.8 * item[0].sum()
        ]
    elif ground is not None:
        crowds = [mask for mask, _ in found if mask.sum() > 0.25 * labels.size]
        found = [item for item in found if item[0].sum() <= 0.25 * labels.size]
        candidates = [
            item
            for item in (_stable_nodes(tree, labels, scale) if crowds else [])
            if any((item[0] & crowd).sum() > 0.8 * item[0].sum() for crowd in crowds)
        ]
    else:
        candidates = _stable_nodes(tree, labels, scale)
    for mask, value in candidates:
        if len(found) < scale.most and not any(_alike(mask, other) for other, _ in found):
            found.append((mask, value))
    return sorted(found, key=lambda item: -int(item[0].sum()))


def _ground(tree: merge_tree.MergeTree, labels: NDArray[np.int32]) -> NDArray[np.bool_] | None:
    """The one even area behind everything, (H, W) bool: it holds most of the frame and keeps apart for long."""
    frame = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    on_frame = np.zeros(len(tree.parent), np.int64)
    on_frame[: tree.leaves] = np.bincount(frame, minlength=tree.leaves)
    for node in range(tree.leaves, len(tree.parent)):  # children come before their parents
        on_frame[node] = on_frame[tree.children[node]].sum()
    best: tuple[float, int] | None = None
    for node in np.flatnonzero((on_frame > 0.6 * len(frame)) & (tree.area_px > 0.3 * labels.size)).tolist():
        value = _stability(tree, node)
        if value >= 2.0 and (best is None or value > best[0]):
            best = value, node
    return _mask(tree, labels, best[1]) if best else None


def _things(foreground: NDArray[np.bool_], scale: _Scale) -> list[tuple[NDArray[np.bool_], float]]:
    """Connected pieces of the foreground, holes filled, thin lines opened away; score as if very stable."""
    radius = max(1, round(0.006 * min(foreground.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(foreground.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = []
    for contour in contours:
        mask = np.zeros(foreground.shape, np.uint8)
        cv2.drawContours(mask, [contour], -1, 1, cv2.FILLED)
        if mask.sum() >= scale.smallest * mask.size:
            found.append((mask.astype(np.bool_), 3.5))
    return sorted(_join_bars(found), key=lambda item: -int(item[0].sum()))[: scale.most]


def _join_bars(things: list[tuple[NDArray[np.bool_], float]]) -> list[tuple[NDArray[np.bool_], float]]:
    """Join three or more equal bars that lie close under each other: they are one sign, as on a menu button."""
    boxes = [cv2.boundingRect(mask.view(np.uint8)) for mask, _ in things]
    order = sorted(range(len(things)), key=lambda index: (boxes[index][0] // 8, boxes[index][1]))
    stacks: list[list[int]] = []
    for index in order:
        x, y, wide, high = boxes[index]
        left, top, width, height = boxes[stacks[-1][-1]] if stacks else (0, 0, 0, 0)
        bars = wide >= 2.5 * high and width >= 2.5 * height
        same = abs(x - left) <= 3 and abs(wide - width) <= 4 and abs(high - height) <= 4
        if bars and same and 0 <= y - (top + height) <= 1.5 * high:
            stacks[-1].append(index)
        else:
            stacks.append([index])
    joined = []
    for stack in stacks:
        if len(stack) < 3:
            joined += [things[index] for index in stack]
        else:
            joined.append((np.any([things[index][0] for index in stack], axis=0), things[stack[0]][1]))
    return joined


def _alike(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """True if two masks are nearly the same region (IoU over 0.6)."""
    both = int((one & other).sum())
    return both > 0 and both > 0.6 * (int(one.sum()) + int(other.sum()) - both)


def _stable_nodes(
    tree: merge_tree.MergeTree, labels: NDArray[np.int32], scale: _Scale
) -> list[tuple[NDArray[np.bool_], float]]:
    """Nodes that live through a long stretch of the merging, are big and thick enough and no background."""
    total = labels.size
    nodes = [
        (int(node), _stability(tree, int(node)))
        for node in np.flatnonzero((tree.area_px >= scale.smallest * total) & (tree.area_px <= 0.6 * total))
    ]
    nodes = [(node, value) for node, value in nodes if value >= scale.stability]
    nodes.sort(key=lambda item: (-item[1], -int(tree.area_px[item[0]]), item[0]))
    kept: list[tuple[NDArray[np.bool_], float]] = []
    for node, value in nodes:
        if len(kept) == scale.most:
            break
        mask = _mask(tree, labels, node)
        if not _is_background(mask) and _is_thick(mask) and not any(_alike(mask, other) for other, _ in kept):
            kept.append((mask, value))
    return kept


def _stability(tree: merge_tree.MergeTree, node: int) -> float:
    """How much further the merging had to go to change a node than to form it; 2 is plenty, 6 the cap."""
    parent = int(tree.parent[node])
    if parent < 0:
        return 0.0
    # 3 is the contrast of two tones that one would still call the same.
    return min(6.0, float(tree.height[parent]) / max(float(tree.height[node]), 3.0))


def _mask(tree: merge_tree.MergeTree, labels: NDArray[np.int32], node: int) -> NDArray[np.bool_]:
    """Pixels (H, W) bool of a node on the working copy."""
    chosen = np.zeros(tree.leaves, np.bool_)
    chosen[tree.leaves_of(node)] = True
    return np.asarray(chosen[labels], np.bool_)


def _is_background(mask: NDArray[np.bool_]) -> bool:
    """True if a region holds more than half of the picture's frame: the ground on which things stand."""
    frame = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return bool(frame.mean() > 0.5)


def _is_thick(mask: NDArray[np.bool_]) -> bool:
    """True if somewhere a region is at least 1.5 % of the shorter side wide: outlines and halos are not things."""
    padded = np.pad(mask.astype(np.uint8), 1)
    widest = float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max())
    return bool(widest >= 0.0075 * min(mask.shape))


def _enlarged(mask: NDArray[np.bool_], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a mask of the working copy to full size with a smooth outline."""
    if mask.shape == size_hw:
        return mask
    soft = cv2.resize(mask.astype(np.float32), (size_hw[1], size_hw[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft > 0.5, np.bool_)
