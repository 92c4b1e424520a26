"""Placement on crowded pictures: nothing touches, hides or leaves the frame, and marks keep their numbers."""

import json

import numpy as np
import pytest

from models.marks import STYLES, Previous, mark, place
from models.regions import Regions
from tests.bench.mark_quality import quality
from tests.bench.marks_masks import coco_masks
from tests.bench.synthetic import case, jittered
from tests.unit.models.marks.geometry import label_pixels, random_boxes

FRAMES = {10: (342, 512), 50: (342, 512), 150: (512, 768)}


@pytest.fixture(scope="module", params=FRAMES)
def masks(request):
    return case(request.param, size_hw=FRAMES[request.param]).masks


def judged(masks, style):
    marks = place(Regions.from_masks(masks[0].shape, masks), style, max_marks=1000).marks
    return quality(
        [masks[one.region_index] for one in marks],
        [one.label_bbox_xyxy_px for one in marks],
        [one.leader for one in marks],
    )


def faults(found):
    return (
        found.touching,
        found.hidden_25,
        found.cut,
        found.over_half,
        found.hiding_roomy,
        found.labels - found.centre_or_leader,
    )


@pytest.mark.parametrize("style", ["markwise", {"fixed_label": True, "label_height_px": 24}])
def test_synthetic_masks_are_labelled_without_a_fault(masks, style):
    found = judged(masks, style)
    assert found.labels == len(masks)
    assert faults(found) == (0, 0, 0, 0, 0, 0)


def test_people_s_masks_are_labelled_without_a_fault(shared_data):
    truth = json.loads((shared_data / "coco" / "instances.json").read_text())
    for image in truth["images"][::6]:
        masks = coco_masks(truth, image)
        if masks:
            assert faults(judged(masks, "markwise")) == (0, 0, 0, 0, 0, 0), image["file_name"]


def test_a_pixel_of_growth_or_loss_renumbers_at_most_2_percent(masks):
    size_hw = masks[0].shape
    before = {one.region_index: one.id for one in place(Regions.from_masks(size_hw, masks), max_marks=1000).marks}
    shares = []
    for seed in range(5):
        after = place(Regions.from_masks(size_hw, jittered(masks, seed)), max_marks=1000).marks
        shares.append(sum(before[one.region_index] != one.id for one in after) / len(after))
    assert np.median(shares) <= 0.02


def test_a_lost_mask_and_a_moved_one_renumber_nothing_when_the_previous_marking_is_given(masks):
    size_hw = masks[0].shape
    regions = Regions.from_masks(size_hw, masks)
    before = place(regions, max_marks=1000)
    names = {one.region_index: one.id for one in before.marks}
    kept = [k for k in range(len(masks)) if k != 3]
    later = Regions.from_masks(size_hw, jittered([masks[k] for k in kept], 1))
    after = place(later, max_marks=1000, previous=Previous(regions=regions, marking=before))
    changed = [one for one in after.marks if names[kept[one.region_index]] != one.id]
    assert len(changed) <= 0.02 * len(masks)


def test_a_label_stands_on_quiet_ground_not_on_the_text_beside_its_element():
    image = np.full((200, 300, 3), 255, np.uint8)
    image[60:76, 20:280:2] = 0  # a line of text ...
    image[60:76, 100:160] = (255, 255, 255)
    image[60:76, 100:160:2] = (0, 0, 200)  # ... with a link in it
    image[40:56, 20:280:2] = 0
    regions = Regions.from_boxes((200, 300), [[100, 60, 160, 76]], texts=["link"], roles=["link"])
    _, marking = mark(image, regions)
    x0, y0, x1, y1 = map(round, marking.marks[0].label_bbox_xyxy_px)
    assert (image[y0:y1, x0:x1] == 255).mean() > 0.9
    assert marking.marks[0].leader is not None
    blind = place(regions).marks[0].label_bbox_xyxy_px
    assert blind != marking.marks[0].label_bbox_xyxy_px


def test_a_column_of_buttons_is_read_downwards_though_they_stagger():
    boxes = [[100, 100 + 44 * k, 260 - 20 * (k % 2), 136 + 44 * k] for k in range(8)]
    regions = Regions.from_boxes((600, 800), boxes, roles=["button"] * 8)
    assert [one.region_index for one in place(regions).marks] == list(range(8))


def test_buttons_on_one_line_are_read_across_though_their_heights_differ():
    boxes = [[20, 50, 80, 70], [100, 44, 160, 78], [180, 52, 240, 69], [260, 46, 320, 75]]
    regions = Regions.from_boxes((600, 800), boxes[::-1], texts=["a"] * 4)
    assert [one.region_index for one in place(regions).marks] == [3, 2, 1, 0]


def test_overlapping_fills_show_the_smallest_region_alone():
    regions = Regions.from_boxes((600, 300), [[20, 20, 280, 580], [60, 200, 240, 400]])
    image = np.full((600, 300, 3), 100, np.uint8)
    overlay, marking = mark(image, regions, {"draw": ["mask"], "alpha": 0.5})
    outer, inner = sorted(marking.marks, key=lambda one: -one.area_px)
    for one, (y, x) in ((outer, (100, 150)), (inner, (300, 150))):
        assert np.abs(overlay[y, x] - (50 + 0.5 * np.asarray(one.color_rgb))).max() <= 1
    layered, _ = mark(image, regions, {"draw": ["mask"], "alpha": 0.5, "overlap": "layered"})
    assert not np.array_equal(layered[300, 150], overlay[300, 150])


def test_outlines_have_no_seam_where_the_painter_works_in_bands():
    size_hw = (600, 90)
    overlay, _ = mark(
        np.zeros((*size_hw, 3), np.uint8), Regions.from_boxes(size_hw, [[20, 10, 70, 590]]), {"draw": ["contour"]}
    )
    column = overlay[10:590].any(2)
    assert (column == column[100]).all(1)[2:-2].all()


def test_more_regions_than_a_byte_counts_are_filled_in_their_own_colours():
    regions = random_boxes(300, (300, 400), high=0.05)
    image = np.zeros((300, 400, 3), np.uint8)
    overlay, marking = mark(image, regions, {"draw": ["mask"], "alpha": 1.0, "max_marks": 300})
    smallest = min(marking.marks, key=lambda one: one.area_px)
    x, y = (int(v) for v in smallest.point_xy_px)
    assert tuple(overlay[y, x]) == smallest.color_rgb


def test_the_styles_of_the_papers_keep_their_layers_and_order():
    assert {name: (style.overlap, style.order) for name, style in STYLES.items()} == {
        "markwise": ("topmost", "reading"),
        "som": ("layered", "largest_first"),
        "som-llava": ("layered", "smallest_first"),
    }


def test_labels_leave_every_click_point_free_on_a_crowded_picture(masks):
    regions = Regions.from_masks(masks[0].shape, masks)
    marking = place(regions, max_marks=1000)
    under = label_pixels(marking, regions.size_hw)
    free = [one for one in marking.marks if not one.occluded]
    assert not any(under[int(one.point_xy_px[1]), int(one.point_xy_px[0])] for one in free)
    assert len(free) >= 0.9 * len(masks)
