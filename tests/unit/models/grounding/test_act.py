"""`act` as a whole: who decided, what the tree changes, what texts without a mark are asked for, what the pixels say of colours."""

import numpy as np
import pytest

from models.grounding import Caption, GroundRequest, ground
from models.marks import mark
from models.regions import Regions
from tests.unit.models.grounding.scripted import IMAGE, SIZE_HW, Scripted, screen

MENU, ROLES = ["Home", "Save", "Remove", "Remove"], ["link", "button", "button", "button"]


def request(query: str, **fields: object) -> GroundRequest:
    regions, marking = screen(MENU, ROLES)
    return GroundRequest(image=IMAGE, regions=regions, marking=marking, query=query, task="act", **fields)


@pytest.mark.parametrize(("tree", "decided_by"), [(("2",), "accessibility"), (("1",), "text")])
def test_a_mark_of_the_tree_is_the_trees_decision(tree: tuple[str, ...], decided_by: str) -> None:
    result = ground(Scripted(), request("Click Save", from_tree=frozenset(tree)))
    assert (result.action.mark, result.decided_by) == ("2", decided_by)


def test_the_model_stays_the_one_who_decided_among_the_trees_marks() -> None:
    result = ground(Scripted(favourites=["4"]), request("Click Remove", from_tree=frozenset("1234")))
    assert (result.action.mark, result.decided_by) == ("4", "model")


def test_lines_are_read_only_where_the_marks_leave_it_open() -> None:
    read = []

    def captions() -> list[Caption]:
        read.append(1)
        return [
            Caption(text="Blue mug", bbox_xyxy_px=(152, 32, 200, 44)),
            Caption(text="Bowl", bbox_xyxy_px=(100, 32, 140, 44)),
        ]

    assert ground(Scripted(), request("Click Save", captions=captions)).action.mark == "2"
    assert read == []
    result = ground(Scripted(), request("Remove the Blue mug", captions=captions))
    assert (result.action.mark, result.decided_by, read) == ("4", "position", [1])
    assert ground(Scripted(), request("Remove the Bowl", captions=captions)).action.mark == "3"
    assert "read" in result.timing_ms


def test_the_forms_take_the_ratio() -> None:
    plain, dense = (ground(Scripted(), request("Click Save", device_pixel_ratio=ratio)).action for ratio in (1.0, 2.0))
    assert dense.point_xy_px == plain.point_xy_px
    assert dense.openai["x"] == int(plain.point_xy_px[0] / 2)


def test_a_colour_is_looked_at_on_the_picture() -> None:
    image = np.full((*SIZE_HW, 3), 255, np.uint8)
    boxes = [(20, 20, 120, 50), (140, 20, 240, 50), (260, 20, 360, 50)]
    for (x0, y0, x1, y1), color in zip(boxes, ((40, 130, 80), (30, 100, 230), (40, 130, 80)), strict=True):
        image[y0:y1, x0:x1] = color
    regions = Regions.from_boxes(SIZE_HW, boxes, roles=["button"] * 3, texts=["A1", "B2", "C3"])
    marking = mark(image, regions)[1]
    asked = GroundRequest(image=image, regions=regions, marking=marking, query="Click the blue button", task="act")
    result = ground(Scripted(), asked)
    assert (result.action.mark, result.decided_by) == ("2", "position")


@pytest.mark.parametrize(
    ("query", "mark_id", "kind", "text"),
    [
        ("Click [3]", "3", "click", None),
        ("mark 4", "4", "click", None),
        ("Please press the mark #2.", "2", "click", None),
        ("Type Oslo into [1]", "1", "type", "Oslo"),
        ("Clear mark 1", "1", "type", ""),
    ],
)
def test_a_mark_named_outright_is_the_one(query: str, mark_id: str, kind: str, text: str | None) -> None:
    """Whatever is written on the others: a page cannot take a mark's name from it."""
    regions, marking = screen(["Find", "mark 4", "[3]", "Type Oslo into [1]"], ["textbox", "button", "button", "link"])
    asked = GroundRequest(image=IMAGE, regions=regions, marking=marking, query=query, task="act")
    result = ground(Scripted(), asked)
    assert (result.action.mark, result.action.type, result.action.text) == (mark_id, kind, text)
    assert result.selected[0].confidence > 0.9


def test_what_is_no_marks_name_is_looked_up() -> None:
    """A number alone may be a page's; a mark beside which something stands is not the thing; mark 9 does not exist."""
    regions, marking = screen(["Home", "3", "Next", "mark 9"], ["link", "link", "link", "link"])
    for query, mark_id in [("Click 3", "2"), ("Click mark 9", "4"), ("the link right of [2]", "3")]:
        asked = GroundRequest(image=IMAGE, regions=regions, marking=marking, query=query, task="act")
        assert ground(Scripted(), asked).action.mark == mark_id, query
