"""Decides which plates are controls, with role and text, and which only group other things.

Roles are guesses from shape, fill and where the text stands.
"""

from dataclasses import replace
from itertools import pairwise

from models.segmenters.ocr import TextLine
from models.segmenters.widgets.colors import area, color_distance
from models.segmenters.widgets.ink import find_ink_spans, ink_color
from models.segmenters.widgets.layout import Element, overlap_share
from models.segmenters.widgets.page import Page, lines_inside
from models.segmenters.widgets.plates import Plate, contrast, find_plates
from models.segmenters.widgets.signs import ends_in_arrow, find_ticks

# What the reader makes of tick boxes and radio buttons.
_SYMBOLS = "口□☐☑日田ロ0Oo•·●○◦▪■*-–"


def find_controls(page: Page) -> list[Element]:
    """Plates that look like one control; panels, table frames and letters' insides are left out."""
    plates = [plate for plate in find_plates(page.image, page.edges, page.em) if _plausible(page, plate)]
    plates.sort(key=lambda plate: -area(plate.bbox_xyxy_px))
    kept: list[tuple[Plate, Element]] = []
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


def ticks_in_lines(page: Page, controls: list[Element]) -> list[Element]:
    """Tick boxes and radio buttons that no plate showed, because a mark fills them."""
    return [
        Element(bbox_xyxy_px=box, text="", role=role, score=0.8)
        for line in page.lines
        for box, role in find_ticks(page.image, line)
        if not any(overlap_share(box, c.bbox_xyxy_px) > 0.5 and area(c.bbox_xyxy_px) < 4 * area(box) for c in controls)
    ]


def _is_inner_side(element: Element, other: Element) -> bool:
    """True if an element is the inside of the other's border and not a thing in it."""
    inside = overlap_share(element.bbox_xyxy_px, other.bbox_xyxy_px) > 0.85
    return inside and area(element.bbox_xyxy_px) > 0.55 * area(other.bbox_xyxy_px)


def _plausible(page: Page, plate: Plate) -> bool:
    """Sort out plates by size, by the image's frame and by the letters they may be a part of."""
    x0, y0, x1, y1 = plate.bbox_xyxy_px
    width, height, em = x1 - x0, y1 - y0, page.em
    squarish = 0.8 <= width / height <= 1.25
    if not squarish and min(width, height) < (0.5 if plate.shape == "pill" else 0.7) * em:
        return False
    cut = x0 <= 0 or y0 <= 0 or x1 >= page.image.shape[1] or y1 >= page.image.shape[0]
    clear = contrast(plate) >= 24 or (plate.outlined and color_distance(plate.line_rgb, plate.color_rgb) >= 60)
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


def _is_no_letter(page: Page, plate: Plate, line: TextLine) -> bool:
    """True if a small plate within a line's box is a checkbox or radio button and not the inside of a letter."""
    x0, _, x1, _ = plate.bbox_xyxy_px
    ink = ink_color(page.image, line.bbox_xyxy_px)
    if not plate.outlined and min(contrast(plate), color_distance(plate.color_rgb, ink)) < 60:
        return False  # the inside of a letter has the paper's colour, its strokes have the ink's
    inside = [x for x in line.char_x_px if x0 - 1 <= x <= x1 + 1]
    text = line.slice_text(x0 - 1, x1 + 1)
    if not inside:
        return True
    if len(inside) > 1 or text not in _SYMBOLS:
        return False
    # Read as a letter O, it is a radio button only if neither its line nor its body has the text's colour (a bold
    # heading's o is a plate of ink).
    return text not in "0Oo" or min(color_distance(c, ink) for c in (plate.line_rgb, plate.color_rgb)) > 40


def _as_control(page: Page, plate: Plate) -> Element | None:
    """Give a plate its text and role; None if it holds too much to be one control."""
    x0, y0, x1, y1 = plate.bbox_xyxy_px
    width, height, em = x1 - x0, y1 - y0, page.em
    lines = lines_inside(page, plate.bbox_xyxy_px)
    text = " ".join(line.text for line in lines)
    if max(width, height) < 1.3 * em and text in _SYMBOLS:
        lines, text = [], ""  # the reader takes a tick box for a letter
    if height > 4.2 * em:
        return _big_field(page, plate, lines)
    if len(lines) > 3 or len(text) > 90 or _is_row_of_texts(lines, em):
        return None
    if width > 6 * em and any(not span.whole_line for line in lines for span in find_ink_spans(page.image, line)):
        return None  # a bar with links in its text, like a path of breadcrumbs
    role = _role(plate, lines, width, height, em)
    text_right = max((line.bbox_xyxy_px[2] for line in lines), default=None)
    if role == "textbox" and ends_in_arrow(page.edges, plate.bbox_xyxy_px, em, text_right):
        role = "combobox"
    return Element(bbox_xyxy_px=plate.bbox_xyxy_px, text=text, role=role, score=0.9)


