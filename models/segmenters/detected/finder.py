"""Finds elements with the trained detector and reads only the text that belongs to them.

Used by `models.segmenters.gui`. Prose, headings and decoration get no mark: on the
development pages 42 % of all text stands in lines that touch an element.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.segmenters.detected.choice import distinct, has_content, snapped, without_frames
from models.segmenters.detected.letters import is_pictogram
from models.segmenters.detected.naming import Names
from models.segmenters.detected.roles import refined_role
from models.segmenters.detected.signs import edge_mask
from models.segmenters.detected.telling import telling_lines
from models.segmenters.detector import Detections, ElementDetector
from models.segmenters.finders import Element
from models.segmenters.ocr import Box, PageText

_TEXT_SCORE = 0.1  # where marks are limited, controls come first


class Detector(Protocol):
    """What is asked of the network: `models.segmenters.detector.ElementDetector` is the one that ships."""

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

    version = "detector-2"

    def __init__(self, detector: Detector | None = None, *, threshold: float | None = None) -> None:
        """Use `detector`, the shipped one by default; `threshold` replaces the score its weights were calibrated to."""
        self._detector = detector or ElementDetector()
        self._threshold = threshold

    def find(self, image: NDArray[np.uint8], text: PageText) -> list[Element]:
        """See `models.segmenters.finders.ElementFinder`; raises WeightsMissing where the detector has none."""
        heights = [box[3] - box[1] for box in text.boxes]
        em = float(np.median(heights)) if heights else 18.0
        edges = edge_mask(image)
        found = self._found(image, edges)
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
        return reading_order([*elements, *_telling(elements, text, names.unused(), em)], em)

    def _found(self, image: NDArray[np.uint8], edges: NDArray[np.bool_]) -> list[_Found]:
        """Detections with exact edges, without twins and without boxes in which there is nothing to see."""
        seen = self._detector.detect(image, threshold=self._threshold)
        boxes = [snapped(edges, box) for box in seen.boxes_xyxy_px.tolist()]
        places = np.array(boxes, np.float32).reshape(-1, 4)
        fields = set(without_frames(places, seen.scores, seen.roles))
        kept = [
            index for index in distinct(places, seen.scores) if index in fields and has_content(edges, boxes[index])
        ]
        return [_Found(box=boxes[index], score=float(seen.scores[index]), role=seen.roles[index]) for index in kept]


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
