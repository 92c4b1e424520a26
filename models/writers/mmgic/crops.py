"""Square crops round objects, with the labels of all that lies in them, and nine words for where a crop lies.

MMGiC, section F.3 and F.7: on the image squeezed to 224 x 224, the smallest square that contains the box, its centre as near
to the box's as the image's edges allow; edges of 28 to 182 px stay. An object joins a crop's labels when at least 0.8 of its
own area lies inside. Called by `contents`. Knows no pixels: exports and the trainer cut a crop out by `cut_xyxy_px`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from models.boxes import area, overlap
from models.facts import Box, ImageFacts, ObjectFact
from models.vlm.untrusted import one_line

CANVAS_PX: Final = 224
MIN_EDGE_PX: Final = 28
MAX_EDGE_PX: Final = 182
MIN_IOA: Final = 0.8
LOCATIONS: Final = (
    ("Top Left", "Top Middle", "Top Right"),
    ("Middle Left", "Center", "Middle Right"),
    ("Bottom Left", "Bottom Middle", "Bottom Right"),
)
"""Rows of the 3 x 3 grid (section F.7). The paper's Figure 1 says "Top Center" once; its text is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A square part of the 224 px canvas. `bbox_xyxy_px` is the same part in pixels of the image, where it need not be square.

    `object_id` is the object it was drawn round; its label comes first.
    """

    object_id: str
    square_xyxy_canvas_px: Box
    bbox_xyxy_px: Box
    labels: tuple[str, ...]

    @property
    def cut_xyxy_px(self) -> tuple[int, int, int, int]:
        """The whole pixels of the image that the crop touches."""
        left, top, right, bottom = (round(value, 3) for value in self.bbox_xyxy_px)  # 640.0000001 is the edge
        return floor(left), floor(top), ceil(right), ceil(bottom)

    @property
    def location(self) -> str:
        """The word of the cell in which the crop's centre lies."""
        return location_of(self.square_xyxy_canvas_px)


def crops_of(facts: ImageFacts) -> tuple[Crop, ...]:
    """Return the crops of an image in the order of its objects; groups (`crowd`) lend their label but get no crop.

    Two crops that cover the same whole pixels of the canvas are one, and a label stands once in a crop, whatever its case.
    """
    boxes = {item.id: box for item in facts.objects if (box := on_canvas(item.bbox_xyxy_px, facts.size_hw)) is not None}
    found: dict[tuple[int, ...], Crop] = {}
    for item in facts.objects:
        if item.crowd or item.id not in boxes:
            continue
        square = square_round(boxes[item.id])
        if not MIN_EDGE_PX <= square[2] - square[0] <= MAX_EDGE_PX:
            continue
        found.setdefault(
            tuple(round(value) for value in square),
            Crop(
                object_id=item.id,
                square_xyxy_canvas_px=square,
                bbox_xyxy_px=from_canvas(square, facts.size_hw),
                labels=_labels(item, square, facts.objects, boxes),
            ),
        )
    return tuple(found.values())


def on_canvas(bbox_xyxy_px: Box, size_hw: tuple[int, int]) -> Box | None:
    """Return a box of an image of `size_hw` on the canvas, cut to it; None if nothing is left."""
    height, width = size_hw
    left, right = (min(max(value * CANVAS_PX / width, 0.0), float(CANVAS_PX)) for value in bbox_xyxy_px[::2])
    top, bottom = (min(max(value * CANVAS_PX / height, 0.0), float(CANVAS_PX)) for value in bbox_xyxy_px[1::2])
    return (left, top, right, bottom) if left < right and top < bottom else None


def from_canvas(box_canvas_px: Box, size_hw: tuple[int, int]) -> Box:
    """Return a box of the canvas in pixels of an image of `size_hw`."""
    height, width = size_hw
    left, top, right, bottom = box_canvas_px
    return left * width / CANVAS_PX, top * height / CANVAS_PX, right * width / CANVAS_PX, bottom * height / CANVAS_PX


def square_round(box_canvas_px: Box) -> Box:
    """Return the smallest square inside the canvas that contains the box, centred on it as nearly as the edges allow."""
    left, top, right, bottom = box_canvas_px
    edge = max(right - left, bottom - top)
    x0, x1 = _span(left, right, edge)
    y0, y1 = _span(top, bottom, edge)
    return x0, y0, x1, y1


def ioa(square: Box, box: Box) -> float:
    """The share of `box`'s own area that lies in `square`; 0 for a box without area."""
    shared = overlap(square, box)
    return shared / area(box) if shared else 0.0


def location_of(box_canvas_px: Box) -> str:
    """Return the word of the cell that holds a box's centre; a centre on a line belongs to the right or lower cell."""
    column = int((box_canvas_px[0] + box_canvas_px[2]) / 2 * 3 / CANVAS_PX)
    row = int((box_canvas_px[1] + box_canvas_px[3]) / 2 * 3 / CANVAS_PX)
    return LOCATIONS[min(row, 2)][min(column, 2)]


def _span(low: float, high: float, edge: float) -> tuple[float, float]:
    """A stretch of `edge` round [low, high] inside the canvas; never short of either end, whatever the rounding."""
    start = min(max((low + high - edge) / 2, 0.0), CANVAS_PX - edge)
    return max(min(start, low), 0.0), min(max(start + edge, high), float(CANVAS_PX))


def _labels(own: ObjectFact, square: Box, objects: Iterable[ObjectFact], boxes: dict[str, Box]) -> tuple[str, ...]:
    inside = [item.label for item in objects if item.id in boxes and ioa(square, boxes[item.id]) >= MIN_IOA]
    return distinct([own.label, *inside])


def distinct(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in order, made harmless for a training file, each once whatever its case and blanks."""
    found: dict[str, str] = {}
    for label in labels:
        plain = one_line(label)
        if plain:
            found.setdefault(plain.casefold(), plain)
    return tuple(found.values())
