"""Actions are complete, in both published forms, and their points hit what they are about."""

import pytest
from openai.types.responses import computer_action as published
from pydantic import TypeAdapter

from models.grounding.actions import action_on
from models.marks import Mark, place
from models.ranking import parse_action
from models.regions import Regions
from tests.unit.models.grounding.computer_use import ANTHROPIC, OPENAI

SIZE = (400, 600)
PUBLISHED = TypeAdapter(published.Click | published.DoubleClick | published.Keypress | published.Type)


def mark(role: str = "textbox", box: tuple[float, float, float, float] = (40.0, 60.0, 240.0, 90.0)) -> Mark:
    regions = Regions.from_boxes(SIZE, [box], roles=[role], texts=["Email"])
    return place(regions).marks[0]


def kinds(action, form: str) -> list[str]:
    return [step["type" if form == "openai" else "action"] for step in getattr(action, f"{form}_steps")]


@pytest.mark.parametrize(
    ("query", "role", "openai", "anthropic"),
    [
        ("Click Email", "button", ["click"], ["left_click"]),
        ("Double-click Email", "button", ["double_click"], ["double_click"]),
        ("Right-click on Email", "button", ["click"], ["right_click"]),
        ('Type "x" into Email', "textbox", ["click", "keypress", "type"], ["left_click", "key", "type"]),
        ('Append "x" to Email', "textbox", ["click", "type"], ["left_click", "type"]),
        ("Clear Email", "textbox", ["click", "keypress", "keypress"], ["left_click", "key", "key"]),
        ("Press Enter in Email", "textbox", ["click", "keypress"], ["left_click", "key"]),
        (
            'Type "x" into Email and press Enter',
            "textbox",
            ["click", "keypress", "type", "keypress"],
            ["left_click", "key", "type", "key"],
        ),
        ('Select "x" in Email', "combobox", ["click", "type", "keypress"], ["left_click", "type", "key"]),
        ('Select "x" in Email', "textbox", ["click", "keypress", "type"], ["left_click", "key", "type"]),
        ('Select "x" in Email', "radio", ["click"], ["left_click"]),
    ],
)
def test_every_step_has_the_published_form(query: str, role: str, openai: list[str], anthropic: list[str]) -> None:
    action = action_on(mark(role), SIZE, parse_action(query))
    assert (kinds(action, "openai"), kinds(action, "anthropic")) == (openai, anthropic)
    for step in (*action.openai_steps, action.openai):
        OPENAI.validate_python(step)
        PUBLISHED.validate_python(step)
    for step in (*action.anthropic_steps, action.anthropic):
        ANTHROPIC.validate_python(step)
    assert action.openai in action.openai_steps
    assert action.anthropic in action.anthropic_steps


def test_what_is_not_published_is_refused() -> None:
    for form in ({"type": "click", "x": 1, "y": 2}, {"type": "click", "button": "left", "x": 1.5, "y": 2}):
        with pytest.raises(ValueError, match="validation error"):
            OPENAI.validate_python(form)
    with pytest.raises(ValueError, match="validation error"):
        ANTHROPIC.validate_python({"action": "left_click", "x": 1, "y": 2})


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
def test_the_forms_count_in_css_pixels_and_hit_the_region(ratio: float) -> None:
    for left in range(30, 44):
        box = (float(left), 61.0, left + 13.0, 75.0)
        made = mark("button", box)
        action = action_on(made, SIZE, parse_action("Click Email"), ratio)
        x, y = action.anthropic["coordinate"]
        assert (action.openai["x"], action.openai["y"]) == (x, y)
        assert box[0] <= x * ratio < box[2]
        assert box[1] <= y * ratio < box[3]
        assert action.point_xy_px == made.point_xy_px
        assert action.point_xy_norm == pytest.approx((made.point_xy_px[0] / 600, made.point_xy_px[1] / 400))


def test_a_click_types_nothing_and_a_wish_to_clear_types_empty_text() -> None:
    assert action_on(mark("button"), SIZE, parse_action("Click Email")).text is None
    cleared = action_on(mark(), SIZE, parse_action("Clear Email"))
    assert (cleared.type, cleared.text) == ("type", "")
    assert cleared.openai == {"type": "keypress", "keys": ["DELETE"]}
