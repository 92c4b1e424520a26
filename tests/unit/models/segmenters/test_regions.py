"""The weight-free regions: drawn things on any ground, something sensible on photos."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.drawings import scene
from models.protocols import SegmentRequest
from models.segmenters.merge_tree import build
from models.segmenters.regions import RegionsSegmenter
from models.segmenters.superpixels import basins, edge_strength

SEGMENTER = RegionsSegmenter()


def iou(one, other):
    return (one & other).sum() / max((one | other).sum(), 1)


def test_drawn_scenes_are_found_thing_by_thing():
    hits = things = made = 0
    for seed in range(1_000_300, 1_000_330):
        drawn = scene(seed)
        regions = SEGMENTER.segment(drawn.image, SegmentRequest())
        masks = [regions.mask(i) for i in range(len(regions))]
        made += len(masks)
        for i in range(len(drawn.regions)):
            box = drawn.regions.bounds(i)
            truth = drawn.regions.mask(i)
            boxed = [_box_iou(box, regions.bounds(j)) for j in range(len(regions))]
            # Some scenes state their truth as boxes; a mask of the thing itself fits its box only in outline.
            things += 1
            hits += max((max(iou(truth, mask), fit) for mask, fit in zip(masks, boxed, strict=True)), default=0) >= 0.5
    assert hits >= 0.93 * things, f"{hits} of {things}"
    assert made <= 1.25 * things, f"{made} regions for {things} things"


def test_shapes_on_a_striped_ground_keep_their_outline():
    image = np.full((240, 320, 3), (200, 205, 210), np.uint8)
    image[::8] -= 12
    image[60:140, 40:120] = (200, 30, 30)
    yy, xx = np.mgrid[:240, :320]
    disc = (yy - 150) ** 2 + (xx - 230) ** 2 < 45**2
    image[disc] = (30, 60, 200)
    square = np.zeros((240, 320), np.bool_)
    square[60:140, 40:120] = True
    regions = SEGMENTER.segment(image, SegmentRequest())
    assert len(regions) == 2
    assert sorted(round(max(iou(regions.mask(i), truth) for truth in (square, disc)), 1) for i in range(2)) >= [
        0.9,
        0.9,
    ]


def cloudy(seed):
    """Random texture at three scales: no ground and edges everywhere, as in a photo."""
    rng = np.random.default_rng(seed)
    parts = (cv2.GaussianBlur(rng.random((120, 160, 3)), (0, 0), sigma) * sigma for sigma in (20, 6, 2))
    picture = sum(parts)
    return ((picture - picture.min()) / np.ptp(picture) * 255).astype(np.uint8)


@pytest.mark.parametrize("image", [scene(1_000_301).image, scene(1_000_306).image, cloudy(1), cloudy(2)])
def test_granularity_goes_from_few_big_regions_to_many_small_ones(image):
    levels = [SEGMENTER.segment(image, SegmentRequest(granularity=level)) for level in range(1, 7)]
    counts = [len(regions) for regions in levels]
    areas = [float(np.median([regions.area_px(i) for i in range(len(regions))])) for regions in levels]
    assert counts == sorted(counts)
    assert areas[0] >= areas[2] >= areas[5]
    assert counts[0] <= 10
    assert counts[5] > counts[0]


def test_fine_levels_of_a_drawing_are_parts_and_no_slivers_along_edges():
    drawn = scene(1_000_306)
    assert len(SEGMENTER.segment(drawn.image, SegmentRequest(granularity=6))) <= 4 * len(drawn.regions)


@pytest.mark.parametrize("value", [0, 255])
def test_an_even_picture_has_no_regions(value):
    assert len(SEGMENTER.segment(np.full((90, 120, 3), value, np.uint8), SegmentRequest())) == 0


def test_regions_of_a_large_picture_have_its_size():
    image = np.zeros((1200, 1600, 3), np.uint8)
    image[300:700, 400:900] = 255
    regions = SEGMENTER.segment(image, SegmentRequest())
    assert len(regions) == 1
    assert np.abs(regions.boxes_xyxy_px[0] - (400, 300, 900, 700)).max() <= 8


def test_a_merge_tree_joins_the_alike_first_and_grows_upward():
    labels = np.repeat(np.arange(3, dtype=np.int32), 10)[None].repeat(20, axis=0)
    lab = np.zeros((20, 30, 3), np.float32)
    lab[:, 10:20, 0], lab[:, 20:, 0] = 5, 60
    tree = build(labels, lab, np.zeros((20, 30), np.float32))
    assert sorted(tree.leaves_of(3)) == [0, 1]
    assert sorted(tree.leaves_of(4)) == [0, 1, 2]
    assert tree.area_px.tolist() == [200, 200, 200, 400, 600]
    assert tree.border_px.tolist() == [20, 40, 20, 20, 0]
    assert tree.frame_px.tolist() == [38, 20, 38, 58, 96]
    assert 0 < tree.height[3] < tree.height[4]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
def test_every_merge_tree_is_one_tree_of_nested_intervals(seed, high, wide):
    rng = np.random.default_rng(seed)
    _, labels = np.unique(rng.integers(0, 9, (high, wide)), return_inverse=True)
    labels = labels.reshape(high, wide).astype(np.int32)
    picture = (rng.random((high, wide, 3)) * 50).astype(np.float32)
    strength = rng.random((high, wide)).astype(np.float32)
    tree = build(labels, picture, strength)
    assert len(tree.parent) == 2 * tree.leaves - 1
    assert tree.area_px[-1] == labels.size
    assert sorted(tree.rank.tolist()) == list(range(tree.leaves))
    for node in range(tree.leaves, len(tree.parent)):
        one, other = tree.children[node]
        assert sorted(tree.leaves_of(node)) == sorted(tree.leaves_of(one) + tree.leaves_of(other))
        assert tree.height[node] >= max(tree.height[one], tree.height[other])
        inside = np.isin(labels, tree.leaves_of(node))
        assert tree.area_px[node] == inside.sum()
        border = (inside[:, 1:] != inside[:, :-1]).sum() + (inside[1:] != inside[:-1]).sum()
        assert tree.border_px[node] == border


def test_basins_are_connected_and_an_even_ground_is_one():
    rng = np.random.default_rng(0)
    edges = cv2.GaussianBlur(rng.random((40, 60)).astype(np.float32), (0, 0), 2)
    edges[:, 30:] = 0
    labels = basins(edges)
    assert (labels[:, 32:] == labels[0, 40]).all()
    for label in range(int(labels.max()) + 1):
        assert cv2.connectedComponents((labels == label).astype(np.uint8))[0] == 2


def test_a_step_is_an_edge_and_a_pattern_is_none():
    lab = np.zeros((60, 120, 3), np.float32)
    lab[:, 60:, 0] = 40
    lab[:, :50, 0] += 8 * (np.indices((60, 50)).sum(axis=0) % 2)
    edges = edge_strength(lab)
    assert edges[10:50, 58:62].max(axis=1).min() > 10
    assert edges[10:50, 10:40].max() < 2


def _box_iou(one, other):
    if one is None or other is None:
        return 0.0
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    both = max(wide, 0) * max(high, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both)
