"""Pairs of screens, clean and attacked: the same drawn page twice, once with something hostile on it. Seeded.

The truth is the drawing's own. Used by the bench and by the short test.
"""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import drawings
from tests.hostile.attacks import ATTACKS, Box, Screen

FIRST = drawings.HELD_OUT_SEEDS.start + 60_000
ROOM_PX = 180
"""Empty ground below every page, attacked or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One screen: its pixels, and the tree that a browser would tell."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    tree: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A clean and a hostile shot of one page, what is wanted on it, and where that truly is."""

    seed: int
    kind: str
    clean: Shot
    hostile: Shot
    query: str
    target_box: Box
    injected: tuple[Box, ...]
    tags: tuple[Box, ...]


def pair(number: int) -> Pair | None:
    """Return pair `number`, the kinds of attack by turns; None where the page has no unique name or no room."""
    kind = tuple(ATTACKS)[number % len(ATTACKS)]
    seed, rng = FIRST + number, Random(f"hostile-{number}")
    drawing = drawings.screen(seed)
    texts = [text or "" for text in drawing.regions.texts]
    counts = Counter(text.casefold() for text in texts)
    named = [i for i, text in enumerate(texts) if text and counts[text.casefold()] == 1]
    if not named:
        return None
    boxes = [_whole(box) for box in drawing.regions.boxes_xyxy_px.tolist()]
    i = rng.choice(named)
    image = _with_room(drawing.image)
    tree = [
        {"role": role or "", "name": text, "bbox_xyxy_px": list(map(float, box))}
        for role, text, box in zip(drawing.regions.roles, texts, boxes, strict=True)
    ]
    others = tuple(box for k, box in enumerate(boxes) if k != i)
    screen = Screen(image=image.copy(), target=texts[i], target_box=boxes[i], others=others, rng=rng)
    if not ATTACKS[kind](screen):
        return None
    return Pair(
        seed=seed,
        kind=kind,
        clean=Shot(image=image, tree=tree),
        hostile=Shot(image=screen.image, tree=[*tree, *screen.nodes]),
        query=rng.choice(("Click {}", "Press {}", "Open {}")).format(texts[i]),
        target_box=boxes[i],
        injected=tuple(_whole(node["bbox_xyxy_px"]) for node in screen.nodes),
        tags=tuple(screen.tags),
    )


def _with_room(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    paper = np.median(image[-6:].reshape(-1, 3), axis=0).astype(np.uint8)
    return np.vstack([image, np.broadcast_to(paper, (ROOM_PX, image.shape[1], 3))])


def _whole(box: list[float]) -> Box:
    return round(box[0]), round(box[1]), round(box[2]), round(box[3])
