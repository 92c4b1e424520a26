"""Scores marked pages: which elements have a mark of their own, and which clicks land. Used by tests.bench.gui."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rapidfuzz import fuzz

from models.ranking import Candidate, rank
from tests.bench.gui_pages import Page

# Answers one instruction on a marked page with the id of the mark to click, None for none of them.
Decider = Callable[[str, Page], str | None]
PHRASINGS = (
    "Click {}",
    "Press the {} button",
    "Open {}",
    "Go to {}",
    "Tap on {}",
    "Hit {}",
    "Select {}",
    "Choose {}",
    "Please click {}",
    'Click on the "{}" link',
    "Open the {} menu",
    "Go to the {} page",
    "Click the button {}",
)
"""What people say for one click, each said of every element, whatever it is; the first is the one that the figures are for."""
DESCRIBED = 'Click the {role} "{}"'
"""The same with what the element truly is."""


def own_marks(page: Page) -> dict[int, str]:
    """One mark per element at most: pairs whose point fits, best IoU of the boxes first."""
    pairs = [
        (iou(mark.bbox_xyxy_px, element["bbox_xyxy_px"]), index, mark.id)
        for index, element in enumerate(page.elements)
        for mark in page.marking.marks
        if lands(mark.point_xy_px, element)
    ]
    given: dict[int, str] = {}
    used: set[str] = set()
    for _, index, mark_id in sorted(pairs, key=lambda pair: (-pair[0], pair[1], int(pair[2]))):
        if index not in given and mark_id not in used:
            given[index] = mark_id
            used.add(mark_id)
    return given


def close_marks(page: Page) -> int:
    """Number of elements whose own mark has an IoU of at least 0.5 with them."""
    marks = {mark.id: mark for mark in page.marking.marks}
    return sum(
        iou(marks[mark_id].bbox_xyxy_px, page.elements[index]["bbox_xyxy_px"]) >= 0.5
        for index, mark_id in own_marks(page).items()
    )


def unique_names(page: Page) -> list[dict[str, Any]]:
    """Elements whose name no other element of the page has."""
    names = Counter(element["name"] for element in page.elements)
    return [element for element in page.elements if element["name"] and names[element["name"]] == 1]


def read_names(page: Page) -> list[dict[str, Any]]:
    """Those of them that have a mark whose text was read (or whose icon was recognised): what a mark table tells of."""
    return [
        element
        for element in unique_names(page)
        if any(mark.text and lands(mark.point_xy_px, element) for mark in page.marking.marks)
    ]


def clicks(
    pages: Sequence[Page],
    deciders: dict[str, Decider],
    phrasing: str = PHRASINGS[0],
    asked: Callable[[Page], list[dict[str, Any]]] = unique_names,
) -> dict[str, int]:
    """How many of the elements that are `asked` for each decider, and the plain baseline, clicks on.

    `phrasing` has the place of the name, and may have one of the element's `{role}`.
    """
    named = [(page, element) for page in pages for element in asked(page)]
    landed = {"plain": sum(lands(nearest_line(element["name"], page), element) for page, element in named)}
    for name, decider in deciders.items():
        landed[name] = 0
        for page, element in named:
            chosen = decider(phrasing.format(element["name"], role=element["role"]), page)
            landed[name] += lands({mark.id: mark.point_xy_px for mark in page.marking.marks}.get(chosen or ""), element)
    return landed


def nearest_line(name: str, page: Page) -> tuple[float, float] | None:
    """The plain baseline's click: centre of the text line most like the name."""
    if not page.lines:
        return None
    line = max(page.lines, key=lambda line: fuzz.ratio(line.text, name))
    x0, y0, x1, y1 = line.bbox_xyxy_px
    return (x0 + x1) / 2, (y0 + y1) / 2


def decide_by_rank(query: str, page: Page) -> str | None:
    """The ranker alone."""
    size_hw = (page.image.shape[0], page.image.shape[1])
    ranked = rank(
        query,
        [
            Candidate(id=mark.id, text=mark.text, role=mark.role, bbox_xyxy_px=mark.bbox_xyxy_px, size_hw=size_hw)
            for mark in page.marking.marks
        ],
    )
    return ranked[0].id if ranked else None


def lands(point: tuple[float, float] | None, element: dict[str, Any]) -> bool:
    """True if a click at `point` is in the element's box."""
    if point is None:
        return False
    x0, y0, x1, y1 = element["bbox_xyxy_px"]
    return bool(x0 <= point[0] < x1 and y0 <= point[1] < y1)


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / max(areas - width * height, 1e-9)
