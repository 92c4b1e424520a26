"""The `gui` segmenter: a screenshot becomes marks for controls, links, icons and texts, each with text and role.

Named by `models.registry`. It joins what `ocr` reads with what `widgets` sees and decides what deserves a mark: one per
control, few for prose. Roles are guesses from looks. It knows nothing about what a query will ask for.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from models.protocols import SegmentRequest
from models.ranking.places import TICK_ROLES
from models.regions import Regions
from models.segmenters import widgets
from models.segmenters.layout import (
    Element,
    attach_labels,
    join_icon_parts,
    join_icons,
    join_paragraphs,
    name_cells,
    overlap_share,
    reading_order,
)
from models.segmenters.ocr import Box, RapidOcrReader, TextLine, TextReader

# RapidOCR shrinks anything longer; a 2x capture of a laptop screen still fits.
_WORK_SIDE_PX = 2000
_SYMBOLS = "口□☐☑日田ロ0Oo•·●○◦▪■*-–"
_ARROWS = "▼▾▿⌄˅"
_BULLETS = "•·●○◦▪■"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """The working copy and what is already known about it."""

    image: NDArray[np.uint8]  # (H, W, 3)
    edges: NDArray[np.bool_]  # (H, W)
    lines: tuple[TextLine, ...]
    em: float


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
        work, scale = _working_copy(image, request.device_pixel_ratio)
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
        lines = [line for line in map(_without_bullet, self._reader.read(work)) if not _is_pictogram(line)]
        em = float(np.median([line.height_px for line in lines])) if lines else 18.0
        page = _Page(image=work, edges=widgets.edge_mask(work), lines=tuple(lines), em=em)
        controls = name_cells(join_icon_parts(_controls(page)))
        controls += _ticks_in_lines(page, controls)
        texts, captions = _texts(page, controls)
        linked = [text.bbox_xyxy_px for text in texts if text.role == "link"]
        controls = [
            c for c in controls if c.role != "cell" or not any(overlap_share(b, c.bbox_xyxy_px) > 0.9 for b in linked)
        ]
        icons = _icons(page, controls)
        dots = [one for one in controls if one.role == "icon"]
        controls = [one for one in controls if one.role != "icon"]
        controls, texts, icons = join_icons(controls, texts, [*dots, *icons], em)
        elements = attach_labels([*controls, *icons, *join_paragraphs(texts, controls, em)], captions, em)
        return reading_order(elements, em)


def _working_copy(image: NDArray[np.uint8], device_pixel_ratio: float) -> tuple[NDArray[np.uint8], float]:
    """Return the copy to look at and its scale: CSS pixels if the ratio is known, never over 2000 px a side."""
    scale = min(1.0, _WORK_SIDE_PX / max(image.shape[:2]), 1.0 / max(device_pixel_ratio, 1.0))
    if scale > 0.999:
        return np.ascontiguousarray(image[:, :, :3]), 1.0
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    resized = cv2.resize(image[:, :, :3], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), scale


def _is_pictogram(line: TextLine) -> bool:
    """True for the single odd characters the reader makes of icons (a gear becomes one CJK letter)."""
    text = line.text.replace(" ", "")
    if len(text) > 2:
        return False
    return line.score < 0.8 or (len(text) == 1 and not (text.isascii() and text.isalnum()))


def _without_bullet(line: TextLine) -> TextLine:
    """Cut a leading bullet or box, which is not part of the name."""
    head, _, rest = line.text.partition(" ")
    odd_letter = len(head) == 1 and not head.isascii() and rest.isascii()
    if rest and line.char_x_px and len(head) == 1 and (head in _BULLETS or odd_letter):
        return line.slice((line.char_x_px[0] + line.char_x_px[1]) / 2, line.bbox_xyxy_px[2] + 1)
    return line


def _controls(page: _Page) -> list[Element]:
    """Plates that look like one control; panels, table frames and letters' insides are left out."""
    plates = [plate for plate in widgets.find_plates(page.image, page.edges, page.em) if _plausible(page, plate)]
    plates.sort(key=lambda plate: -_area(plate.bbox_xyxy_px))
    kept: list[tuple[widgets.Plate, Element]] = []
    for plate in plates:
        element = _as_control(page, plate)
        if element is None:
            continue
        twin = next((i for i, (_, other) in enumerate(kept) if _is_inner_side(element, other)), None)
        if twin is None:
            kept.append((plate, element))
        elif kept[twin][0].fill < 0.5:
            # The outer plate is only the border, two pixels or more wide; what it encloses tells the role.
            frame = kept[twin][0]
            whole = replace(plate, bbox_xyxy_px=frame.bbox_xyxy_px, outlined=True, line_rgb=frame.color_rgb)
            kept[twin] = (whole, _as_control(page, whole) or kept[twin][1])
    found = [element for _, element in kept]
    pictures = [element for element in found if _is_picture(page, element, found)]
    found = [one for one in found if not any(overlap_share(one.bbox_xyxy_px, p.bbox_xyxy_px) > 0.85 for p in pictures)]
    found = [element for element in found if not _is_panel(page, element, found)]
    return found + [replace(picture, role="image") for picture in pictures]


