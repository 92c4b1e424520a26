"""The `gui` segmenter: a screenshot becomes marks for what can be used on it, each with text and role.

Named by `models.registry`. It brings the picture to about CSS size, lets `ocr` find the text lines and an element finder
decide what deserves a mark. Tags that the page painted itself are filled in first: they are nobody's text. It knows nothing about what a query will ask for.
"""

import numpy as np
from numpy.typing import NDArray

from models.marks.lookalikes import without_lookalikes
from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters.detected.finder import DetectorFinder
from models.segmenters.finders import Element, ElementFinder
from models.segmenters.ocr import Box, OcrReader, PageText, TextReader
from models.segmenters.ocr.memory import Memory, pixel_key
from models.segmenters.screen_scale import working_copy

# A few hundred elements each; another style or another question asks for the same screen again.
_KEPT_SCREENS = 16


class GuiSegmenter:
    """Marks a screenshot from its pixels alone; deterministic for one reader and one finder version."""

    name = "gui"

    def __init__(self, reader: TextReader | None = None, finder: ElementFinder | None = None) -> None:
        """Use `reader` for text and `finder` for elements, the service's own by default; nothing is loaded yet."""
        self._reader = reader or OcrReader()
        self._finder = finder or DetectorFinder()
        self._screens: Memory[tuple[Element, ...]] = Memory(_KEPT_SCREENS)
        self.version = f"4+{self._finder.version}+{self._reader.version}"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return regions of `image` ((H, W, 3) uint8 RGB) in reading order, boxes in its own pixels."""
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        if min(size_hw) < 8:
            return Regions.empty(size_hw)
        work, scale = working_copy(without_lookalikes(image), request.device_pixel_ratio)
        elements = self._elements(work)
        if not elements:
            return Regions.empty(size_hw)
        limits = np.array([size_hw[1], size_hw[0]] * 2, np.float32)
        boxes = np.array([element.bbox_xyxy_px for element in elements], np.float32) / np.float32(scale)
        return Regions.from_boxes(
            size_hw,
            np.clip(boxes, 0, limits),
            scores=np.array([element.score for element in elements], np.float32),
            texts=tuple(element.text or None for element in elements),
            roles=tuple(element.role for element in elements),
        )

    def read_lines(self, image: NDArray[np.uint8], device_pixel_ratio: float = 1.0) -> list[tuple[str, Box]]:
        """Return every line of text on `image` with its box in its pixels; what was read for the marks is remembered."""
        work, scale = working_copy(without_lookalikes(image), device_pixel_ratio)
        found = []
        for line in PageText(self._reader, work).read_all():
            x0, y0, x1, y1 = line.bbox_xyxy_px
            found.append((line.text, (x0 / scale, y0 / scale, x1 / scale, y1 / scale)))
        return found

    def _elements(self, work: NDArray[np.uint8]) -> tuple[Element, ...]:
        """Elements of a picture at CSS size; the screens seen last are remembered as they were found."""
        key = pixel_key(work)
        known = self._screens.get(key)
        if known is None:
            known = tuple(self._finder.find(work, PageText(self._reader, work)))
            self._screens.put(key, known)
        return known
