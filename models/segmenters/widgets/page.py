"""A screenshot at working size with its text lines: what every step of the `gui` segmenter looks at."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box, TextLine
from models.segmenters.widgets.layout import overlap_share

# Of 40 pages at 1x, a fifth of the letter blobs was at most 7-12 px high; of 16 denser captures, 12-19 px, once below 15.
# The letter's size is set a little low: of the ratios in doubt, 2 is by far the most frequent.
_LETTER_PX, _DENSE_LETTER_PX, _ENOUGH_LETTERS = 8.25, 13.5, 40
_RATIOS = (1.5, 2.0, 3.0)
_MAX_WIDTH_PX = 3840  # bounds memory together with the bands that text and elements are looked for in
# What the reader makes of outlined icons before a text, and how far such a letter's middle is from the next one's, in
# line heights: a word's last letter is 0.7 from the next word's first, an icon 0.9 to 1.2.
_ICON_LETTERS, _ICON_GAP = "0OoQq&8@©®αà□口日回田品器.,:", 0.85
# Signs that buttons bear for a name and that the reader knows: it was sure of "+" in 2 of 2 steppers. Dashes and crosses stay
# pictograms, since it takes rules and ticked boxes for them.
_NAMING_SIGNS = "+"
_BULLETS = "•·●○◦▪■"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The working copy and what is already known about it."""

    image: NDArray[np.uint8]  # (H, W, 3)
    edges: NDArray[np.bool_]  # (H, W)
    lines: tuple[TextLine, ...]
    em: float


def working_copy(image: NDArray[np.uint8], device_pixel_ratio: float) -> tuple[NDArray[np.uint8], float]:
    """Return the copy to look at and its scale: CSS pixels if the ratio is known, else judged by the letters' size."""
    scale = 1.0 / device_pixel_ratio if device_pixel_ratio > 1.0 else _scale_of_letters(image)
    scale = min(scale, _MAX_WIDTH_PX / image.shape[1])
    if scale > 0.999:
        return np.ascontiguousarray(image[:, :, :3]), 1.0
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    resized = cv2.resize(image[:, :, :3], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), scale


def _scale_of_letters(image: NDArray[np.uint8]) -> float:
    """Scale that brings a dense capture of unknown ratio to about 1x; 1.0 where small letters show that it is none."""
    heights = letter_heights(image)
    if len(heights) < _ENOUGH_LETTERS:
        return 1.0
    small = float(np.percentile(heights, 20))
    if small < _DENSE_LETTER_PX:
        return 1.0
    return 1.0 / min(_RATIOS, key=lambda ratio: abs(math.log(small / _LETTER_PX / ratio)))


def letter_heights(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the heights in px of the blobs of sharp contrast in `image` (H, W, 3) that stand in a row like letters."""
    grey = cv2.cvtColor(np.ascontiguousarray(image[:, :, :3]), cv2.COLOR_RGB2GRAY)
    sharp = (cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 60).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(sharp, connectivity=8)
    x, y, w, h = (stats[1:, column] for column in range(4))
    shaped = (h >= 4) & (h <= 64) & (w >= 2) & (w <= 3 * h)
    order = np.lexsort((x[shaped], (y + h)[shaped] // 4))
    left, base, high = (values[shaped][order] for values in (x, y + h, h))
    gap = np.diff(left)
    near = (gap > 0) & (gap < 2.5 * high[1:]) & (np.abs(np.diff(base)) <= 4) if len(left) > 1 else np.zeros(0, np.bool_)
    return np.asarray(high[1:][near], np.int32)


def is_pictogram(line: TextLine) -> bool:
    """True for the single odd characters the reader makes of icons (a gear becomes one CJK letter)."""
    text = line.text.replace(" ", "")
    if len(text) > 2:
        return False
    named = (text.isascii() and text.isalnum()) or text in _NAMING_SIGNS
    return line.score < 0.8 or (len(text) == 1 and not named)


def without_bullet(line: TextLine) -> TextLine:
    """Cut a leading bullet or box, which is not part of the name."""
    head, _, rest = line.text.partition(" ")
    odd_letter = len(head) == 1 and not head.isascii() and rest.isascii()
    if rest and line.char_x_px and len(head) == 1 and (head in _BULLETS or odd_letter):
        return line.slice((line.char_x_px[0] + line.char_x_px[1]) / 2, line.bbox_xyxy_px[2] + 1)
    return line


def without_sign(line: TextLine) -> TextLine:
    """Cut off an icon before the text that was read as round letters: it stands further off than a word would."""
    head, _, rest = line.text.partition(" ")
    drawn = len(head.rstrip(".,:"))
    if not rest or not 0 < drawn <= 3 or set(head) - set(_ICON_LETTERS) or len(line.char_x_px) <= len(head):
        return line
    last, following = line.char_x_px[len(head) - 1], line.char_x_px[len(head)]
    if following - last < _ICON_GAP * line.height_px:
        return line
    return line.slice((last + following) / 2, line.bbox_xyxy_px[2] + 1)


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
