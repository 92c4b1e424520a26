"""Placement: labels touch nothing, points can be clicked, and nothing that is drawn crashes it."""

import math

import numpy as np
import pytest

from models.errors import BadInput
from models.marks import STYLES, Previous, place, style_of
from models.marks.order import mark_id, mark_number
from models.regions import Regions
from tests.unit.models.marks.geometry import (
    blobs,
    cut_labels,
    label_pixels,
    random_boxes,
    touching_pairs,
    visible_mask,
    wrong_points,
)

SIZE = (300, 400)


@pytest.fixture(scope="module")
def scene():
    return Regions.from_masks(SIZE, blobs(40, SIZE))


@pytest.mark.parametrize("style", STYLES)
def test_labels_touch_neither_each_other_nor_the_frame(scene, style):
    marking = place(scene, style)
    assert touching_pairs(marking) == []
    assert cut_labels(marking, SIZE) == []


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", [1, 2])
def test_points_are_visible_and_under_no_label(style, seed):
    regions = Regions.from_masks(SIZE, blobs(25, SIZE, seed=seed))
    assert wrong_points(place(regions, style), regions) == []


def test_labels_stand_on_their_own_visible_part_or_have_a_leader_to_it(scene):
    marking = place(scene)
    for mark in marking.marks:
        x0, y0, x1, y1 = map(round, mark.label_bbox_xyxy_px)
        seen = visible_mask(marking, scene, mark)
        if mark.leader is None:
            assert seen[y0:y1, x0:x1].mean() > 0.6
            continue
        start_x, start_y, end_x, end_y = mark.leader
        assert x0 <= start_x <= x1
        assert y0 <= start_y <= y1
        assert seen[math.floor(end_y), math.floor(end_x)] or not seen.any()


def test_a_small_region_is_not_buried_under_its_label():
    mark = place(Regions.from_boxes(SIZE, [[200, 150, 212, 162]])).marks[0]
    x0, y0, x1, y1 = mark.label_bbox_xyxy_px
    assert mark.leader is not None
    assert x1 <= 200 or x0 >= 212 or y1 <= 150 or y0 >= 162
    assert mark.point_xy_px == (206.5, 156.5) or mark.point_xy_px == (205.5, 155.5)


