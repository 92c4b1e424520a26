"""Scenes as they may come: 2-10 objects, marks of any style and kind, the whole picture smaller or larger.

`zoom` is done after painting, so tags grow and shrink with the objects; the patch labels follow. `served_view` is what the
service makes of such pictures: it paints numbers in order on the part in which the marks are. Drawn by `pool` for the recipe tiny-v2
and by the evaluation for its sharper lines. Knows no model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models import drawings
from models.drawings import Drawing
from models.drawings.scenes import MOST_OBJECTS
from models.marks import paint_for_model
from models.marks.for_model import PAD_RGB, close_up
from models.tiny.config import INPUT_PX
from models.training.framing import framed, resized
from models.training.patches import LETTERS, Labels, patch_labels

Plane = NDArray[np.uint8]
MarkKind = Literal["number", "letter"]
PLAIN_SHARE: Final = 0.4  # of the training pictures keep their size
ZOOMS: Final = (0.7, 1.3)
LETTER_SHARE: Final = 0.2
OTHER_STYLES: Final[tuple[str | dict[str, Any], ...]] = (
    "som",
    "som-llava",
    {"name": "markwise", "draw": ["mark"]},
    {"name": "markwise", "draw": ["contour", "mark"]},
    {"name": "markwise", "draw": ["box", "mask", "mark"], "alpha": 0.2},
    {"name": "markwise", "draw": ["mask", "mark"], "alpha": 0.25},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a scene is shown: its marks in listing order, their style, and the zoom with where its middle then lies."""

    ids: tuple[str, ...]
    style: str | dict[str, Any]
    zoom: float = 1.0
    shift_xy: tuple[float, float] = (0.0, 0.0)  # -1 to 1 of the room there is
    plain_border: bool = True


def scene_of(seed: int, zoom: float = 1.0, side: float = 1.0) -> Drawing:
    """A scene of 2-10 objects that is still whole after `zoom`; fewer find room where it is large."""
    most = MOST_OBJECTS if zoom <= 1 else round(MOST_OBJECTS / zoom**2)
    return drawings.scene(
        seed, objects=Random(f"count-{seed}").randint(2, most), window=min(1.0, 1.0 / zoom), side=side
    )


def plain_ids(count: int, kind: MarkKind) -> tuple[str, ...]:
    """The first `count` marks: 1, 2, ... or A, B, ..."""
    return _signs(kind)[:count]


def ids_of(rng: Random, count: int, kind: MarkKind) -> tuple[str, ...]:
    """Any `count` marks up to 99 or Z, in order: a catalog keeps ids when regions go."""
    signs = _signs(kind)
    return tuple(signs[i] for i in sorted(rng.sample(range(len(signs)), count)))


def _signs(kind: MarkKind) -> tuple[str, ...]:
    return tuple(LETTERS) if kind == "letter" else tuple(str(number) for number in range(1, 100))


def training_view(seed: int) -> tuple[Drawing, View]:
    """The drawing of a seed and one way to show it, all chances together."""
    rng = Random(f"view-{seed}")
    zoom = 1.0 if rng.random() < PLAIN_SHARE else rng.uniform(*ZOOMS)
    drawing = scene_of(seed, zoom, rng.uniform(0.85, 1.1)).shuffled(rng)
    count = len(drawing.regions)
    kind: MarkKind = "letter" if rng.random() < LETTER_SHARE else "number"
    view = View(
        ids=plain_ids(count, kind) if rng.random() < 0.6 else ids_of(rng, count, kind),
        style="markwise" if rng.random() < 0.5 else rng.choice(OTHER_STYLES),
        zoom=zoom,
        shift_xy=(rng.uniform(-1, 1), rng.uniform(-1, 1)),
        plain_border=rng.random() < 0.5,
    )
    return drawing, view


def served_view(seed: int) -> tuple[Drawing, View]:
    """The drawing of a seed in a picture of some size, as the service shows it: the part round its marks, numbered in order."""
    rng = Random(f"served-view-{seed}")
    size = 1.0 if rng.random() < PLAIN_SHARE else rng.uniform(*ZOOMS)
    drawing = resized(scene_of(seed, size, rng.uniform(0.85, 1.1)), size).shuffled(rng)
    drawing = framed(drawing, close_up(drawing.regions))
    style = "markwise" if rng.random() < 0.5 else rng.choice(OTHER_STYLES)
    return drawing, View(ids=plain_ids(len(drawing.regions), "number"), style=style)


def show(drawing: Drawing, view: View) -> NDArray[np.uint8]:
    """The painted square (224, 224, 3)."""
    return _zoomed(view)(paint_for_model(drawing.image, drawing.regions, view.ids, view.style, INPUT_PX))


def show_labelled(drawing: Drawing, view: View) -> tuple[NDArray[np.uint8], Labels]:
    """The painted square and what each of its patches shows."""
    painted = paint_for_model(drawing.image, drawing.regions, view.ids, view.style, INPUT_PX)
    move = _zoomed(view)
    labels = patch_labels(painted, drawing.regions, view.ids, drawing.names, drawing.regions.size_hw, move)
    return move(painted), labels


def _zoomed(view: View) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    return partial(_move, zoom=view.zoom, shift_xy=view.shift_xy, plain_border=view.plain_border)


def _move(
    plane: NDArray[np.uint8], *, zoom: float, shift_xy: tuple[float, float], plain_border: bool
) -> NDArray[np.uint8]:
    """Scale a picture (H, W, 3), or a plane of numbers (H, W) without mixing them, about its middle."""
    if zoom == 1.0:
        return plane
    picture = plane.ndim == 3
    room = max(0.0, (1 - zoom) * INPUT_PX / 2)
    offset = [(1 - zoom) * INPUT_PX / 2 + part * room for part in shift_xy]
    matrix = np.asarray([[zoom, 0, offset[0]], [0, zoom, offset[1]]], np.float64)
    if picture and zoom < 1:
        plane = cv2.GaussianBlur(plane, (0, 0), 0.35 / zoom)
    moved: NDArray[np.uint8] = np.asarray(
        cv2.warpAffine(
            plane,
            matrix,
            (INPUT_PX, INPUT_PX),
            flags=cv2.INTER_LINEAR if picture else cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT if plain_border or not picture else cv2.BORDER_REPLICATE,
            borderValue=PAD_RGB if picture else 0,
        )
    )
    return moved
