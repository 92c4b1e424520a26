"""Scores pictures by how surely marks are painted on them, and keeps the highest: SoM-LLaVA looked at the first 2,000 by eye.

Called by the commands and the bench; the caller decodes. Knows no file.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.finder.net import HIGHEST, Finder, looked_at
from models.finder.tiles import TILE_PX, cut

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How surely (0-1) a picture is tagged, and the patch that speaks most for it, in the picture's pixels."""

    name: str
    score: float
    bbox_xyxy_px: Box


def scored(finder: Finder, name: str, image: NDArray[np.uint8]) -> Found:
    """Score one picture, (H, W, 3) uint8 RGB."""
    tiles = cut(image)
    best, box = -np.inf, (0.0, 0.0, 0.0, 0.0)
    patch = TILE_PX / finder.grid
    for (left, top), logits in zip(tiles.corners_xy_px, looked_at(finder, tiles.pixels), strict=True):
        score = float(np.sort(logits, axis=None)[-HIGHEST:].mean())
        if score > best:
            best = score
            row, column = (int(value) for value in np.unravel_index(int(logits.argmax()), logits.shape))
            corner = left + column * patch, top + row * patch
            x, y = corner[0] / tiles.scale, corner[1] / tiles.scale
            box = (x, y, x + patch / tiles.scale, y + patch / tiles.scale)
    return Found(name=name, score=float(1 / (1 + np.exp(-best))), bbox_xyxy_px=box)


def highest(found: Iterable[Found], count: int) -> list[Found]:
    """Return the `count` surest, the surest first; ties go by name. Memory does not grow with the corpus."""
    return heapq.nsmallest(count, found, key=lambda one: (-one.score, one.name))


def precisions(ranked: Sequence[Found], tagged: frozenset[str], at: Sequence[int]) -> dict[str, float]:
    """Return precision at each k (of `at`, and of as many as are tagged), and the average precision, 0-1."""
    hits = np.array([one.name in tagged for one in ranked])
    running = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    found = {f"precision_at_{k}": float(running[k - 1]) for k in sorted({*at, len(tagged)}) if 0 < k <= len(hits)}
    return found | {"average_precision": float((running * hits).sum() / max(1, len(tagged)))}


def among(finder: Finder, pictures: Iterable[tuple[str, NDArray[np.uint8]]]) -> Iterator[Found]:
    """Score pictures as they come."""
    for name, image in pictures:
        yield scored(finder, name, image)