def _is_inner_side(element: Element, other: Element) -> bool:
    """True if an element is the inside of the other's border and not a thing in it."""
    inside = overlap_share(element.bbox_xyxy_px, other.bbox_xyxy_px) > 0.85
    return inside and _area(element.bbox_xyxy_px) > 0.55 * _area(other.bbox_xyxy_px)


def _plausible(page: _Page, plate: widgets.Plate) -> bool:
    """Sort out plates by size, by the image's frame and by the letters they may be a part of."""
    x0, y0, x1, y1 = plate.bbox_xyxy_px
    width, height, em = x1 - x0, y1 - y0, page.em
    squarish = 0.8 <= width / height <= 1.25
    if not squarish and min(width, height) < (0.5 if plate.shape == "pill" else 0.7) * em:
        return False
    cut = x0 <= 0 or y0 <= 0 or x1 >= page.image.shape[1] or y1 >= page.image.shape[0]
    clear = _contrast(plate) >= 24 or (plate.outlined and widgets.color_distance(plate.line_rgb, plate.color_rgb) >= 60)
    if cut and not clear:
        return False
    if width > 0.97 * page.image.shape[1]:
        return False
    if max(width, height) < 1.3 * em:
        for line in page.lines:
            # A plate about as high as the line is the ground of a badge, not the inside of a letter.
            if overlap_share(plate.bbox_xyxy_px, line.bbox_xyxy_px) > 0.5 and height < 0.72 * line.height_px:
                return squarish and _is_no_letter(page, plate, line)
    return True


def _is_no_letter(page: _Page, plate: widgets.Plate, line: TextLine) -> bool:
    """True if a small plate within a line's box is a checkbox or radio button and not the inside of a letter."""
    x0, _, x1, _ = plate.bbox_xyxy_px
    ink = widgets.ink_color(page.image, line.bbox_xyxy_px)
    if not plate.outlined and min(_contrast(plate), widgets.color_distance(plate.color_rgb, ink)) < 60:
        return False  # the inside of a letter has the paper's colour, its strokes have the ink's
    inside = [x for x in line.char_x_px if x0 - 1 <= x <= x1 + 1]
    text = line.slice_text(x0 - 1, x1 + 1)
    if not inside:
        return True
    if len(inside) > 1 or text not in _SYMBOLS:
        return False
    # Read as a letter O, it is a radio button only if its line has another colour than the text.
    return text not in "0Oo" or widgets.color_distance(plate.line_rgb, ink) > 40


def _as_control(page: _Page, plate: widgets.Plate) -> Element | None:
    """Give a plate its text and role; None if it holds too much to be one control."""
    x0, y0, x1, y1 = plate.bbox_xyxy_px
    width, height, em = x1 - x0, y1 - y0, page.em
    lines = _lines_inside(page, plate.bbox_xyxy_px)
    text = " ".join(line.text for line in lines)
    if max(width, height) < 1.3 * em and text in _SYMBOLS:
        lines, text = [], ""  # the reader takes a tick box for a letter
    if height > 4.2 * em:
        return _big_field(page, plate, lines)
    if len(lines) > 3 or len(text) > 90 or _is_row_of_texts(lines, em):
        return None
    role = _role(plate, lines, width, height, em)
    if role == "textbox" and _ends_in_arrow(page, plate, lines):
        role = "combobox"
    return Element(bbox_xyxy_px=plate.bbox_xyxy_px, text=text, role=role, score=0.9)


def _big_field(page: _Page, plate: widgets.Plate, lines: list[TextLine]) -> Element | None:
    """A tall outlined area is a text area if it is empty or, with a strong line round it, holds lines from its left edge."""
    if not plate.outlined or plate.bbox_xyxy_px[3] - plate.bbox_xyxy_px[1] > 0.6 * page.image.shape[0]:
        return None
    left = plate.bbox_xyxy_px[0]
    if not lines and plate.fill > 0.96:
        return Element(bbox_xyxy_px=plate.bbox_xyxy_px, text="", role="textbox", score=0.7)
    strong = widgets.color_distance(plate.line_rgb, plate.color_rgb) >= 60
    if strong and lines and all(line.bbox_xyxy_px[0] - left < 1.2 * page.em for line in lines):
        text = " ".join(line.text for line in lines)[:80]
        return Element(bbox_xyxy_px=plate.bbox_xyxy_px, text=text, role="textbox", score=0.6)
    return None


