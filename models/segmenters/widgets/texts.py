"""Makes marks of what stands in no control: links, other texts and icons."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.ranking.places import TICK_ROLES
from models.segmenters.ocr import Box, TextLine
from models.segmenters.widgets.colors import area
from models.segmenters.widgets.ink import blank_columns, find_ink_spans, ink_box
from models.segmenters.widgets.layout import Element, overlap_share
from models.segmenters.widgets.page import Page, lines_inside
from models.segmenters.widgets.signs import find_icons, find_sliders, tick_shape

_ARROWS = "▼▾▿⌄˅"


def find_texts(page: Page, controls: list[Element]) -> tuple[list[Element], list[Element]]:
    """Marks for text outside controls, and the texts that get none because they lie inside one."""
    found: list[Element] = []
    captions: list[Element] = []
    ticks = [control for control in controls if control.role in TICK_ROLES]
    for line in page.lines:
        for piece in _outside(line, controls):
            found += _pieces(page, piece)
        if any(overlap_share(line.bbox_xyxy_px, cell.bbox_xyxy_px) > 0.75 for cell in controls if cell.role == "cell"):
            found += [piece for piece in _pieces(page, line) if piece.role == "link"]
        captions += [
            Element(bbox_xyxy_px=piece.bbox_xyxy_px, text=piece.text, role="text", score=0.0)
            for piece in _outside(line, ticks)
            if any(overlap_share(piece.bbox_xyxy_px, control.bbox_xyxy_px) > 0.5 for control in controls)
        ]
    return found, captions


def find_pictograms(page: Page, controls: list[Element]) -> list[Element]:
    """Marks for pictograms that stand in no control."""
    covered = np.zeros(page.edges.shape, np.bool_)
    for line in page.lines:
        x0, y0, x1, y1 = (int(value) for value in line.bbox_xyxy_px)
        if line.char_x_px:  # the reader's box often begins in the middle of the icon before the text
            x0 = max(x0, int(line.char_x_px[0] - 0.5 * line.height_px))
            x1 = min(x1, int(line.char_x_px[-1] + 0.6 * line.height_px))
        covered[y0:y1, x0:x1] = True
    found: list[Element] = []
    for box in sorted(find_icons(page.edges, covered, page.em), key=area, reverse=True):
        if not any(_belongs_to(page, box, control) for control in controls) and not any(
            overlap_share(box, other.bbox_xyxy_px) > 0.5 for other in found
        ):
            small = box[3] - box[1] <= page.em and box[2] - box[0] <= 2.4 * page.em
            shape = tick_shape(page.image, box) if small else None
            found.append(Element(bbox_xyxy_px=box, text="", role=shape or "icon", score=0.8 if shape else 0.6))
    sliders = [
        Element(bbox_xyxy_px=box, text="", role="slider", score=0.8)
        for box in find_sliders(page.edges, covered, page.em)
        if not any(overlap_share(box, control.bbox_xyxy_px) > 0.3 for control in controls)
    ]
    return sliders + [
        icon for icon in found if not any(overlap_share(icon.bbox_xyxy_px, s.bbox_xyxy_px) > 0.5 for s in sliders)
    ]


def _outside(line: TextLine, controls: list[Element]) -> list[TextLine]:
    """The parts of a line that lie in no control: a label and its field often read as one line."""
    if any(overlap_share(line.bbox_xyxy_px, control.bbox_xyxy_px) > 0.75 for control in controls):
        return []
    parts = [line]
    middle = (line.bbox_xyxy_px[1] + line.bbox_xyxy_px[3]) / 2
    for control in controls:
        x0, y0, x1, y1 = control.bbox_xyxy_px
        if not y0 <= middle < y1:
            continue
        cut: list[TextLine] = []
        for part in parts:
            left, _, right, _ = part.bbox_xyxy_px
            if x1 <= left or x0 >= right:
                cut.append(part)
                continue
            cut += [part.slice(left, x0)] if x0 > left else []
            cut += [part.slice(x1, right + 0.01)] if x1 < right else []
        parts = [part for part in cut if part.text]
    return parts


def _pieces(page: Page, line: TextLine) -> list[Element]:
    """Marks of one line: links as spans, the rest as it stands."""
    spans = find_ink_spans(page.image, line)
    found = [
        Element(bbox_xyxy_px=span.bbox_xyxy_px, text=span.text, role="link", score=0.8)
        for span in spans
        if span.underlined or span.whole_line or _links_color(span.color_rgb)
    ]
    if any(span.whole_line for span in spans):
        return found
    for piece in _split_at_gaps(line, blank_columns(page.image, line.bbox_xyxy_px)):
        box = ink_box(page.image, piece.bbox_xyxy_px)
        covered = sum(max(0.0, min(s.bbox_xyxy_px[2], box[2]) - max(s.bbox_xyxy_px[0], box[0])) for s in spans)
        if covered < 0.8 * (box[2] - box[0]):
            role = "heading" if piece.height_px > 1.35 * page.em else "text"
            found.append(Element(bbox_xyxy_px=box, text=piece.text, role=role, score=0.5))
    return found


def _links_color(color: tuple[int, int, int]) -> bool:
    """True for blues and violets; red, pink and green words in a sentence are mostly code or warnings."""
    red, green, blue = color
    return blue > red + 30 and blue >= green


def _split_at_gaps(line: TextLine, blank: NDArray[np.bool_]) -> list[TextLine]:
    """Cut a line after menu arrows and where letters stand far apart: neighbours of a menu bar read as one line."""
    xs = line.char_x_px
    glyphs = [char for char in line.text if not char.isspace()]
    if len(glyphs) != len(xs):
        return [line]
    start, high = int(line.bbox_xyxy_px[0]), line.height_px
    cuts = []
    for (left, right), char in zip(pairwise(xs), glyphs, strict=False):
        between = int(blank[max(int(left) - start, 0) : max(int(right) - start, 0)].sum())
        # A space leaves a third of the letters' height blank; the box is about 1.5 times as high as the letters.
        if between > 0.65 * high or (char in _ARROWS and right - left > 0.5 * high):
            cuts.append((left + right) / 2)
    edges = [line.bbox_xyxy_px[0], *cuts, line.bbox_xyxy_px[2]]
    pieces = [line.slice(left, right + 0.01) for left, right in pairwise(edges)]
    return [replace(piece, text=piece.text.rstrip(_ARROWS + " ") or piece.text) for piece in pieces if piece.text]


def _belongs_to(page: Page, icon: Box, control: Element) -> bool:
    """True if an icon is part of a control; in a title bar one that stands apart from the text is a button of its own."""
    if overlap_share(control.bbox_xyxy_px, icon) > 0.6:
        return True
    if overlap_share(icon, control.bbox_xyxy_px) <= 0.6:
        return False
    height = control.bbox_xyxy_px[3] - control.bbox_xyxy_px[1]
    if control.role == "icon" or height <= 2.9 * page.em or not control.text:
        return True
    lines = lines_inside(page, control.bbox_xyxy_px)
    gaps = [max(icon[0] - line.bbox_xyxy_px[2], line.bbox_xyxy_px[0] - icon[2]) for line in lines]
    return not gaps or min(gaps) < 3 * page.em
