"""The interface bench counts what it says it counts."""

import numpy as np

from models.marks import place
from models.regions import Regions
from tests.bench.gui import score, table
from tests.bench.gui_pages import Clock, Look, Page, with_change
from tests.bench.gui_scoring import close_marks, own_marks, unique_names

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
        first=Look(wall_s=1.0, cpu_s=1.0, stages={}),
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
    assert result["clicks"] == {"plain": 0.0, "always the first": 0.5, "none": 0.0, "accessibility": 1.0}
    assert (result["own_mark"], result["marks_per_element"]) == (1.0, 1.0)
    assert "clicks that land, plain" in table(result)


def test_elements_are_read_where_a_mark_of_theirs_has_a_text_and_are_described_by_what_they_are():
    two = page(
        [(10, 10, 50, 30), (100, 10, 150, 30)],
        [("Save", [10, 10, 50, 30]), ("Open", [100, 10, 150, 30])],
        texts=["Save", None],
    )
    first, said = two.marking.marks[0].id, []
    result = score([two], {"first": lambda query, page: said.append(query) or first})
    assert result["read"]["elements"] == 1
    assert result["read"]["names"]["first"] == result["read"]["descriptions"]["first"] == 1.0
    assert 'Click the button "Save"' in said
    assert 'Click the button "Open"' not in said


def test_a_mark_inside_a_much_larger_element_is_its_own_but_not_close():
    loose = page([(40, 20, 60, 30)], [("card", [0, 0, 100, 60])])
    assert (len(own_marks(loose)), close_marks(loose)) == (1, 0)


def test_a_stage_within_another_is_counted_once():
    clock = Clock()
    with clock.stage("outer"), clock.stage("inner"):
        sum(range(200_000))
    outer, inner = clock.spent["outer"], clock.spent["inner"]
    assert 0 <= outer[0] < inner[0]


def test_only_the_element_in_the_middle_changes():
    image = np.zeros((100, 200, 3), np.uint8)
    changed = with_change(image, [{"bbox_xyxy_px": [0, 0, 10, 10]}, {"bbox_xyxy_px": [90, 40, 110, 60]}])
    assert (np.argwhere(changed.any(axis=2)).min(axis=0).tolist(), int(changed.any(axis=2).sum())) == ([40, 90], 400)
