"""What holds for any masks: hypothesis draws them, nested, holed, empty, single pixels, equal ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.marks import STYLES, Previous, mark, place
from models.regions import Regions
from tests.unit.models.marks.geometry import cut_labels, touching_pairs, wrong_points

SIDES = st.integers(1, 140)


@st.composite
def frames(draw):
    """Regions on a small frame: boxes, discs with holes, noise, lines, empty masks and repetitions."""
    size_hw = draw(SIDES), draw(SIDES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ys, xs = np.mgrid[: size_hw[0], : size_hw[1]]
    masks = []
    for shape in draw(
        st.lists(st.sampled_from(["box", "ring", "noise", "line", "pixel", "empty", "again"]), max_size=12)
    ):
        x, y, radius = rng.uniform(0, size_hw[1]), rng.uniform(0, size_hw[0]), rng.uniform(1, max(size_hw))
        away = np.hypot(xs - x, ys - y)
        masks.append(
            {
                "box": (np.abs(xs - x) < radius) & (np.abs(ys - y) < radius / 2),
                "ring": (away < radius) & (away > radius / 3),
                "noise": (away < radius) & (rng.random(size_hw) < 0.5),
                "line": np.abs(xs - x) < 0.6,
                "pixel": (xs == int(x)) & (ys == int(y)),
                "empty": np.zeros(size_hw, np.bool_),
                "again": masks[-1] if masks else away < radius,
            }[shape]
        )
    texts = [draw(st.sampled_from([None, "Save", "12"])) for _ in masks]
    return Regions.from_masks(size_hw, masks, texts=texts)


@settings(max_examples=60, deadline=None)
@given(regions=frames(), style=st.sampled_from([*STYLES, {"kind": "auto", "draw": ["mask", "contour", "box", "mark"]}]))
def test_any_masks_are_marked_in_the_frame_with_points_that_hold(regions, style):
    image = np.full((*regions.size_hw, 3), 128, np.uint8)
    overlay, marking = mark(image, regions, style)
    assert overlay.shape == image.shape
    assert len(marking.marks) + marking.omitted_regions == len(regions)
    assert len({one.id for one in marking.marks}) == len(marking.marks)
    assert cut_labels(marking, regions.size_hw) == []
    assert wrong_points(marking, regions) == []
    again, same = mark(image, regions, style)
    assert (marking, overlay.tobytes()) == (same, again.tobytes())


@settings(max_examples=40, deadline=None)
@given(regions=frames())
def test_labels_touch_only_where_the_frame_has_no_room(regions):
    marking = place(regions)
    boxes = [one.label_bbox_xyxy_px for one in marking.marks]
    largest = max(((x1 - x0 + 2) * (y1 - y0 + 2) for x0, y0, x1, y1 in boxes), default=0.0)
    # Each label that is placed keeps another of its size off at most four times its own area.
    roomy = 5 * len(boxes) * largest < regions.size_hw[0] * regions.size_hw[1]
    if roomy and min(regions.size_hw) > 60:
        assert touching_pairs(marking) == []


@settings(max_examples=30, deadline=None)
@given(regions=frames(), lost=st.integers(0, 11))
def test_ids_stay_with_their_regions_when_one_is_lost(regions, lost):
    before = place(regions)
    kept = [k for k in range(len(regions)) if k != lost]
    after = place(regions.take(kept), previous=Previous(regions=regions, marking=before))
    names = {one.region_index: (one.id, one.area_px) for one in before.marks}
    codes = [rle["counts"] for rle in regions.rles]
    for one in after.marks:
        index = kept[one.region_index]
        if codes.count(codes[index]) == 1:  # equal masks may take each other's id
            assert one.id == names[index][0]


@pytest.mark.parametrize("draw", [["mask"], ["contour"], ["mark"], ["box"], []])
def test_each_part_can_be_drawn_alone(draw):
    regions = Regions.from_boxes((60, 80), [[5, 5, 60, 50]])
    image = np.full((60, 80, 3), 128, np.uint8)
    overlay, _ = mark(image, regions, {"draw": draw})
    assert np.array_equal(overlay, image) == (draw == [])
