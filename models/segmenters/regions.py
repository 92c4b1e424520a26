"""The `regions` segmenter: regions of photos and drawings by colour, texture and edges, without weights.

Named by `models.registry`. Cuts a working copy into small areas, merges them to a tree and keeps the nodes that look most
like things. A fallback for photos, good at flat drawings; a promptable model (`sam`) is better wherever its weights are
at hand. What it finds is measured by tests/bench/regions.py.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters import merge_tree
from models.segmenters.superpixels import basins, edge_strength

_WORK_SIDE_PX = 480
# Of the picture: the smallest and largest region, how much of the frame one may hold (more is background), how wide it
# must be in units of the shorter side (outlines and halos are not things), and the faintest border, in steps of L.
_SMALLEST_SHARE, _LARGEST_SHARE, _MOST_FRAME, _THINNEST, _FAINTEST = 0.0004, 0.6, 0.5, 0.0075, 0.5
_SAME, _POOL = 0.7, 400
# A thing on an even ground that takes a quarter of the picture is a crowd of things.
_CROWD = 0.25
# Below this height of the tree one would still call two tones the same; a node whose colours are its sibling's is a
# sliver along an edge, or half of a thing.
_SAME_TONE, _SAME_COLORS = 0.05, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What one granularity keeps: smallest area (share of the image), most regions, parts of things."""

    smallest: float
    most: int
    parts: bool = False


# 1 keeps the few big things, 6 also small parts.
_SCALES = {
    1: _Scale(smallest=0.02, most=10),
    2: _Scale(smallest=0.008, most=20),
    3: _Scale(smallest=0.003, most=35),
    4: _Scale(smallest=0.0015, most=60, parts=True),
    5: _Scale(smallest=0.0008, most=90, parts=True),
    6: _Scale(smallest=0.0004, most=130, parts=True),
}


