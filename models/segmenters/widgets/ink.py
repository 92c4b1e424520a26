"""Looks at the ink of one text line: its colour and extent, coloured or underlined stretches, blank columns.

Pure OpenCV on crops; it does not decide what becomes a mark.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box, TextLine
from models.segmenters.widgets.colors import close_gaps, median_color, paper_color, runs

# Ink this far from grey is coloured text; anti-aliased black text stays under 30.
_LINK_CHROMA = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class InkSpan:
    """A stretch of a text line whose ink is coloured or underlined."""

    bbox_xyxy_px: Box
    text: str
    color_rgb: tuple[int, int, int]
    underlined: bool
    whole_line: bool


def find_ink_spans(image: NDArray[np.uint8], line: TextLine) -> list[InkSpan]:
    """Return the coloured or underlined stretches of a text line, left to right."""
    x0, y0, x1, y1 = (int(value) for value in line.bbox_xyxy_px)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.shape[0] < 5 or crop.shape[1] < 5:
        return []
    paper = np.asarray(paper_color(crop), np.int16)
    ink = np.abs(crop - paper).max(axis=2)
    if ink.max() < 40:
        return []
    solid = ink > 0.55 * np.percentile(ink[ink > 25], 95)
    chroma = (crop.max(axis=2) - crop.min(axis=2)) - int(paper.max() - paper.min())
    colored = solid & (chroma > _LINK_CHROMA)
    underline, strokes = _underline_columns(solid)
    joined = close_gaps(colored.any(axis=0) | underline, 0.45 * line.height_px)
    if underline.any():
        # Within one link the stroke runs on under the spaces; two links side by side leave bare paper between them.
        letters = solid if not colored.any() else colored
        joined &= close_gaps(letters.any(axis=0) | strokes, 0.125 * line.height_px)
    solid_columns = close_gaps(solid.any(axis=0), 0.45 * line.height_px)
    spans = []
    for left, right in runs(joined):
        own = solid[:, left:right]
        lined = bool(underline[left:right].mean() > 0.7)
        if right - left < 0.6 * line.height_px or (not lined and colored[:, left:right].sum() < 0.5 * own.sum()):
            continue
        rows = np.flatnonzero(own.any(axis=1))
        text = line.slice_text(x0 + left - 1, x0 + right + 1)
        if not text:
            continue
        spans.append(
            InkSpan(
                bbox_xyxy_px=(float(x0 + left), float(y0 + rows[0]), float(x0 + right), float(y0 + rows[-1] + 1)),
                text=text,
                color_rgb=median_color(image[y0:y1, x0 + left : x0 + right][own]),
                underlined=lined,
                whole_line=bool(right - left >= 0.93 * max(int(solid_columns.sum()), 1)),
            )
        )
    return spans


def ink_box(image: NDArray[np.uint8], box: Box) -> Box:
    """Shrink a text box to its ink; the detector pads lines by about 3 pixels."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.size == 0:
        return box
    ink = np.abs(crop - np.asarray(paper_color(crop), np.int16)).max(axis=2)
    if ink.max() < 40:
        return box
    rows, columns = np.nonzero(ink > 0.5 * ink.max())
    return float(x0 + columns.min()), float(y0 + rows.min()), float(x0 + columns.max() + 1), float(y0 + rows.max() + 1)


def blank_columns(image: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
    """Return for each column of a text box whether it holds no ink, (width,) bool."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[y0:y1, x0:x1].astype(np.int16)
    if crop.size == 0:
        return np.zeros(max(x1 - x0, 0), np.bool_)
    ink = np.abs(crop - np.asarray(paper_color(crop), np.int16)).max(axis=2)
    return np.asarray(~(ink > 0.4 * max(int(ink.max()), 1)).any(axis=0), np.bool_)


def ink_color(image: NDArray[np.uint8], box: Box) -> tuple[int, int, int]:
    """Median colour of the pixels of a text box that stand out most from its background."""
    x0, y0, x1, y1 = (int(value) for value in box)
    crop = image[y0:y1, x0:x1]
    if crop.size == 0:
        return 0, 0, 0
    ink = np.abs(crop.astype(np.int16) - np.asarray(paper_color(crop.astype(np.int16)), np.int16)).max(axis=2)
    return median_color(crop[ink >= 0.7 * ink.max()])


def _underline_columns(solid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Columns under which a long horizontal stroke runs, gaps for descenders filled, and those of the stroke alone.

    A border that runs on past the letters does not count.
    """
    height, width = solid.shape
    found, strokes = np.zeros(width, np.bool_), np.zeros(width, np.bool_)
    letters = np.flatnonzero(solid[: round(0.6 * height)].any(axis=0))
    if not len(letters):
        return found, strokes
    for row in solid[height // 2 :]:
        for left, right in runs(close_gaps(row, 0.3 * height)):  # descenders interrupt an underline (skip-ink)
            unbroken = max((end - start for start, end in runs(row[left:right])), default=0)
            beyond = left < letters[0] - 2 or right > letters[-1] + 3
            # Serif feet leave a gap after every letter; an underline runs on for at least three letters.
            if not beyond and unbroken >= 0.8 * height and row[left:right].mean() > 0.7:
                found[left:right] = True
                strokes[left:right] |= row[left:right]
    return found, strokes
