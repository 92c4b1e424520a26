"""Marks on regions: order, ids, label places, click points, and the painted picture.

Entry points: `place` (geometry only), `paint` (pixels only), `mark` (both), `paint_for_model` (a picture at a model's
input size with given ids). Same input, same bytes. Loads no torch; knows nothing of segmenters, prompts or storage.
"""

from models.marks.for_model import mark_for_model, paint_for_model, paint_marking_for_model
from models.marks.lookalikes import LookAlike, find_lookalikes, mark_with, without_lookalikes
from models.marks.marking import mark, place
from models.marks.paint import paint
from models.marks.presets import STYLES, MarkStyle, style_of
from models.marks.types import Mark, Marking, Previous

__all__ = [
    "STYLES",
    "LookAlike",
    "Mark",
    "MarkStyle",
    "Marking",
    "Previous",
    "find_lookalikes",
    "mark",
    "mark_for_model",
    "mark_with",
    "paint",
    "paint_for_model",
    "paint_marking_for_model",
    "place",
    "style_of",
    "without_lookalikes",
]
