"""Regions keep exactly the pixels they were given, in COCO's own bytes, and refuse what does not fit together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from models.errors import BadRegions
from models.regions import Regions

SIZE = (60, 80)


def coco_counts(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


@settings(max_examples=150, deadline=None)
@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.sampled_from((1, 5, 8, 9, 16)))))
def test_masks_are_coded_as_coco_codes_them_and_come_back(mask):
    regions = Regions.from_masks(mask.shape, [mask])
    assert regions.rles[0] == {"size": list(mask.shape), "counts": coco_counts(mask)}
    assert np.array_equal(regions.mask(0), mask)
    assert regions.area_px(0) == mask.sum()
    again = Regions.from_rles(mask.shape, regions.rles)
    assert np.array_equal(again.mask(0), mask)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.integers(0, 80), st.integers(0, 60), st.integers(0, 60))
def test_a_box_is_coded_as_its_filled_rectangle(xa, xb, ya, yb):
    x0, x1, y0, y1 = min(xa, xb), max(xa, xb), min(ya, yb), max(ya, yb)
    mask = np.zeros(SIZE, np.bool_)
    mask[y0:y1, x0:x1] = True
    assert Regions.from_boxes(SIZE, [[x0, y0, x1, y1]]).rles[0]["counts"] == coco_counts(mask)


def test_large_areas_survive_the_number_coding():
    frame = (2000, 3000)
    mask = np.zeros(frame, np.bool_)
    mask[3:, 5:2990] = True
    mask[700:705, 1000:1004] = False
    regions = Regions.from_masks(frame, [mask])
    assert regions.rles[0]["counts"] == coco_counts(mask)
    assert np.array_equal(Regions.from_rles(frame, regions.rles).mask(0), mask)


def test_crop_is_the_mask_inside_its_tight_box():
    mask = np.zeros(SIZE, np.bool_)
    mask[10:13, 70:80] = True
    mask[11, 72] = False
    (x0, y0), crop = Regions.from_masks(SIZE, [mask]).crop(0)
    assert (x0, y0) == (70, 10)
    assert np.array_equal(crop, mask[10:13, 70:80])


def test_boxes_are_cut_at_the_frame_and_a_thin_one_keeps_a_pixel():
    regions = Regions.from_boxes(SIZE, [[-5, -5, 10, 10], [20.1, 20.1, 20.3, 20.4], [90, 90, 99, 99]])
    assert regions.boxes_xyxy_px[0].tolist() == [0, 0, 10, 10]
    assert [regions.area_px(i) for i in range(3)] == [100, 1, 0]
    assert regions.crop(1)[0] == (20, 20)


def test_polygons_with_several_rings_are_one_region():
    rings = [[0.0, 0, 10, 0, 10, 10, 0, 10], [20.0, 20, 30, 20, 30, 30, 20, 30]]
    assert Regions.from_polygons(SIZE, [rings]).area_px(0) == 200


def test_take_concat_and_scaled_keep_what_belongs_together():
    a = Regions.from_boxes(
        SIZE,
        [[0, 0, 10, 10], [20, 20, 40, 40]],
        scores=[0.5, 0.25],
        texts=["a", "b"],
        roles=["link", None],
        ids=["x", "y"],
        points=[None, (30.0, 31.0)],
    )
    joined = Regions.concat(a, a.take([1]))
    assert joined.ids == ("x", "y", "y")
    assert joined.take([True, False, True]).texts == ("a", "b")
    assert len(joined.take([])) == 0
    double = joined.scaled((120, 160))
    assert double.boxes_xyxy_px[1].tolist() == [40, 40, 80, 80]
    assert double.points_xy_px[1] == (60.0, 62.0)
    assert double.area_px(1) == 1600


def test_scaling_down_loses_no_region():
    mask = np.zeros((1000, 1000), np.bool_)
    mask[777, 333] = True
    small = Regions.from_masks((1000, 1000), [mask]).scaled((50, 50))
    assert np.argwhere(small.mask(0)).tolist() == [[38, 16]]


@pytest.mark.parametrize(
    "counts", ["", "\x00", "é", "0" * 3, "PPYo1", "~~~~", "o" * 40, coco_counts(np.ones((60, 81)))]
)
def test_malformed_runs_are_refused(counts):
    with pytest.raises(BadRegions):
        Regions.from_rles(SIZE, [{"size": list(SIZE), "counts": counts}])


def test_lengths_and_values_are_checked():
    with pytest.raises(BadRegions, match="size"):
        Regions.from_rles(SIZE, [{"size": [1, 1], "counts": "1"}])
    with pytest.raises(BadRegions, match=r"scores must have shape \(1,\)"):
        Regions.from_boxes(SIZE, [[0, 0, 1, 1]], scores=[1, 2])
    with pytest.raises(BadRegions, match="texts must have 1"):
        Regions.from_boxes(SIZE, [[0, 0, 1, 1]], texts=[])
    with pytest.raises(BadRegions, match="finite"):
        Regions.from_boxes(SIZE, [[0, 0, np.nan, 1]])
    with pytest.raises(BadRegions, match="x0 <= x1"):
        Regions.from_boxes(SIZE, [[5, 0, 1, 1]])
    with pytest.raises(BadRegions, match="share one frame"):
        Regions.concat(Regions.empty(SIZE), Regions.empty((1, 1)))
    with pytest.raises(BadRegions, match="at least 3"):
        Regions.from_polygons(SIZE, [[[0.0, 0, 1, 1]]])


def test_arrays_cannot_be_changed_behind_the_masks():
    regions = Regions.from_boxes(SIZE, [[0, 0, 1, 1]])
    with pytest.raises(ValueError, match="read-only"):
        regions.boxes_xyxy_px[0, 0] = 3