def _big_field(page: Page, plate: Plate, lines: list[TextLine]) -> Element | None:
    """A tall outlined area is a text area if it is empty or, with a strong line round it, holds lines from its left edge."""
    if not plate.outlined or plate.bbox_xyxy_px[3] - plate.bbox_xyxy_px[1] > 0.6 * page.image.shape[0]:
        return None
    left = plate.bbox_xyxy_px[0]
    if not lines and plate.fill > 0.96:
        return Element(bbox_xyxy_px=plate.bbox_xyxy_px, text="", role="textbox", score=0.7)
    strong = color_distance(plate.line_rgb, plate.color_rgb) >= 60
    if strong and lines and all(line.bbox_xyxy_px[0] - left < 1.2 * page.em for line in lines):
        text = " ".join(line.text for line in lines)[:80]
        return Element(bbox_xyxy_px=plate.bbox_xyxy_px, text=text, role="textbox", score=0.6)
    return None


def _role(plate: Plate, lines: list[TextLine], width: float, height: float, em: float) -> str:
    """Guess what a control is from its shape, its fill and where its text stands."""
    return _role_of_filled(plate, lines, height, em) if lines else _role_of_empty(plate, width, height, em)


def _role_of_empty(plate: Plate, width: float, height: float, em: float) -> str:
    """A plate without text: a tick box, a dot of a legend, a field to fill in, or a button with a pictogram."""
    small = max(width, height) <= 1.6 * em and 0.75 <= width / height <= 1.33
    # An empty tick box is as pale as its ground; a full one in a strong colour is a bullet or a swatch.
    vivid = min(contrast(plate), 255 - min(plate.color_rgb)) > 60
    if small and plate.fill > 0.95 and vivid:
        return "icon"
    if small and plate.fill > 0.6 and (plate.outlined or contrast(plate) > 40):
        return "radio" if plate.shape == "disc" else "checkbox"
    if plate.shape == "pill" and height <= 1.3 * em and width <= 2.6 * height:
        return "switch"
    if width >= 2.2 * height and plate.fill > 0.85 and (plate.outlined or min(plate.color_rgb) > 225):
        return "textbox"
    return "button"


def _role_of_filled(plate: Plate, lines: list[TextLine], height: float, em: float) -> str:
    """A plate with text: a field if it is pale and its text stands at the left, else a button."""
    x0, _, x1, _ = plate.bbox_xyxy_px
    text_left = min(line.bbox_xyxy_px[0] for line in lines)
    text_right = max(line.bbox_xyxy_px[2] for line in lines)
    # Buttons keep their text off the edge, and browsers' own buttons are grey.
    no_padding = text_left - x0 < 0.4 * em and plate.outlined and min(plate.color_rgb) > 245
    left_aligned = text_left - x0 < 1.3 * em and (x1 - text_right) > 2.5 * (text_left - x0) + em
    # A dark theme's field is no paler than its page, but a line runs round it and it has the page's tone.
    like_paper = min(plate.color_rgb) > 225 or (plate.outlined and contrast(plate) <= 40)
    if not like_paper or len(lines) > 1 or not (left_aligned or no_padding):
        return "button"
    if height > 2.9 * em:
        return "heading"  # the title bar of a card
    return "textbox"


def _is_picture(page: Page, element: Element, controls: list[Element]) -> bool:
    """True for a squarish plate of a few em without text that holds plates: a pictogram, not a group of controls."""
    x0, y0, x1, y1 = element.bbox_xyxy_px
    width, height = x1 - x0, y1 - y0
    if element.text or not (1.6 * page.em <= height <= 6 * page.em and 0.5 * height <= width <= 2 * height):
        return False
    return any(
        other is not element and overlap_share(other.bbox_xyxy_px, element.bbox_xyxy_px) > 0.85 for other in controls
    )


def _is_panel(page: Page, element: Element, all_controls: list[Element]) -> bool:
    """True for a plate that only groups others: a toolbar, a card, a menu."""
    inner = [
        other
        for other in all_controls
        if other is not element and overlap_share(other.bbox_xyxy_px, element.bbox_xyxy_px) > 0.85
    ]
    if len(inner) >= 2:
        return not (element.text and all(area(other.bbox_xyxy_px) < 4 * page.em**2 for other in inner[:3]))
    # A pale wide strip with one short text at its left end is a card's title bar, unless a line runs round it.
    x0, y0, x1, y1 = element.bbox_xyxy_px
    return bool(inner) and (x1 - x0) * (y1 - y0) > 6 * area(inner[0].bbox_xyxy_px) and not element.text


def _is_row_of_texts(lines: list[TextLine], em: float) -> bool:
    """True if two texts stand side by side with a wide gap: a bar of items, not one caption."""
    ordered = sorted(lines, key=lambda line: line.bbox_xyxy_px[0])
    return any(
        right.bbox_xyxy_px[0] - left.bbox_xyxy_px[2] > 1.5 * em
        and abs(right.bbox_xyxy_px[1] - left.bbox_xyxy_px[1]) < 0.5 * em
        for left, right in pairwise(ordered)
    )
