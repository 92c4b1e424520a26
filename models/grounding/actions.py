"""Turns a chosen mark and a wish into an action on the screen, ready for two computer-use interfaces.

Called by `grounding.select` and `grounding.words`; knows no model. The forms are those of OpenAI's `computer_call` actions and
of Anthropic's tool `computer_20250124` (and later); tests/unit/models/grounding/computer_use.py writes them down.
"""

import math
from dataclasses import dataclass
from typing import Any

from models.grounding.types import Action, ActionType
from models.marks import Mark
from models.ranking import ActionIntent

Form = dict[str, Any]
_TEXT_FIELDS = frozenset({"textbox", "searchbox", "spinbutton", "textarea", "input"})
_OPTIONS = frozenset({"option", "radio", "tab", "menuitem", "checkbox", "switch", "link", "treeitem"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One thing to do, in both forms."""

    openai: Form
    anthropic: Form


_LOOK = _Step(openai={"type": "screenshot"}, anthropic={"action": "screenshot"})


def action_on(
    mark: Mark, size_hw: tuple[int, int], intent: ActionIntent, device_pixel_ratio: float = 1.0, *, is_so: bool = False
) -> Action:
    """Return what `intent` does to `mark`, on a picture of `size_hw` with `device_pixel_ratio` pixels per CSS pixel.

    The two forms count in whole CSS pixels, as whoever moves the mouse does; their point hits the mark. A wish to select is
    typing on a field and clicking on an option that is seen. `openai` and `anthropic` are the decisive step; `steps` are all
    of them: a field is clicked, emptied unless the text is to be added, and typed into. Where the screen `is_so` already (a box
    to be ticked is), there are no steps, and the decisive one is to look again.
    """
    x, y = mark.point_xy_px
    height, width = size_hw
    kind = _kind(intent, (mark.role or "").lower())
    steps, decisive = ([], _LOOK) if is_so else _steps(kind, intent, *_css_point(mark, device_pixel_ratio))
    return Action(
        type=kind,
        mark=mark.id,
        point_xy_px=(x, y),
        point_xy_norm=(x / width, y / height),
        text=None if kind == "click" else intent.text,
        openai=decisive.openai,
        anthropic=decisive.anthropic,
        openai_steps=tuple(step.openai for step in steps),
        anthropic_steps=tuple(step.anthropic for step in steps),
    )


def _kind(intent: ActionIntent, role: str) -> ActionType:
    """What the role makes of a wish."""
    if intent.type == "select" and role in _TEXT_FIELDS:
        return "type"
    return "click" if intent.type == "select" and role in _OPTIONS else intent.type


def _css_point(mark: Mark, ratio: float) -> tuple[int, int]:
    """The whole CSS pixel to click: the floor of the mark's point, never a rounding that may leave the region."""
    x0, y0, x1, y1 = mark.bbox_xyxy_px
    x, y = mark.point_xy_px
    return _css(x, x0, x1, ratio), _css(y, y0, y1, ratio)


def _css(value: float, low: float, high: float, ratio: float) -> int:
    """At a ratio above 1 the floor may lie before a thin region's first pixel; then it is the next one, if that is inside."""
    css = math.floor(value / ratio)
    return css + 1 if css * ratio < low and (css + 1) * ratio < high else css


def _steps(kind: ActionType, intent: ActionIntent, x: int, y: int) -> tuple[list[_Step], _Step]:
    """All steps in order, and the decisive one."""
    click = _click(intent if kind == "click" else None, x, y)
    if kind == "click":
        return [click], click
    enter = _press("ENTER", "Return")
    if kind == "select":
        # A list that has the focus goes to the option whose name is typed; Enter takes it and closes the list.
        typed = _type(intent.text or "")
        return [click, typed, enter], typed
    steps = [click] if intent.append else [click, _Step(openai=_keys("CTRL", "A"), anthropic=_key("ctrl+a"))]
    if intent.text:
        decisive = _type(intent.text)
    elif intent.append:
        return [click, enter], enter
    else:
        decisive = _press("DELETE", "Delete")
    return [*steps, decisive, enter] if intent.submit else [*steps, decisive], decisive


def _click(intent: ActionIntent | None, x: int, y: int) -> _Step:
    gesture = "left" if intent is None else intent.gesture
    if gesture == "double":
        return _Step(
            openai={"type": "double_click", "x": x, "y": y}, anthropic={"action": "double_click", "coordinate": [x, y]}
        )
    return _Step(
        openai={"type": "click", "button": gesture, "x": x, "y": y},
        anthropic={"action": f"{gesture}_click", "coordinate": [x, y]},
    )


def _type(text: str) -> _Step:
    return _Step(openai={"type": "type", "text": text}, anthropic={"action": "type", "text": text})


def _press(openai: str, anthropic: str) -> _Step:
    return _Step(openai=_keys(openai), anthropic=_key(anthropic))


def _keys(*keys: str) -> Form:
    return {"type": "keypress", "keys": list(keys)}


def _key(name: str) -> Form:
    """Names of keys as xdotool has them."""
    return {"action": "key", "text": name}
