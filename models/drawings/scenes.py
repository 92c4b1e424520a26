"""Draws scenes: 2-8 coloured objects (up to 10 if asked) that do not overlap, on a background that is not plain.

The tiny model learns to read marks on them and the acceptance test asks about them. No two objects of a scene
share both kind and colour, so every name points to one region. Nothing here knows marks or prompts.
"""

from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.drawings import words
from models.drawings.backgrounds import background
from models.drawings.drawing import Drawing
from models.drawings.shapes import Box, Rgb, draw_object, is_wide
from models.regions import Regions

MAX_OBJECTS: Final = 8
MOST_OBJECTS: Final = 10
CROWDED_SIDE: Final = 0.85  # of the usual size, where more than MAX_OBJECTS must find room
# As a share of the longer side: 40-67 px once the picture is fitted to 224 px, so that a 16-px tag leaves enough to see.
SIDE_SHARE: Final = (0.18, 0.3)
GAP_SHARE: Final = 0.035
COLOR_JITTER: Final = 14
BOX_ONLY_SHARE: Final = 0.3


def scene(seed: int, *, objects: int | None = None, window: float = 1.0, side: float = 1.0) -> Drawing:
    """The scene of this seed; `objects` fixes how many there are (2-10), else the seed decides (2-8).

    All objects lie in the middle `window` share of the picture (0.6-1), `side` times their usual size.
    """
    rng = Random(f"scene-{seed}")
    size_hw = _canvas_size(rng)
    count = objects if objects is not None else rng.randint(2, MAX_OBJECTS)
    image = Image.fromarray(background(np.random.default_rng([7, seed]), size_hw))
    boxes: list[Box] = []
    names: list[str] = []
    masks: list[NDArray[np.bool_]] = []
    for kind, color in _distinct_pairs(rng, count):
        box = _free_box(rng, kind, size_hw, boxes, window, side if count <= MAX_OBJECTS else side * CROWDED_SIDE)
        if box is None:
            continue
        mask = Image.new("L", image.size)
        draw_object(image, mask, kind, box, _jittered(rng, words.COLORS_RGB[color]), rng)
        boxes.append(box)
        names.append(f"{color} {kind}")
        masks.append(np.asarray(mask) > 0)
    return Drawing(
        image=np.asarray(image), regions=_regions(rng, size_hw, boxes, masks), names=tuple(names), kind="scene"
    )


def _canvas_size(rng: Random) -> tuple[int, int]:
    long = rng.choice((224, 256, 320, 448, 512, 640))
    short = long if rng.random() < 0.5 else round(long * rng.uniform(0.72, 1.0))
    return (long, short) if rng.random() < 0.3 else (short, long)


def _distinct_pairs(rng: Random, count: int) -> list[tuple[str, str]]:
    """`count` different (kind, colour) pairs; a third of the scenes repeats a kind or a colour on purpose."""
    pairs: list[tuple[str, str]] = []
    while len(pairs) < count:
        kind, color = rng.choice(words.KINDS), rng.choice(words.COLORS)
        if pairs and rng.random() < 0.2:
            kind, color = (pairs[0][0], color) if rng.random() < 0.5 else (kind, pairs[0][1])
        if (kind, color) not in pairs:
            pairs.append((kind, color))
    return pairs


def _free_box(
    rng: Random, kind: str, size_hw: tuple[int, int], taken: list[Box], window: float, factor: float
) -> Box | None:
    """A box that keeps its distance from the others; None after 60 tries, so a crowded scene has one object less."""
    long = max(size_hw)
    left, top = (1 - window) / 2 * size_hw[1], (1 - window) / 2 * size_hw[0]
    high, wide = window * size_hw[0], window * size_hw[1]
    gap = GAP_SHARE * long
    for attempt in range(60):
        side = rng.uniform(*SIDE_SHARE) * long * factor * (0.85 if attempt > 30 else 1.0)
        box_wide, box_high = (side * 1.15, side * 0.62) if is_wide(kind) else (side, side * rng.uniform(0.9, 1.0))
        box_high = box_wide if kind == "checkbox" else box_high
        if box_wide >= wide - 4 or box_high >= high - 4:
            continue
        x0, y0 = left + rng.uniform(2, wide - box_wide - 2), top + rng.uniform(2, high - box_high - 2)
        box = (x0, y0, x0 + box_wide, y0 + box_high)
        if all(_apart(box, other, gap) for other in taken):
            return box
    return None


def _apart(one: Box, two: Box, gap: float) -> bool:
    return one[0] > two[2] + gap or two[0] > one[2] + gap or one[1] > two[3] + gap or two[1] > one[3] + gap


def _jittered(rng: Random, rgb: Rgb) -> Rgb:
    red, green, blue = (max(0, min(255, channel + rng.randint(-COLOR_JITTER, COLOR_JITTER))) for channel in rgb)
    return red, green, blue


def _regions(rng: Random, size_hw: tuple[int, int], boxes: list[Box], masks: list[NDArray[np.bool_]]) -> Regions:
    """Masks for most scenes; plain boxes for some, because callers often have nothing better."""
    corners = np.asarray(boxes, np.float32).reshape(-1, 4)
    if rng.random() < BOX_ONLY_SHARE:
        return Regions.from_boxes(size_hw, corners)
    return Regions.from_masks(size_hw, masks)
