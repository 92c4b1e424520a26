"""The `gui` segmenter: a screenshot becomes marks for controls, links, icons and texts, each with text and role.

Named by `models.registry`. It joins what `ocr` reads with what `widgets` sees and decides what deserves a mark: one per
control, few for prose. Roles are guesses from looks. It knows nothing about what a query will ask for.
"""

import numpy as np
from numpy.typing import NDArray

from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters.ocr import RapidOcrReader, TextReader
from models.segmenters.widgets.controls import find_controls, ticks_in_lines
from models.segmenters.widgets.layout import (
    Element,
    attach_labels,
    join_icon_parts,
    join_icons,
    join_paragraphs,
    name_cells,
    reading_order,
    without_linked_cells,
)
from models.segmenters.widgets.page import Page, is_pictogram, without_bullet, working_copy
from models.segmenters.widgets.plates import edge_mask
from models.segmenters.widgets.texts import find_pictograms, find_texts


class GuiSegmenter:
    """Marks a screenshot from its pixels alone; deterministic for one reader version."""

    name = "gui"

    def __init__(self, reader: TextReader | None = None) -> None:
        """Use `reader` for text, RapidOCR by default; nothing is loaded before the first image."""
        self._reader = reader or RapidOcrReader()
        self.version = f"1+{self._reader.version}"

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return regions of `image` ((H, W, 3) uint8 RGB) in reading order, boxes in its own pixels."""
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        if min(size_hw) < 8:
            return Regions.empty(size_hw)
        work, scale = working_copy(image, request.device_pixel_ratio)
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

    def _elements(self, work: NDArray[np.uint8]) -> list[Element]:
        lines = [line for line in map(without_bullet, self._reader.read(work)) if not is_pictogram(line)]
        em = float(np.median([line.height_px for line in lines])) if lines else 18.0
        page = Page(image=work, edges=edge_mask(work), lines=tuple(lines), em=em)
        controls = name_cells(join_icon_parts(find_controls(page)))
        controls += ticks_in_lines(page, controls)
        texts, captions = find_texts(page, controls)
        controls = without_linked_cells(controls, texts)
        signs = [one for one in controls if one.role == "icon"] + find_pictograms(page, controls)
        controls = [one for one in controls if one.role != "icon"]
        controls, texts, signs = join_icons(controls, texts, signs, em)
        elements = attach_labels([*controls, *signs, *join_paragraphs(texts, controls, em)], captions, em)
        return reading_order(elements, em)
