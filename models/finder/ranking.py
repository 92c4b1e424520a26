"""What a finder says of pictures, and how good a ranking by it is. Values and arithmetic; knows no network, file or catalog."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

Box = tuple[float, float, float, float]
AT: Final = (5, 10, 20)
"""The k of precision at k that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How surely (0-1) a picture is tagged, and the patch that speaks most for it, in the picture's pixels."""

    name: str
    score: float
    bbox_xyxy_px: Box


def highest(found: Iterable[Found], count: int) -> list[Found]:
    """Return the `count` surest, the surest first; ties go by name. Memory does not grow with the corpus."""
    return heapq.nsmallest(count, found, key=lambda one: (-one.score, one.name))


def precisions(ranked: Sequence[str], tagged: frozenset[str], at: Sequence[int] = AT) -> dict[str, float]:
    """Return precision at each k (of `at`, and of as many as are tagged), and the average precision, 0-1, of names in order."""
    hits = np.array([name in tagged for name in ranked])
    running = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    found = {f"precision_at_{k}": float(running[k - 1]) for k in sorted({*at, len(tagged)}) if 0 < k <= len(hits)}
    return found | {"average_precision": float((running * hits).sum() / max(1, len(tagged)))}
