"""Arranges interface elements: joins icons with their captions and lines to paragraphs, gives fields their labels.

Geometry and text only, no pixels.
"""

from dataclasses import dataclass, replace

from models.ranking.places import FIELD_ROLES, LABEL_ROLES, TICK_ROLES, label_distance
from models.segmenters.ocr import Box

_PROSE_CHARS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Something that may get a mark."""

    bbox_xyxy_px: Box
    text: str
    role: str
    score: float


def overlap_share(inner: Box, outer: Box) -> float:
    """Share of `inner`'s area that lies in `outer`."""
    width = min(inner[2], outer[2]) - max(inner[0], outer[0])
    height = min(inner[3], outer[3]) - max(inner[1], outer[1])
    area = (inner[2] - inner[0]) * (inner[3] - inner[1])
    return width * height / area if width > 0 and height > 0 and area > 0 else 0.0


def union(one: Box, other: Box) -> Box:
    """Smallest box that holds both."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def join_icons(
    controls: list[Element], texts: list[Element], icons: list[Element], em: float
) -> tuple[list[Element], list[Element], list[Element]]:
    """Join an icon with the badge that touches it, else with the caption beside it: one thing, one mark."""
    controls, texts = list(controls), list(texts)
    alone = []
    for icon in icons:
        if icon.role != "icon":
            alone.append(icon)  # a slider stays what it is
            continue
        badge = _first([_is_badge(icon, other, em) for other in controls])
        caption = _first([_is_caption(icon, other, em) for other in texts])
        if badge is not None:
            box = union(icon.bbox_xyxy_px, controls[badge].bbox_xyxy_px)
            controls[badge] = replace(controls[badge], bbox_xyxy_px=box, role="button")
        elif caption is not None:
            box = union(icon.bbox_xyxy_px, texts[caption].bbox_xyxy_px)
            texts[caption] = replace(texts[caption], bbox_xyxy_px=box, role="button", score=0.7)
        else:
            alone.append(icon)
    return controls, texts, alone


def join_icon_parts(controls: list[Element]) -> list[Element]:
    """Join the icon part of a button with the text part that continues it to the right: same rows, no gap."""
    parts = [one for one in controls if one.role == "button" and not one.text]
    used: set[Box] = set()
    joined: list[Element] = []
    for control in controls:
        box = control.bbox_xyxy_px
        for part in parts if control.role == "button" and control.text else ():
            if _continues(part.bbox_xyxy_px, control.bbox_xyxy_px):
                box = union(box, part.bbox_xyxy_px)
                used.add(part.bbox_xyxy_px)
        joined.append(replace(control, bbox_xyxy_px=box))
    return [one for one in joined if one.text or one.bbox_xyxy_px not in used]


def name_cells(controls: list[Element]) -> list[Element]:
    """Call a control a cell if others adjoin it both in its row and in its column."""
    named = []
    for control in controls:
        x0, y0, x1, y1 = control.bbox_xyxy_px
        in_row = in_column = 0
        for other in controls:
            left, top, right, bottom = other.bbox_xyxy_px
            if other is control:
                continue
            in_row += abs(top - y0) <= 2 and abs(bottom - y1) <= 2 and min(abs(left - x1), abs(right - x0)) <= 3
            in_column += abs(left - x0) <= 2 and abs(right - x1) <= 2 and min(abs(top - y1), abs(bottom - y0)) <= 3
        named.append(replace(control, role="cell") if in_row and in_column and control.text else control)
    return named


def without_linked_cells(controls: list[Element], texts: list[Element]) -> list[Element]:
    """Drop the cells whose text is a link: only the link answers a click, and it has its own element."""
    links = [text.bbox_xyxy_px for text in texts if text.role == "link"]
    return [
        one
        for one in controls
        if one.role != "cell" or not any(overlap_share(link, one.bbox_xyxy_px) > 0.9 for link in links)
    ]


def join_paragraphs(texts: list[Element], controls: list[Element], em: float) -> list[Element]:
    """Join the long left-aligned lines of running prose to one element each; labels of fields and the rest stay."""
    ordered = sorted(texts, key=lambda element: (element.bbox_xyxy_px[1], element.bbox_xyxy_px[0]))
    labels = [nearest_label(one, texts, em) for one in controls if one.role in FIELD_ROLES]
    prose = [one for one in ordered if one.role == "text" and not any(one is label for label in labels)]
    used: set[int] = set()
    joined = [one for one in ordered if not any(one is line for line in prose)]
    for start, first in enumerate(prose):
        if start in used:
            continue
        lines = [first]
        used.add(start)
        for index in range(start + 1, len(prose)):
            if index not in used and len(lines[-1].text) >= _PROSE_CHARS and _follows(lines[-1], prose[index], em):
                lines.append(prose[index])
                used.add(index)
        box = lines[0].bbox_xyxy_px
        for line in lines[1:]:
            box = union(box, line.bbox_xyxy_px)
        # What stands between two inline boxes of a paragraph belongs to it as well.
        inside = [i for i, line in enumerate(prose) if i not in used and overlap_share(line.bbox_xyxy_px, box) > 0.85]
        if len(lines) > 1:
            lines += [prose[index] for index in inside]
            used.update(inside)
        lines.sort(key=lambda line: (round(line.bbox_xyxy_px[3] / (0.6 * em)), line.bbox_xyxy_px[0]))
        score = 0.3 if len(lines) > 1 else first.score
        joined.append(Element(bbox_xyxy_px=box, text=" ".join(line.text for line in lines), role="text", score=score))
    return joined


def attach_labels(elements: list[Element], captions: list[Element], em: float) -> list[Element]:
    """Give each field without text its label: right of a checkbox or radio, else left of it or above it.

    `captions` are texts without a mark of their own, as inside a button that wraps a checkbox.
    """
    labels = [element for element in elements if element.role in LABEL_ROLES and element.text]
    named = []
    for element in elements:
        if element.role in FIELD_ROLES and not element.text:
            label = nearest_label(element, labels + captions if element.role in TICK_ROLES else labels, em)
            named.append(replace(element, text=label.text) if label else element)
        else:
            named.append(element)
    return named


def nearest_label(field: Element, labels: list[Element], em: float) -> Element | None:
    """Return the text that names a field by its place, None if nothing stands near enough."""
    best: tuple[float, Element] | None = None
    for label in labels:
        distance = label_distance(field.bbox_xyxy_px, field.role, label.bbox_xyxy_px, em)
        if distance is not None and (best is None or distance < best[0]):
            best = distance, label
    return best[1] if best else None


def reading_order(elements: list[Element], em: float) -> list[Element]:
    """Sort by rows of half a line, then left to right."""
    return sorted(elements, key=lambda e: (round(e.bbox_xyxy_px[1] / (0.5 * em)), e.bbox_xyxy_px[0], e.bbox_xyxy_px))


def _continues(part: Box, box: Box) -> bool:
    """True if a box starts where a narrow part ends, on the same rows."""
    high = box[3] - box[1]
    same_rows = abs(part[1] - box[1]) <= 2 and abs(part[3] - box[3]) <= 2
    return same_rows and abs(part[2] - box[0]) <= 3 and part[2] - part[0] < 1.5 * high


def _follows(line: Element, following: Element, em: float) -> bool:
    """True if a line continues the line above it: same left edge, close below, about the same height."""
    x0, y0, _, y1 = line.bbox_xyxy_px
    left, top, _, bottom = following.bbox_xyxy_px
    pitch = (top + bottom) / 2 - (y0 + y1) / 2
    return abs(left - x0) < 1.5 * em and 0.4 * em < pitch < 1.4 * em and abs((bottom - top) - (y1 - y0)) < 0.6 * em


def _is_badge(icon: Element, control: Element, em: float) -> bool:
    """True if a small control (a counter) touches or covers the icon."""
    x0, y0, x1, y1 = control.bbox_xyxy_px
    grown = (x0 - 2, y0 - 2, x1 + 2, y1 + 2)
    small = max(x1 - x0, y1 - y0) <= 1.8 * em
    return small and control.role == "button" and overlap_share(icon.bbox_xyxy_px, grown) > 0


def _is_caption(icon: Element, text: Element, em: float) -> bool:
    """True if a short text stands on the icon's row, close to its right, or very close to its left."""
    x0, y0, x1, y1 = icon.bbox_xyxy_px
    left, top, right, bottom = text.bbox_xyxy_px
    aligned = abs((y0 + y1) / 2 - (top + bottom) / 2) < 0.4 * em and y1 - y0 < 2.6 * em
    beside = -2 <= left - x1 <= 0.9 * em or -2 <= x0 - right <= 0.6 * em
    return aligned and beside and len(text.text) <= 30


def _first(passed: list[bool]) -> int | None:
    """Position of the first element that passed."""
    return passed.index(True) if True in passed else None
