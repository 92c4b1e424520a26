"""The port behind the `gui` segmenter: who tells which parts of a screenshot deserve a mark, and what it tells of each.

`models.segmenters.detected.finder` is the finder of the service; whoever adds another passes
tests/unit/models/segmenters/test_finders.py. Nothing here computes.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box, PageText


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Something that gets a mark; `text` is its name, empty where it has none."""

    bbox_xyxy_px: Box
    text: str
    role: str
    score: float


class ElementFinder(Protocol):
    """Finds interface elements. Deterministic: same pixels and same text, same elements."""

    version: str

    def find(self, image: NDArray[np.uint8], text: PageText) -> list[Element]:
        """Return the elements of `image` ((H, W, 3) uint8 RGB, about CSS pixels) in reading order, boxes in its pixels.

        `text` knows the page's lines; a finder reads those that its elements need, because reading costs the most.
        """
        ...