def _role(plate: widgets.Plate, lines: list[TextLine], width: float, height: float, em: float) -> str:
    """Guess what a control is from its shape, its fill and where its text stands."""
    return _role_of_filled(plate, lines, height, em) if lines else _role_of_empty(plate, width, height, em)


def _role_of_empty(plate: widgets.Plate, width: float, height: float, em: float) -> str:
    """A plate without text: a tick box, a dot of a legend, a field to fill in, or a button with a pictogram."""
    small = max(width, height) <= 1.6 * em and 0.75 <= width / height <= 1.33
    # An empty tick box is as pale as its ground; a full one in a strong colour is a bullet or a swatch.
    vivid = min(_contrast(plate), 255 - min(plate.color_rgb)) > 60
    if small and plate.fill > 0.95 and vivid:
        return "icon"
    if small and plate.fill > 0.6 and (plate.outlined or _contrast(plate) > 40):
        return "radio" if plate.shape == "disc" else "checkbox"
    if plate.shape == "pill" and height <= 1.3 * em and width <= 2.6 * height:
        return "switch"
    if width >= 2.2 * height and plate.fill > 0.85 and (plate.outlined or min(plate.color_rgb) > 225):
        return "textbox"
    return "button"


def _role_of_filled(plate: widgets.Plate, lines: list[TextLine], height: float, em: float) -> str:
    """A plate with text: a field if it is pale and its text stands at the left, else a button."""
    x0, _, x1, _ = plate.bbox_xyxy_px
    text_left = min(line.bbox_xyxy_px[0] for line in lines)
    text_right = max(line.bbox_xyxy_px[2] for line in lines)
    # Buttons keep their text off the edge, and browsers' own buttons are grey.
    no_padding = text_left - x0 < 0.4 * em and plate.outlined and min(plate.color_rgb) > 245
    left_aligned = text_left - x0 < 1.3 * em and (x1 - text_right) > 2.5 * (text_left - x0) + em
    # A dark theme's field is no paler than its page, but a line runs round it and it has the page's tone.
    like_paper = min(plate.color_rgb) > 225 or (plate.outlined and _contrast(plate) <= 40)
    if not like_paper or len(lines) > 1 or not (left_aligned or no_padding):
        return "button"
    if height > 2.9 * em:
        return "heading"  # the title bar of a card
    return "textbox"


def _ends_in_arrow(page: _Page, plate: widgets.Plate, lines: list[TextLine]) -> bool:
    """True if a small sign wider than high, like an arrow down, stands at the right end of a field."""
    x0, y0, x1, y1 = (int(value) for value in plate.bbox_xyxy_px)
    left = max([x1 - round(1.7 * page.em), x0 + 3, *(int(line.bbox_xyxy_px[2]) for line in lines)])
    sign = page.edges[y0 + 4 : y1 - 3, left : x1 - 3]
    if sign.size == 0 or not sign.any():
        return False
    rows, columns = np.flatnonzero(sign.any(axis=1)), np.flatnonzero(sign.any(axis=0))
    high, wide = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    return bool(columns[0] > 0 and 3 <= high <= 0.7 * page.em and 1.15 * high <= wide <= 3 * high)


def _is_picture(page: _Page, element: Element, controls: list[Element]) -> bool:
    """True for a squarish plate of a few em without text that holds plates: a pictogram, not a group of controls."""
    x0, y0, x1, y1 = element.bbox_xyxy_px
    width, height = x1 - x0, y1 - y0
    if element.text or not (1.6 * page.em <= height <= 6 * page.em and 0.5 * height <= width <= 2 * height):
        return False
    return any(
        other is not element and overlap_share(other.bbox_xyxy_px, element.bbox_xyxy_px) > 0.85 for other in controls
    )


def _is_panel(page: _Page, element: Element, all_controls: list[Element]) -> bool:
    """True for a plate that only groups others: a toolbar, a card, a menu."""
    inner = [
        other
        for other in all_controls
        if other is not element and overlap_share(other.bbox_xyxy_px, element.bbox_xyxy_px) > 0.85
    ]
    if len(inner) >= 2:
        return not (element.text and all(_area(other.bbox_xyxy_px) < 4 * page.em**2 for other in inner[:3]))
    # A pale wide strip with one short text at its left end is a card's title bar, unless a line runs round it.
    x0, y0, x1, y1 = element.bbox_xyxy_px
    return bool(inner) and (x1 - x0) * (y1 - y0) > 6 * _area(inner[0].bbox_xyxy_px) and not element.text


