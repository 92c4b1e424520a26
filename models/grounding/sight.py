"""Finds out whether a model server shows its model whole pictures, marks in the corners included.

The processor that many LLaVA checkpoints carry scales the short side and cuts the long one, so a screenshot loses its left and right
edge, marks and all, and nothing says so. Called once for a server before its answers are trusted. It judges by log probabilities, not
by words: a tag that changes nothing was not seen, however little the model understands.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.grounding.scene import Scene
from models.grounding.types import GroundRequest
from models.marks import place
from models.regions import Regions
from models.vlm.logprobs import TokenStep, difference
from models.vlm.prompts import build_prompt
from models.vlm.types import VlmBackend, VlmRequest

# Twice as wide as high: a centre cut takes a quarter from each side. Small, so that a tag is a good part of it.
SIZE_HW = (240, 480)
_TAG_WH = (64, 48)
_CENTRE = "centre"
# What was cut away changes nothing at all (0.0000 on vLLM's CPU build); the smallest change by a tag that arrived was 0.003, on a
# picture of a shape that the model never learnt. Between the two there is room for the noise of half precision.
_NOISE = 1e-3


class Watched(VlmBackend, Protocol):
    """A backend that shows the alternatives of its first token."""

    def first_token(self, request: VlmRequest) -> TokenStep | None:
        """Return the first token of the answer, None where the server does not tell."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was found: `known` is False where the server shows no log probabilities. `unseen` names places without effect."""

    known: bool
    blind: bool
    unseen: tuple[str, ...]

    @property
    def complaint(self) -> str | None:
        """What is wrong and which setting changes it, or None."""
        if not self.known:
            return None
        if self.blind:
            return "the model server does not look at pictures; set MARKWISE_VLM_MODEL to a vision-language model"
        if self.unseen:
            return (
                f"the model server cuts pictures off: marks in the {', '.join(self.unseen)} cannot be seen; set "
                "MARKWISE_VLM_INPUT_PX to the model's input size (336 for LLaVA-1.5), so that pictures arrive as squares"
            )
        return None


def look(backend: Watched, *, deadline_s: float = 60.0) -> Sight:
    """Ask for six first tokens: without a tag, with one in the centre, with one in each corner. Raises BackendDown, BadOutput."""
    moved: dict[str, float] = {}
    try:
        plain = backend.first_token(_request(backend, None, deadline_s))
        for name, box in places().items():
            step = backend.first_token(_request(backend, box, deadline_s))
            if plain is None or step is None:
                return Sight(known=False, blind=False, unseen=())
            moved[name] = difference(plain, step)
    except BadInput:  # a server that knows no log probabilities may refuse to be asked for them
        return Sight(known=False, blind=False, unseen=())
    centre = moved.pop(_CENTRE)
    if centre <= _NOISE:
        return Sight(known=True, blind=True, unseen=())
    return Sight(known=True, blind=False, unseen=tuple(name for name, change in moved.items() if change <= _NOISE))


def places() -> dict[str, tuple[int, int, int, int]]:
    """Return the boxes of the tags, x0, y0, x1, y1 in pixels of the picture."""
    (height, width), (w, h) = SIZE_HW, _TAG_WH
    left, top = (width - w) // 2, (height - h) // 2
    return {
        _CENTRE: (left, top, left + w, top + h),
        "top left": (0, 0, w, h),
        "top right": (width - w, 0, width, h),
        "bottom left": (0, height - h, w, height),
        "bottom right": (width - w, height - h, width, height),
    }


def _request(backend: Watched, box: tuple[int, int, int, int] | None, deadline_s: float) -> VlmRequest:
    """The question about a picture with one tag, prepared exactly as a real one would be."""
    regions = Regions.from_boxes(SIZE_HW, [] if box is None else [box])
    request = GroundRequest(image=_ground(), regions=regions, marking=place(regions, "markwise"), query="", task="list")
    scene = Scene(backend, request)
    return VlmRequest(
        images=(scene.picture(tuple(scene.marks)),),
        prompt=build_prompt("list", "", [], backend.dialect),
        max_tokens=1,
        deadline_s=deadline_s,
    )


def _ground() -> NDArray[np.uint8]:
    picture: NDArray[np.uint8] = np.full((*SIZE_HW, 3), 200, np.uint8)
    return picture
