"""What a person does to regions: the pixels stay where they were, and words and ids go where one expects them."""

import numpy as np
import pytest

from models.editing import added, merged, split, without
from models.errors import BadRegions
from models.regions import Regions

SIZE_HW = (60, 120)


@pytest.fixture
def regions() -> Regions:
    return Regions.from_boxes(
        SIZE_HW,
        [(0, 0, 20, 20), (30, 10, 70, 50), (80, 0, 120, 20)],
        scores=[0.5, 0.9, 0.7],
        texts=["a", None, "c"],
        roles=[None, "button", "link"],
        ids=["x", "y", "z"],
    )


def test_what_is_taken_away_leaves_the_rest_as_it_was(regions: Regions) -> None:
    assert without(regions, [1]).ids == ("x", "z")
    assert len(without(regions, [0, 1, 2])) == 0


def test_merged_marks_are_their_union_in_the_place_of_the_first(regions: Regions) -> None:
    made = merged(regions, [2, 0])
    assert made.ids == ("y", "z")
    assert np.array_equal(made.mask(1), regions.mask(0) | regions.mask(2))
    assert (made.texts[1], made.roles[1], made.scores[1]) == ("c a", "link", np.float32(0.7))
    assert merged(regions, [0, 1], "both").texts[0] == "both"
    with pytest.raises(BadRegions, match="two marks"):
        merged(regions, [1, 1])


def test_a_line_parts_a_region_and_no_pixel_is_lost(regions: Regions) -> None:
    made = split(regions, 1, [(45, 0), (45, 59)])
    assert made.ids == ("x", "y", "y.2", "z")
    assert np.array_equal(made.mask(1) | made.mask(2), regions.mask(1))
    assert not (made.mask(1) & made.mask(2)).any()
    assert made.area_px(1) > made.area_px(2) > 500
    assert made.roles[1:3] == ("button", "button")


def test_a_diagonal_line_parts_as_well(regions: Regions) -> None:
    assert len(split(regions, 1, [(20, 0), (80, 60)])) == 4


def test_separate_parts_come_apart_without_a_line(regions: Regions) -> None:
    apart = split(merged(regions, [0, 2]), 0)
    assert [apart.area_px(i) for i in range(3)] == [800, 400, 1600]


@pytest.mark.parametrize("line", [None, [(30, 10), (40, 20)], [(0, 0), (5, 0)]])
def test_a_line_that_parts_nothing_is_refused(regions: Regions, line: list[tuple[int, int]] | None) -> None:
    with pytest.raises(BadRegions, match="part"):
        split(regions, 1, line)


def test_a_new_region_comes_last_and_an_empty_one_is_refused(regions: Regions) -> None:
    new = Regions.from_boxes(SIZE_HW, [(0, 40, 10, 60)], ids=["new"])
    assert added(regions, new).ids == ("x", "y", "z", "new")
    assert added(Regions.empty(SIZE_HW), new).ids == ("new",)
    with pytest.raises(BadRegions, match="lies in the image"):
        added(regions, Regions.empty(SIZE_HW))
