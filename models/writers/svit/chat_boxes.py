"""Asking for a box in words and answering with one, as in SVIT's chats: a bare `[x1, y1, x2, y2]` on the padded square.

`location_turns` writes such questions from annotated objects by rule, for things that only one object can be; `read_answer`
takes a model's answer back to pixels. Called by the referring writer and by whoever resolves a box that a model wrote.
"""

from collections import Counter
from random import Random
from typing import Final

from models.facts import Box, ImageFacts
from models.vlm.untrusted import one_line
from models.writers.svit.boxes import box_text, from_padded_square, has_extent, padded_square_norm, read_boxes

LOCATION_TEMPLATES: Final = (
    "Give the box of {phrase} as coordinates.",
    "In which box does {phrase} lie?",
    "Write down the bounding box of {phrase}.",
    "Where exactly is {phrase}? Answer with a box.",
    "Frame {phrase}: which four coordinates do you need?",
    "Locate {phrase} and tell me its box.",
    "I need the coordinates of the box round {phrase}.",
    "Which box holds {phrase}?",
)
MAX_LOCATION_TURNS: Final = 5


def location_turns(facts: ImageFacts, seed: str) -> tuple[tuple[str, str], ...]:
    """Return up to `MAX_LOCATION_TURNS` (question, answer) pairs about objects whose label is the only one of its kind."""
    random = Random(f"{seed}:location")
    often = Counter(one_line(item.label).casefold() for item in facts.objects)
    single = [
        (label, box)
        for item in facts.objects
        if often[(label := one_line(item.label)).casefold()] == 1
        and label
        and not item.crowd
        and has_extent(box := padded_square_norm(item.bbox_xyxy_px, facts.size_hw))
    ]
    random.shuffle(single)
    return tuple(
        (random.choice(LOCATION_TEMPLATES).format(phrase=f"the {label}"), box_text(box))
        for label, box in single[:MAX_LOCATION_TURNS]
    )


def read_answer(text: str, size_hw: tuple[int, int]) -> tuple[Box, ...]:
    """Return the boxes of an answer in pixels of an image of `size_hw`; values that are no box on the square are left out."""
    return tuple(from_padded_square(box, size_hw) for box in read_boxes(text) if has_extent(box))