class RegionsSegmenter:
    """Classical regions; deterministic; 0.2-0.4 s per image on one core whatever its size."""

    name = "regions"
    version = "2"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return regions of `image` ((H, W, 3) uint8 RGB), largest first; `granularity` 1 (few, big) to 6, default 3."""
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        if min(size_hw) < 8:
            return Regions.empty(size_hw)
        scale = _SCALES[min(max(request.granularity or 3, 1), 6)]
        work = _working_copy(image)
        lab = cv2.cvtColor(work.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        edges = edge_strength(lab)
        labels = basins(edges)
        found = _find(merge_tree.build(labels, lab, edges), labels, scale)
        if not found:
            return Regions.empty(size_hw)
        scores = np.array([0.2 + 0.8 * score for _, score in found], np.float32)
        regions = Regions.from_masks((labels.shape[0], labels.shape[1]), (mask for mask, _ in found), scores=scores)
        return regions if regions.size_hw == size_hw else regions.scaled(size_hw)


def _working_copy(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy whose longer side is at most 480 px: time is bounded and texture averages out."""
    factor = min(1.0, _WORK_SIDE_PX / max(image.shape[:2]))
    if factor == 1.0:
        return np.ascontiguousarray(image[:, :, :3])
    width, height = (max(8, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    return np.asarray(cv2.resize(image[:, :, :3], (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _find(
    tree: merge_tree.MergeTree, labels: NDArray[np.int32], scale: _Scale
) -> list[tuple[NDArray[np.bool_], float]]:
    """Masks (H, W) bool with their score, largest first: things on the ground if there is one, then ranked nodes."""
    ground = _ground(tree, labels)
    found: list[tuple[NDArray[np.bool_], float]] = []
    if ground is None:
        candidates = _ranked_nodes(tree, labels, scale)
    else:
        found = _things(~ground, scale)
        crowds = [mask for mask, _ in found if scale.parts or mask.sum() > _CROWD * labels.size]
        if not scale.parts:
            found = [item for item in found if item[0].sum() <= _CROWD * labels.size]
        within = np.any(crowds, axis=0) if crowds else np.zeros(labels.shape, np.bool_)
        ranked = _ranked_nodes(tree, labels, scale) if crowds else []
        candidates = [item for item in ranked if (item[0] & within).sum() > 0.8 * item[0].sum()]
    for mask, value in candidates:
        if len(found) < scale.most and (ground is None or not any(_alike(mask, other) for other, _ in found)):
            found.append((mask, value))
    return sorted(found, key=lambda item: -int(item[0].sum()))


def _ground(tree: merge_tree.MergeTree, labels: NDArray[np.int32]) -> NDArray[np.bool_] | None:
    """The one even area behind everything, (H, W) bool: it holds most of the frame and keeps apart for long."""
    frame = 2 * (labels.shape[0] + labels.shape[1]) - 4
    wide = (tree.frame_px > 0.6 * frame) & (tree.area_px > 0.3 * labels.size)
    best: tuple[float, int] | None = None
    for node in np.flatnonzero(wide).tolist():
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
            found.append((mask.astype(np.bool_), 1.0))
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


def _ranked_nodes(
    tree: merge_tree.MergeTree, labels: NDArray[np.int32], scale: _Scale
) -> list[tuple[NDArray[np.bool_], float]]:
    """Masks of the nodes that look most like things, best first, with their score 0-1; none is nearly another.

    A thing stays as it is over a long stretch of the merging, has a strong border, and is rather large than small: the
    product of the three, area to the power of a quarter. Two nodes of a tree are nested or apart, so that their IoU is
    the ratio of their areas.
    """
    share = tree.area_px / labels.size
    parents = np.maximum(tree.parent, 0)
    stretch = np.where(tree.parent >= 0, tree.height[parents] - tree.height, 0)
    score = stretch * tree.border_strength * share**0.25
    frame = 2 * (labels.shape[0] + labels.shape[1])
    thickness = 2 * tree.area_px / np.maximum(tree.border_px + tree.frame_px, 1)
    fits = (
        (share >= _SMALLEST_SHARE)
        & (share <= _LARGEST_SHARE)
        & (tree.frame_px <= _MOST_FRAME * frame)
        & (thickness >= _THINNEST * min(labels.shape))
        & (tree.border_strength >= _FAINTEST)
        & (stretch > 0)
        & (tree.unlike >= _SAME_COLORS)
    )
    order = np.flatnonzero(fits)
    order = order[np.lexsort((order, -score[order]))]
    kept: list[int] = []
    ranks = tree.rank[labels]
    for node in order.tolist():
        if len(kept) == _POOL:
            break
        if not _is_nearly_another(tree, node, kept):
            kept.append(node)
    best = float(score[kept[0]]) if kept else 1.0
    chosen = [node for node in kept if share[node] >= scale.smallest][: scale.most]
    return [((ranks >= tree.first[node]) & (ranks < tree.last[node]), float(score[node]) / best) for node in chosen]


def _is_nearly_another(tree: merge_tree.MergeTree, node: int, kept: list[int]) -> bool:
    """True if a kept node is nested with this one at an IoU of more than 0.7."""
    others = np.array(kept, np.int64)
    nested = (tree.first[others] < tree.last[node]) & (tree.first[node] < tree.last[others])
    small = np.minimum(tree.area_px[others], tree.area_px[node])
    large = np.maximum(tree.area_px[others], tree.area_px[node])
    return bool((nested & (small > _SAME * large)).any())


def _stability(tree: merge_tree.MergeTree, node: int) -> float:
    """How much further the merging had to go to change a node than to form it; 2 is plenty, 6 the cap."""
    parent = int(tree.parent[node])
    return 0.0 if parent < 0 else min(6.0, float(tree.height[parent]) / max(float(tree.height[node]), _SAME_TONE))


def _mask(tree: merge_tree.MergeTree, labels: NDArray[np.int32], node: int) -> NDArray[np.bool_]:
    """Pixels (H, W) bool of a node on the working copy."""
    inside = (tree.rank >= tree.first[node]) & (tree.rank < tree.last[node])
    return np.asarray(inside[labels], np.bool_)
