"""A tree of merges over the areas of a partition: the most alike neighbours first, until one area is left.

Used by `models.segmenters.regions`. Plain arrays and a heap; it knows nothing of images beyond labels and colours.
"""

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTree:
    """Binary tree over `leaves` areas; node i >= leaves is the union of its two children.

    `height` is the dissimilarity at which a node was formed (0 for leaves), never below that of its children;
    `parent` is -1 for a root.
    """

    leaves: int
    children: NDArray[np.int32]  # (N, 2), -1 for leaves
    parent: NDArray[np.int32]  # (N,)
    height: NDArray[np.float32]  # (N,)
    area_px: NDArray[np.int64]  # (N,)

    def leaves_of(self, node: int) -> list[int]:
        """Return the leaves below a node."""
        found, waiting = [], [node]
        while waiting:
            current = waiting.pop()
            if current < self.leaves:
                found.append(current)
            else:
                waiting.extend(int(child) for child in self.children[current])
        return found


def build(labels: NDArray[np.int32], lab: NDArray[np.float32], small_px: float) -> MergeTree:
    """Merge the areas of `labels` ((H, W), 0..n-1, all present) by the colour of `lab` ((H, W, 3) float32 CIELAB).

    Areas under `small_px` merge more easily, in proportion to the fourth root of their size: specks vanish early
    while a small shape of strong contrast stays.
    """
    count = int(labels.max()) + 1
    flat = labels.ravel()
    area = np.bincount(flat, minlength=count).astype(np.float64)
    sums = np.stack([np.bincount(flat, lab[:, :, c].ravel(), count) for c in range(3)], axis=1)
    total = max(2 * count - 1, 1)
    mean = np.zeros((total, 3))
    mean[:count] = sums / area[:, None]
    sizes = np.zeros(total)
    sizes[:count] = area
    edges: list[dict[int, tuple[float, float]]] = [{} for _ in range(total)]  # neighbour -> (length, summed contrast)
    for one, other, length, contrast in _borders(labels, lab, count):
        edges[one][other] = edges[other][one] = (length, contrast)
    children = np.full((total, 2), -1, np.int32)
    parent = np.full(total, -1, np.int32)
    height = np.zeros(total, np.float32)

    def cost(one: int, other: int) -> float:
        length, contrast = edges[one][other]
        ease = math.pow(min(1.0, float(min(sizes[one], sizes[other])) / small_px), 0.25)
        # The step across the border times the difference of the means: a gradient has no step, a soft shadow no edge.
        return ease * math.sqrt(float(np.linalg.norm(mean[one] - mean[other])) * contrast / length)

    heap = [(cost(one, other), one, other) for one in range(count) for other in edges[one] if one < other]
    heapq.heapify(heap)
    following = count
    while heap:
        price, one, other = heapq.heappop(heap)
        if parent[one] >= 0 or parent[other] >= 0:
            continue
        node, following = following, following + 1
        parent[one] = parent[other] = node
        children[node] = one, other
        height[node] = max(price, height[one], height[other])
        sizes[node] = sizes[one] + sizes[other]
        mean[node] = (mean[one] * sizes[one] + mean[other] * sizes[other]) / sizes[node]
        for part in (one, other):
            for neighbour, (length, contrast) in edges[part].items():
                if parent[neighbour] < 0:
                    seen_length, seen_contrast = edges[node].get(neighbour, (0.0, 0.0))
                    edges[node][neighbour] = edges[neighbour][node] = (seen_length + length, seen_contrast + contrast)
        for neighbour in edges[node]:
            heapq.heappush(heap, (cost(node, neighbour), neighbour, node))
    return MergeTree(
        leaves=count,
        children=children[:following],
        parent=parent[:following],
        height=height[:following],
        area_px=sizes[:following].astype(np.int64),
    )


def _borders(labels: NDArray[np.int32], lab: NDArray[np.float32], count: int) -> list[tuple[int, int, float, float]]:
    """Every pair of touching areas with the length of their border and the colour contrast summed along it."""
    keys, contrasts = [], []
    for first, second, one, other in (
        (labels[:, :-1], labels[:, 1:], lab[:, :-1], lab[:, 1:]),
        (labels[:-1], labels[1:], lab[:-1], lab[1:]),
    ):
        differs = first != second
        low, high = np.minimum(first[differs], second[differs]), np.maximum(first[differs], second[differs])
        keys.append(low.astype(np.int64) * count + high)
        contrasts.append(np.linalg.norm(one[differs] - other[differs], axis=1))
    pairs, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    lengths = np.bincount(inverse, minlength=len(pairs))
    summed = np.bincount(inverse, np.concatenate(contrasts), len(pairs))
    return [
        (int(key // count), int(key % count), float(length), float(contrast))
        for key, length, contrast in zip(pairs, lengths, summed, strict=True)
    ]
