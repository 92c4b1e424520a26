"""The interface bench counts what it says it counts."""

import numpy as np

from models.marks import place
from models.regions import Regions
from tests.bench.gui import Page, own_marks, score, unique_names

SIZE = (100, 200)


def page(boxes, elements, texts=None):
    regions = Regions.from_boxes(SIZE, boxes, texts=texts, roles=["button"] * len(boxes))
    return Page(
        name="drawn.png",
        image=np.zeros((*SIZE, 3), np.uint8),
        elements=tuple({"role": "button", "name": name, "bbox_xyxy_px": box} for name, box in elements),
        regions=regions,
        marking=place(regions),
        lines=(),
        wall_s=1.0,
        cpu_s=1.0,
    )


def test_a_mark_belongs_to_one_element_and_the_closest_box_gets_it():
    nested = page([(10, 10, 50, 30)], [("outer", [0, 0, 100, 60]), ("inner", [10, 10, 52, 30])])
    assert list(own_marks(nested)) == [1]


def test_two_marks_serve_two_elements_even_if_one_lies_in_the_other():
    nested = page([(10, 10, 50, 30), (0, 0, 100, 60)], [("outer", [0, 0, 100, 60]), ("inner", [10, 10, 52, 30])])
    assert len(own_marks(nested)) == 2


def test_names_that_occur_twice_or_not_at_all_are_not_clicked():
    twice = page([], [("Save", [0, 0, 9, 9]), ("Save", [20, 0, 29, 9]), ("", [40, 0, 49, 9]), ("Open", [60, 0, 69, 9])])
    assert [element["name"] for element in unique_names(twice)] == ["Open"]


def test_a_click_counts_only_inside_the_named_element():
    two = page(
        [(10, 10, 50, 30), (100, 10, 150, 30)],
        [("Save", [10, 10, 50, 30]), ("Open", [100, 10, 150, 30])],
        texts=["Save", "Open"],
    )
    first = two.marking.marks[0].id
    result = score([two], {"always the first": lambda query, page: first, "none": lambda query, page: None})
    assert result["clicks"] == {"plain": 0.0, "always the first": 0.5, "none": 0.0}
    assert (result["own_mark"], result["marks_per_element"]) == (1.0, 1.0)
