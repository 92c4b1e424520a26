"""Pictures to learn from and to be tested with: ours, some with marks in every style, some with numbers that are no marks.

A seed always gives the same picture; seeds are split by `models.drawings`' ranges. Called by training and by the check.
"""

from dataclasses import dataclass, replace
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from models import drawings
from models.finder.canvas import photo_like
from models.finder.numbered import KINDS, UNSEEN, draw_numbered
from models.marks import STYLES, MarkStyle, mark
from models.marks.presets import Part
from models.regions import Regions

Box = tuple[float, float, float, float]
_SIZES = ((300, 400), (333, 500), (480, 640), (427, 640), (640, 480), (512, 512), (448, 796))
_DRAWS: tuple[tuple[Part, ...], ...] = (
    ("mark",),
    ("mark",),
    ("box", "mark"),
    ("mask", "mark"),
    ("mask", "contour", "mark"),
    ("mask", "box", "mark"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """One picture, (H, W, 3) uint8 RGB, and the boxes of the labels painted on it; without any it is untagged."""

    image: NDArray[np.uint8]
    labels_xyxy_px: tuple[Box, ...]
    kind: str  # what it is made of: scene, screen or photo, and the look-alikes on it; of a given picture its name

    @property
    def tagged(self) -> bool:
        """Whether marks are painted on it."""
        return bool(self.labels_xyxy_px)


def example(seed: int, *, tagged: bool, unseen: bool = False) -> Example:
    """Return the picture of this seed with marks or without; `unseen` also takes look-alikes that training never shows."""
    rng = Random(f"finder-{seed}-{tagged}")
    image, regions, kind = _base(rng, seed)
    for _ in range(rng.choice((0, 0, 1, 2) if tagged else (0, 1, 1, 2))):
        name = rng.choice([name for name in KINDS if unseen or name not in UNSEEN])
        image, kind = draw_numbered(image, name, rng), f"{kind}+{name}"
    return _made(rng, image, regions if tagged else None, kind)


def example_of(name: str, image: NDArray[np.uint8], regions: Regions | None, seed: int) -> Example:
    """Return a given picture, (H, W, 3) uint8 RGB, with `regions` marked in one of the styles; None leaves it untagged.

    Its kind is its name, so that a check can say which picture misled.
    """
    return _made(Random(f"finder-given-{seed}"), image, regions, name)


def _made(rng: Random, image: NDArray[np.uint8], regions: Regions | None, kind: str) -> Example:
    boxes: tuple[Box, ...] = ()
    if regions is not None:
        image, marking = mark(image, regions, _style(rng))
        boxes = tuple(one.label_bbox_xyxy_px for one in marking.marks)
    return Example(image=_as_sent(rng, image), labels_xyxy_px=boxes, kind=kind)


def _base(rng: Random, seed: int) -> tuple[NDArray[np.uint8], Regions, str]:
    draw = rng.random()
    if draw < 0.2:
        scene = drawings.scene(seed)
        return scene.image, scene.regions, "scene"
    if draw < 0.4:
        screen = drawings.screen(seed)
        shown = rng.sample(range(len(screen.regions)), min(len(screen.regions), rng.randint(2, 18)))
        return screen.image, screen.regions.take(sorted(shown)), "screen"
    size_hw = rng.choice(_SIZES)
    image, masks = photo_like(np.random.default_rng([11, seed]), size_hw)
    if not masks:
        masks = [np.ones(size_hw, np.bool_)]
    return image, Regions.from_masks(size_hw, masks), "photo"


def _style(rng: Random) -> MarkStyle:
    """A preset as it is, or with other parts, colours, letters and sizes."""
    preset = STYLES[rng.choice(list(STYLES))]
    if rng.random() < 0.4:
        return preset
    return replace(
        preset,
        kind=rng.choice(("number", "number", "letter")),
        draw=rng.choice(_DRAWS),
        alpha=rng.uniform(0.05, 0.5),
        label_colors=rng.choice(("color", "black")),
        label_alpha=rng.uniform(0.6, 1.0),
        label_height_px=rng.uniform(16, 36),
        fixed_label=rng.random() < 0.5,
        spare_content=rng.random() < 0.5,
    )


def _as_sent(rng: Random, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture after a JPEG of some quality, as corpora hold them; some stay clean."""
    if rng.random() < 0.25:
        return image
    quality = rng.randint(40, 96)
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
