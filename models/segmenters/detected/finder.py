"""Finds elements with the trained detector and reads only the text that belongs to them.

Used by `models.segmenters.gui`. Prose, headings and decoration get no mark: on the
development pages 42 % of all text stands in lines that touch an element.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.ranking.icon_names import marked_text
from models.ranking.places import TICK_ROLES
from models.segmenters.detected.choice import backed_by_text, distinct, has_content, snapped, without_frames
from models.segmenters.detected.icons import IconNamer
from models.segmenters.detected.letters import is_pictogram
from models.segmenters.detected.naming import Names
from models.segmenters.detected.roles import refined_role
from models.segmenters.detected.signs import edge_mask
from models.segmenters.detected.telling import telling_lines
from models.segmenters.detector import Detections, ElementDetector
from models.segmenters.finders import Element
from models.segmenters.ocr import Box, PageText

# Of 211 elements of shared pages 207 had a mark, at this score 210, for 17 marks more.
_WEAK = 0.15
_TEXT_SCORE = 0.1  # where marks are limited, controls come first
# A reader makes a letter or two of an icon; what a button is called has more.
_ICON_LETTERS, _ICON_EM = 2, 4.5
# What is surely an icon is no tick box, though a plus in a ring looks like one; a tick is both.
_NO_TICK, _TICKS = 0.9, frozenset({"check", "close", "stop"})


class Detector(Protocol):
    """What is asked of the network: `models.segmenters.detector.ElementDetector` is the one that ships."""

    @property
    def threshold(self) -> float:
        """Score from which what it sees is an element."""
        ...

    def detect(
        self, image: NDArray[np.uint8], device_pixel_ratio: float = 1.0, *, threshold: float | None = None
    ) -> Detections:
        """Return the elements of `image`, best score first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    box: Box
    score: float
    role: str


class DetectorFinder:
    """The detector's boxes, cleaned by cheap rules, with the text that stands in or labels them."""

    version = "detector-3"

    def __init__(
        self, detector: Detector | None = None, *, threshold: float | None = None, icons: IconNamer | None = None
    ) -> None:
        """Use `detector`, the shipped one by default; `threshold` replaces the score its weights were calibrated to."""
        self._detector = detector or ElementDetector()
        self._icons = icons or IconNamer()
        self._threshold = threshold

    def find(self, image: NDArray[np.uint8], text: PageText) -> list[Element]:
        """See `models.segmenters.finders.ElementFinder`; raises WeightsMissing where the detector has none."""
        heights = [box[3] - box[1] for box in text.boxes]
        em = float(np.median(heights)) if heights else 18.0
        edges = edge_mask(image)
        found, weak = self._found(image, edges)
        names = Names(text, [(one.box, one.role) for one in found], em)
        free = names.unused()
        used = [box for line, box in enumerate(text.boxes) if line not in free]
        backed = backed_by_text(
            [one.box for one in weak], [one.box for one in found], [text.boxes[line] for line in free], used
        )
        if backed:
            found = [*found, *(weak[index] for index in backed)]
            names = Names(text, [(one.box, one.role) for one in found], em)
        elements = [
            Element(
                bbox_xyxy_px=one.box,
                text=name,
                role=refined_role(one.role, one.box, image, edges, em, text_right_px=names.text_right_px(index)),
                score=one.score,
            )
            for index, (one, name) in enumerate(zip(found, names.read(), strict=True))
        ]
        elements = self._with_icons(image, elements, em)
        return reading_order([*elements, *_telling(elements, text, names.unused(), em)], em)

    def _with_icons(self, image: NDArray[np.uint8], elements: list[Element], em: float) -> list[Element]:
        """The elements; what bears an icon that is known and no text, by the icon's name."""
        asked = [index for index, element in enumerate(elements) if _may_be_icon(element, em)]
        names = self._icons.name(image, [elements[index].bbox_xyxy_px for index in asked])
        for index, named in zip(asked, names, strict=True):
            element = elements[index]
            if named is None:
                continue
            if element.role not in TICK_ROLES:
                elements[index] = replace(element, text=marked_text(named.name))
            elif named.share >= _NO_TICK and named.name not in _TICKS:
                elements[index] = replace(element, text=marked_text(named.name), role="button")
        return elements

    def _found(self, image: NDArray[np.uint8], edges: NDArray[np.bool_]) -> tuple[list[_Found], list[_Found]]:
        """Detections with exact edges, without twins and without boxes in which there is nothing to see; then half-seen ones."""
        lowest = self._detector.threshold if self._threshold is None else self._threshold
        seen = self._detector.detect(image, threshold=min(lowest, _WEAK))
        boxes = [snapped(edges, box) for box in seen.boxes_xyxy_px.tolist()]
        places = np.array(boxes, np.float32).reshape(-1, 4)
        sure = seen.scores >= lowest
        fields = set(without_frames(places, seen.scores, seen.roles))
        kept = [
            index for index in distinct(places, seen.scores) if index in fields and has_content(edges, boxes[index])
        ]
        found = [_Found(box=boxes[index], score=float(seen.scores[index]), role=seen.roles[index]) for index in kept]
        return found[: int(sure[kept].sum())], found[int(sure[kept].sum()) :]


def _may_be_icon(element: Element, em: float) -> bool:
    """Whether an element is small and bears no text, or only what a reader makes of a drawing."""
    x0, y0, x1, y1 = element.bbox_xyxy_px
    small = max(x1 - x0, y1 - y0) <= _ICON_EM * em
    read = len(element.text) > _ICON_LETTERS or element.text == "+"
    return small and (not read or element.role in TICK_ROLES)


def _telling(elements: list[Element], text: PageText, unused: list[int], em: float) -> list[Element]:
    """Texts that tell elements of one name apart, as elements of role `text`."""
    named = [(element.bbox_xyxy_px, element.text) for element in elements]
    lines = text.read(telling_lines(named, text.boxes, unused, em))
    return [
        Element(bbox_xyxy_px=line.bbox_xyxy_px, text=line.text, role="text", score=_TEXT_SCORE)
        for line in lines
        if not is_pictogram(line)
    ]


def reading_order(elements: list[Element], em: float) -> list[Element]:
    """Sort by rows of half a line, then left to right."""
    return sorted(elements, key=lambda e: (round(e.bbox_xyxy_px[1] / (0.5 * em)), e.bbox_xyxy_px[0], e.bbox_xyxy_px))
