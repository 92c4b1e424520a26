"""References of SVIT's referring texts: `<st>dog<ed> [x1, y1, x2, y2]`, several boxes after one name for a plural.

The published texts write a blank after `<ed>` and none; ours always have one. Reading is tolerant of spacing, brackets and a
misspelt end tag; what is read must be a box of the padded square that some annotated thing has, under a name that does not
belong to another thing. Boxes are put back to the annotated digits. Knows no prompts.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from models.boxes import iou
from models.facts import Box
from models.writers.svit.boxes import BOX, box_of, box_text, has_extent
from models.writers.svit.context import Place

COPY_TOLERANCE: Final = 0.002
"""Teachers drop or round the last digit; more than that is another box."""
SAME_IOU: Final = 0.9
_MAX_NAME_CHARS = 200
_BOXES = rf"[\[(]?\s{{0,2}}(?:{BOX.pattern})(?:\s{{0,3}}(?:,\s?and\b|,|;|&|and\b)?\s{{0,3}}(?:{BOX.pattern})){{0,40}}(?:\s{{0,2}}(?<=[\])])[\])])?"
_REFERENCE = re.compile(
    rf"<\s?st\s?>\s{{0,3}}(?P<name>[^<>\n]{{0,{_MAX_NAME_CHARS}}}?)\s{{0,3}}<\s?/?\s?(?:ed|st|et|end)\s?>\s{{0,3}}(?P<boxes>{_BOXES})",
    re.IGNORECASE,
)
_LEFT_OVER = re.compile(r"<\s?/?\s?(?:st|ed|et|end)\s?>", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)?")
# What ends a name's main part: "man with a dog" is a man.
_NAME_END = re.compile(
    r"in|on|at|by|with|without|from|to|into|onto|over|under|above|below|behind|beside|between|among|near|around|through|across|"
    r"along|against|inside|outside|of|off|for|as|like|that|which|who|whose|and|or|is|are|wearing|holding|sitting|standing|"
    r"carrying|riding|walking|lying|playing"
)
_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "knives": "knife",
    "shelves": "shelf",
    "leaves": "leaf",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A thing named in a text with its boxes on the padded square; `start` and `end` are its characters in the text."""

    name: str
    boxes: tuple[Box, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Referring:
    """A text with its references in the one form that is trained on, and what is wrong with them (None if nothing is)."""

    text: str
    references: tuple[Reference, ...]
    problem: str | None


def write_reference(name: str, boxes: Iterable[Box]) -> str:
    """`<st>men<ed> [x1, y1, x2, y2], [x1, y1, x2, y2]`."""
    return f"<st>{name}<ed> " + ", ".join(box_text(box) for box in boxes)


def read_references(text: str) -> tuple[Reference, ...]:
    """Return every reference in `text` in order, as written: neither boxes nor names are judged."""
    return tuple(
        Reference(
            name=" ".join(found["name"].split()),
            boxes=tuple(box_of(box) for box in BOX.finditer(found["boxes"])),
            start=found.start(),
            end=found.end(),
        )
        for found in _REFERENCE.finditer(text)
    )


def checked(text: str, places: Sequence[Place]) -> Referring:
    """Return `text` with its references put into form and its boxes to those of `places`, and the first thing wrong with it."""
    plain = html.unescape(text) if "&lt;" in text else text
    references = read_references(plain)
    problem = None if references else "it names no thing as <st>name<ed> [x1, y1, x2, y2]"
    written, last = "", 0
    outside = ""
    put_right: list[Reference] = []
    for reference in references:
        boxes, wrong = _known_boxes(reference, places)
        problem = problem or wrong
        between = plain[last : reference.start]
        outside += between
        start = len(written) + len(between)
        written += between + write_reference(reference.name, boxes)
        put_right.append(Reference(name=reference.name, boxes=boxes, start=start, end=len(written)))
        last = reference.end
    outside += plain[last:]
    if problem is None and (_LEFT_OVER.search(outside) or BOX.search(outside)):
        problem = "a name or a box stands alone; each box follows its <st>name<ed>"
    return Referring(text=written + plain[last:], references=tuple(put_right), problem=problem)


def _known_boxes(reference: Reference, places: Sequence[Place]) -> tuple[tuple[Box, ...], str | None]:
    """The boxes of a reference, put to the annotated ones, and what is wrong with it."""
    problem = None if reference.name else "a box follows a name that is empty"
    boxes: list[Box] = []
    for box in reference.boxes:
        alike = [place for place in places if _same(box, place.box)]
        if not has_extent(box):
            problem = problem or f"{box_text(box)} is no box: it needs 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1"
            boxes.append(box)
        elif not alike:
            problem = problem or f"{box_text(box)} is the box of nothing above"
            boxes.append(box)
        else:
            head = _head(reference.name)
            fitting = [place for place in alike if head in _words(place.name)]
            if not fitting and _names_another(head, alike, places):
                problem = problem or f"{box_text(box)} is not the box of {reference.name!r}"
            boxes.append(max(fitting or alike, key=lambda place: iou(box, place.box)).box)
    return tuple(dict.fromkeys(boxes)), problem


def _same(box: Box, known: Box) -> bool:
    return (
        max(abs(one - two) for one, two in zip(box, known, strict=True)) <= COPY_TOLERANCE
        or iou(box, known) >= SAME_IOU
    )


def _names_another(head: str, alike: Sequence[Place], places: Sequence[Place]) -> bool:
    """Whether a name's main word is that of a thing elsewhere. "man" for a person is fine, "car" for the dog is not."""
    return any(head == _head(place.name) for place in places if place not in alike)


def _head(name: str) -> str:
    """The main word of a name, in the singular: the last one before "with", "in", "on" and the like."""
    words: list[str] = []
    for word in _WORD.findall(name.casefold()):
        if words and _NAME_END.fullmatch(word):
            break
        words.append(word)
    return _singular(words[-1]) if words else ""


def _words(name: str) -> set[str]:
    return {_singular(word) for word in _WORD.findall(name.casefold())}


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