def _is_row_of_texts(lines: list[TextLine], em: float) -> bool:
    """True if two texts stand side by side with a wide gap: a bar of items, not one caption."""
    ordered = sorted(lines, key=lambda line: line.bbox_xyxy_px[0])
    return any(
        right.bbox_xyxy_px[0] - left.bbox_xyxy_px[2] > 1.5 * em
        and abs(right.bbox_xyxy_px[1] - left.bbox_xyxy_px[1]) < 0.5 * em
        for left, right in pairwise(ordered)
    )


def _ticks_in_lines(page: _Page, controls: list[Element]) -> list[Element]:
    """Tick boxes and radio buttons that no plate showed, because a mark fills them."""
    return [
        Element(bbox_xyxy_px=box, text="", role=role, score=0.8)
        for line in page.lines
        for box, role in widgets.find_ticks(page.image, line)
        if not any(
            overlap_share(box, c.bbox_xyxy_px) > 0.5 and _area(c.bbox_xyxy_px) < 4 * _area(box) for c in controls
        )
    ]


def _texts(page: _Page, controls: list[Element]) -> tuple[list[Element], list[Element]]:
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


def _pieces(page: _Page, line: TextLine) -> list[Element]:
    """Marks of one line: links as spans, the rest as it stands."""
    spans = widgets.find_ink_spans(page.image, line)
    found = [
        Element(bbox_xyxy_px=span.bbox_xyxy_px, text=span.text, role="link", score=0.8)
        for span in spans
        if span.underlined or span.whole_line or _links_color(span.color_rgb)
    ]
    if any(span.whole_line for span in spans):
        return found
    for piece in _split_at_gaps(line, widgets.blank_columns(page.image, line.bbox_xyxy_px)):
        box = widgets.ink_box(page.image, piece.bbox_xyxy_px)
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


def _icons(page: _Page, controls: list[Element]) -> list[Element]:
    """Marks for pictograms that stand in no control."""
    covered = np.zeros(page.edges.shape, np.bool_)
    for line in page.lines:
        x0, y0, x1, y1 = (int(value) for value in line.bbox_xyxy_px)
        if line.char_x_px:  # the reader's box often begins in the middle of the icon before the text
            x0 = max(x0, int(line.char_x_px[0] - 0.5 * line.height_px))
            x1 = min(x1, int(line.char_x_px[-1] + 0.6 * line.height_px))
        covered[y0:y1, x0:x1] = True
    found: list[Element] = []
    for box in sorted(widgets.find_icons(page.edges, covered, page.em), key=_area, reverse=True):
        if not any(_belongs_to(page, box, control) for control in controls) and not any(
            overlap_share(box, other.bbox_xyxy_px) > 0.5 for other in found
        ):
            small = box[3] - box[1] <= page.em and box[2] - box[0] <= 2.4 * page.em
            shape = widgets.tick_shape(page.image, box) if small else None
            found.append(Element(bbox_xyxy_px=box, text="", role=shape or "icon", score=0.8 if shape else 0.6))
    sliders = [
        Element(bbox_xyxy_px=box, text="", role="slider", score=0.8)
        for box in widgets.find_sliders(page.edges, covered, page.em)
        if not any(overlap_share(box, control.bbox_xyxy_px) > 0.3 for control in controls)
    ]
    return sliders + [
        icon for icon in found if not any(overlap_share(icon.bbox_xyxy_px, s.bbox_xyxy_px) > 0.5 for s in sliders)
    ]


def _belongs_to(page: _Page, icon: Box, control: Element) -> bool:
    """True if an icon is part of a control; in a title bar one that stands apart from the text is a button of its own."""
    if overlap_share(control.bbox_xyxy_px, icon) > 0.6:
        return True
    if overlap_share(icon, control.bbox_xyxy_px) <= 0.6:
        return False
    height = control.bbox_xyxy_px[3] - control.bbox_xyxy_px[1]
    if control.role == "icon" or height <= 2.9 * page.em or not control.text:
        return True
    lines = _lines_inside(page, control.bbox_xyxy_px)
    gaps = [max(icon[0] - line.bbox_xyxy_px[2], line.bbox_xyxy_px[0] - icon[2]) for line in lines]
    return not gaps or min(gaps) < 3 * page.em


def _lines_inside(page: _Page, box: Box) -> list[TextLine]:
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


def _contrast(plate: widgets.Plate) -> int:
    """Largest channel difference between a plate and what lies round it."""
    return max(abs(a - b) for a, b in zip(plate.color_rgb, plate.around_rgb, strict=True))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