def test_an_elements_middle_stays_free_of_its_label():
    boxes = [[20, 20, 220, 60], [20, 100, 120, 116], [300, 20, 316, 36]]
    marking = place(Regions.from_boxes(SIZE, boxes, texts=["Save", "Home", None], roles=["button", "link", "button"]))
    under = label_pixels(marking, SIZE)
    for x0, y0, x1, y1 in boxes:
        assert not under[(y0 + y1) // 2, (x0 + x1) // 2]
    assert not under[35:45, 60:180].any()


def test_smaller_regions_keep_the_label_of_a_larger_one_off():
    outer, inner = [50, 50, 350, 250], [150, 100, 250, 200]
    marking = place(Regions.from_boxes(SIZE, [outer, inner]))
    big = max(marking.marks, key=lambda mark: mark.area_px)
    x0, y0, x1, y1 = big.label_bbox_xyxy_px
    assert x1 <= 150 or x0 >= 250 or y1 <= 100 or y0 >= 200
    assert big.leader is None


def test_equal_regions_all_stay_visible():
    regions = Regions.from_boxes(SIZE, [[100, 100, 200, 200]] * 5)
    marking = place(regions)
    assert not any(mark.occluded for mark in marking.marks)
    assert touching_pairs(marking) == []
    assert wrong_points(marking, regions) == []


def test_a_region_under_smaller_ones_is_marked_as_occluded():
    halves = [[100, 100, 150, 200], [150, 100, 200, 200]]
    marking = place(Regions.from_boxes(SIZE, [[100, 100, 200, 200], *halves]))
    assert [mark.occluded for mark in marking.marks if mark.area_px == 10000] == [True]
    x, y = next(mark.point_xy_px for mark in marking.marks if mark.occluded)
    assert 100 <= x < 200
    assert 100 <= y < 200


def test_a_callers_point_is_kept_where_it_lies_in_the_region():
    regions = Regions.from_boxes(
        SIZE, [[100, 100, 200, 200], [300, 100, 380, 200]], points=[(150.25, 149.75), (10.0, 10.0)]
    )
    inside, outside = sorted(place(regions).marks, key=lambda mark: mark.region_index)
    assert inside.point_xy_px == (150.25, 149.75)
    assert not inside.occluded
    assert 300 <= outside.point_xy_px[0] < 380


def test_nothing_depends_on_the_order_of_the_input(scene):
    back = scene.take(np.arange(len(scene))[::-1])
    keys = ("id", "region_id", "point_xy_px", "label_bbox_xyxy_px", "color_rgb")
    first, second = (
        {tuple(getattr(mark, key) for key in keys) for mark in place(regions).marks} for regions in (scene, back)
    )
    assert first == second


def test_reading_order_goes_by_rows():
    boxes = [[210, 12, 260, 40], [10, 200, 60, 230], [10, 10, 60, 40], [110, 8, 160, 42], [110, 204, 160, 228]]
    marks = place(Regions.from_boxes(SIZE, boxes)).marks
    assert [mark.id for mark in marks] == ["1", "2", "3", "4", "5"]
    assert [mark.region_index for mark in marks] == [2, 3, 0, 1, 4]


def shifted(mask, by_px, axis):
    return np.roll(np.pad(mask, 1), by_px, axis)[1:-1, 1:-1]


def test_a_pixel_of_jitter_renumbers_little():
    renumbered = []
    for seed in range(6):
        masks = blobs(40, SIZE, seed=seed)
        jittered = [shifted(mask, seed % 3 - 1, k % 2) for k, mask in enumerate(masks)]
        before, after = (
            {mark.region_id: mark.id for mark in place(Regions.from_masks(SIZE, m)).marks} for m in (masks, jittered)
        )
        renumbered.append(sum(before[key] != after[key] for key in before))
    assert np.median(renumbered) <= 6


def test_previous_ids_stay_with_their_regions():
    regions = random_boxes(12, SIZE, low=0.1)
    before = place(regions)
    ids = {mark.region_index: mark.id for mark in before.marks}
    moved = Regions.concat(
        Regions.from_boxes(SIZE, [[0, 0, 20, 14]]),
        Regions.from_boxes(SIZE, np.clip(regions.boxes_xyxy_px + 1, 0, [400, 300, 400, 300])).take(range(1, 12)),
    )
    after = place(moved, previous=Previous(regions=regions, marking=before))
    found = {mark.region_index: mark.id for mark in after.marks}
    assert {k: found[k] for k in range(1, 12)} == {k: ids[k] for k in range(1, 12)}
    assert found[0] == "13"  # the freed id still means the region that went
    assert [mark_number(mark.id, "number") for mark in after.marks] == sorted(int(mark.id) for mark in after.marks)


def test_previous_of_another_size_is_matched_by_scale():
    regions = random_boxes(8, SIZE, low=0.1)
    before = place(regions)
    after = place(regions.scaled((600, 800)), previous=Previous(regions=regions, marking=before))
    assert [(m.id, m.region_index) for m in after.marks] == [(m.id, m.region_index) for m in before.marks]


def test_max_marks_keeps_the_best_and_counts_the_rest():
    scores = [0.1, 0.9, 0.5, 0.5, 0.2]
    boxes = [[0, 0, 90, 90], [100, 0, 130, 30], [200, 0, 220, 20], [300, 0, 340, 40], [0, 200, 90, 290]]
    marking = place(Regions.from_boxes(SIZE, boxes, scores=scores), max_marks=2)
    assert {mark.region_index for mark in marking.marks} == {1, 3}
    assert marking.omitted_regions == 3


def test_som_numbers_from_the_largest_and_som_llava_from_the_smallest_without_crumbs():
    boxes = [[0, 0, 10, 10], [50, 50, 250, 250], [260, 10, 390, 100]]
    regions = Regions.from_boxes(SIZE, boxes)
    assert [mark.region_index for mark in place(regions, "som").marks] == [1, 2, 0]
    marking = place(regions, "som-llava")  # 100 px at short side 300 count as 455 at 640
    assert [mark.region_index for mark in marking.marks] == [0, 2, 1]
    crumbs = place(Regions.from_boxes(SIZE, [*boxes, [300, 200, 304, 206], boxes[1]]), "som-llava")
    assert crumbs.omitted_regions == 2  # 24 px, and the second of two equal regions


def test_published_presets_draw_what_the_papers_drew():
    som, llava = STYLES["som"], STYLES["som-llava"]
    assert (som.draw, som.alpha, som.label_colors) == (("mask", "contour", "mark"), 0.1, "black")
    assert (llava.draw, llava.min_area_px, llava.label_colors) == (("mark",), 110.0, "black")


@pytest.mark.parametrize(("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (703, "AAA")])
def test_letters_are_bijective_base_26(number, letters):
    assert mark_id(number, "letter") == letters
    assert mark_number(letters, "letter") == number


def test_styles_can_be_changed_field_by_field_and_mistakes_are_named():
    style = style_of({"name": "som", "kind": "letter", "draw": ["box", "mark"]})
    assert (style.order, style.kind, style.draw) == ("largest_first", "letter", ("box", "mark"))
    for bad in ("nope", {"colour": 1}, {"alpha": 3}, {"kind": "roman"}, {"draw": ["all"]}, {"alpha": "x"}, {"draw": 3}):
        with pytest.raises(BadInput):
            style_of(bad)


DEGENERATE = {
    "none": Regions.empty(SIZE),
    "empty masks": Regions.from_masks(SIZE, [np.zeros(SIZE, np.bool_)] * 3),
    "one pixel": Regions.from_boxes(SIZE, [[0, 0, 1, 1], [399, 299, 400, 300], [7, 9, 8, 10]]),
    "whole frame": Regions.from_boxes(SIZE, [[0, 0, 400, 300]] * 2),
    "lines": Regions.from_boxes(SIZE, [[0, 10, 400, 11], [30, 0, 31, 300]]),
    "tiny frame": Regions.from_boxes((1, 1), [[0, 0, 1, 1]]),
    "strip": random_boxes(30, (2, 300)),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_regions_are_placed_in_the_frame(name, style):
    regions = DEGENERATE[name]
    marking = place(regions, style)
    assert len(marking.marks) + marking.omitted_regions == len(regions)
    assert cut_labels(marking, regions.size_hw) == []
    for mark in marking.marks:
        assert regions.mask(mark.region_index)[math.floor(mark.point_xy_px[1]), math.floor(mark.point_xy_px[0])]


def test_empty_masks_get_no_mark():
    marking = place(DEGENERATE["empty masks"])
    assert (marking.marks, marking.omitted_regions) == ((), 3)


def test_a_thousand_regions_get_a_thousand_labels_apart():
    regions = random_boxes(1000, (683, 1024), high=0.2)
    marking = place(regions, max_marks=1000)
    assert len(marking.marks) == 1000
    assert touching_pairs(marking) == []
    assert place(regions).omitted_regions == 901


@pytest.mark.parametrize(("size_hw", "least", "most"), [((240, 320), 11, 18), ((2160, 3840), 20, 60)])
def test_labels_are_legible_on_thumbnails_and_on_4k(size_hw, least, most):
    marks = place(random_boxes(20, size_hw, low=0.1)).marks
    heights = [mark.label_bbox_xyxy_px[3] - mark.label_bbox_xyxy_px[1] for mark in marks]
    assert least <= min(heights) <= max(heights) <= most
