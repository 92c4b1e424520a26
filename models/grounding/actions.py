"""Turns a chosen mark and a wish into an action on the screen. Called by `grounding.select`; knows no model."""

import math
from typing import Any

from models.grounding.types import Action, ActionType
from models.marks import Mark


def action_on(mark: Mark, size_hw: tuple[int, int], kind: ActionType, text: str | None) -> Action:
    """Return the action of `kind` on `mark`, on a picture of `size_hw`.

    Coordinates for the two interfaces are the pixel of the mark's point: its floor, never a rounding that may leave the region.
    """
    x, y = mark.point_xy_px
    height, width = size_hw
    openai, anthropic = _dialects(kind, text, math.floor(x), math.floor(y))
    return Action(
        type=kind,
        mark=mark.id,
        point_xy_px=(x, y),
        point_xy_norm=(x / width, y / height),
        text=text,
        openai=openai,
        anthropic=anthropic,
    )


def _dialects(kind: ActionType, text: str | None, x: int, y: int) -> tuple[dict[str, Any], dict[str, Any]]:
    if kind == "type" and text:
        return {"type": "type", "text": text}, {"action": "type", "text": text}
    return {"type": "click", "button": "left", "x": x, "y": y}, {"action": "left_click", "coordinate": [x, y]}
