"""A segmenter for tests and dry runs: a fixed grid of boxes, no look at the pixels, no weights."""

import numpy as np
from numpy.typing import NDArray

from models.protocols import SegmentRequest
from models.regions import Regions


class FakeSegmenter:
    """Splits any image into `granularity` rows and columns (3 by default)."""

    name = "fake"
    version = "1"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return the grid cells of `image` ((H, W, 3) uint8), row by row, without text."""
        height, width = image.shape[:2]
        side = max(1, min(request.granularity or 3, height, width))
        xs, ys = np.linspace(0, width, side + 1), np.linspace(0, height, side + 1)
        boxes = [(xs[c], ys[r], xs[c + 1], ys[r + 1]) for r in range(side) for c in range(side)]
        return Regions.from_boxes((height, width), boxes)
