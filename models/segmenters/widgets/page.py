"""A screenshot at working size with its text lines: what every step of the `gui` segmenter looks at."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box, TextLine
from models.segmenters.widgets.layout import overlap_share

# RapidOCR shrinks anything longer; a 2x capture of a laptop screen still fits.
_WORK_SIDE_PX = 2000
_BULLETS = "•·●○◦▪■"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The working copy and what is already known about it."""

    image: NDArray[np.uint8]  # (H, W, 3)
    edges: NDArray[np.bool_]  # (H, W)
    lines: tuple[TextLine, ...]
    em: float


def working_copy(image: NDArray[np.uint8], device_pixel_ratio: float) -> tuple[NDArray[np.uint8], float]:
    """Return the copy to look at and its scale: CSS pixels if the ratio is known, never over 2000 px a side."""
    scale = min(1.0, _WORK_SIDE_PX / max(image.shape[:2]), 1.0 / max(device_pixel_ratio, 1.0))
    if scale > 0.999:
        return np.ascontiguousarray(image[:, :, :3]), 1.0
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    resized = cv2.resize(image[:, :, :3], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), scale


def is_pictogram(line: TextLine) -> bool:
    """True for the single odd characters the reader makes of icons (a gear becomes one CJK letter)."""
    text = line.text.replace(" ", "")
    if len(text) > 2:
        return False
    return line.score < 0.8 or (len(text) == 1 and not (text.isascii() and text.isalnum()))


def without_bullet(line: TextLine) -> TextLine:
    """Cut a leading bullet or box, which is not part of the name."""
    head, _, rest = line.text.partition(" ")
    odd_letter = len(head) == 1 and not head.isascii() and rest.isascii()
    if rest and line.char_x_px and len(head) == 1 and (head in _BULLETS or odd_letter):
        return line.slice((line.char_x_px[0] + line.char_x_px[1]) / 2, line.bbox_xyxy_px[2] + 1)
    return line


def lines_inside(page: Page, box: Box) -> list[TextLine]:
    """Lines that lie in a box, cut to it where one line runs through several boxes."""
    found = []
    for line in page.lines:
        x0, y0, x1, y1 = line.bbox_xyxy_px
        if not box[1] <= (y0 + y1) / 2 < box[3] or x1 <= box[0] or x0 >= box[2]:
            continue
        share = overlap_share(line.bbox_xyxy_px, box)
        part = line if share > 0.75 else line.slice(box[0], box[2])
        if part.text and (share > 0.75 or line.slice_text(box[0], box[2])):
            found.append(part)
    return found
