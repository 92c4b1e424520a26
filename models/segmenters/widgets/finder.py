"""Finds elements by classical rules: plates, coloured ink, signs and every line of text. Needs no weights.

Used by `models.segmenters.gui`. It marks prose as well, so it reads the whole page.
"""

import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import PageText
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
from models.segmenters.widgets.page import Page, is_pictogram, without_bullet
from models.segmenters.widgets.plates import edge_mask
from models.segmenters.widgets.texts import find_pictograms, find_texts


class WidgetFinder:
    """Joins what is read with what looks like a control: one mark per control, few for prose. Roles are guesses."""

    version = "widgets-1"

    def find(self, image: NDArray[np.uint8], text: PageText) -> list[Element]:
        """See `models.segmenters.finders.ElementFinder`."""
        lines = [line for line in map(without_bullet, text.read_all()) if not is_pictogram(line)]
        em = float(np.median([line.height_px for line in lines])) if lines else 18.0
        page = Page(image=image, edges=edge_mask(image), lines=tuple(lines), em=em)
        controls = name_cells(join_icon_parts(find_controls(page)))
        controls += ticks_in_lines(page, controls)
        texts, captions = find_texts(page, controls)
        controls = without_linked_cells(controls, texts)
        signs = [one for one in controls if one.role == "icon"] + find_pictograms(page, controls)
        controls = [one for one in controls if one.role != "icon"]
        controls, texts, signs = join_icons(controls, texts, signs, em)
        elements = attach_labels([*controls, *signs, *join_paragraphs(texts, controls, em)], captions, em)
        return reading_order(elements, em)
