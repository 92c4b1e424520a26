"""The port behind the `gui` segmenter: who tells which parts of a screenshot deserve a mark.

Two finders exist: `widgets.finder` (classical rules, no weights) and `detected.finder` (the trained detector with the
text that belongs to what it found). Whoever adds one passes tests/unit/models/segmenters/test_finders.py. Nothing here
computes.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import PageText
from models.segmenters.widgets.layout import Element


class ElementFinder(Protocol):
    """Finds interface elements. Deterministic: same pixels and same text, same elements."""

    version: str

    def find(self, image: NDArray[np.uint8], text: PageText) -> list[Element]:
        """Return the elements of `image` ((H, W, 3) uint8 RGB, about CSS pixels) in reading order, boxes in its pixels.

        `text` knows the page's lines; a finder reads those that its elements need, because reading costs the most.
        """
        ...
