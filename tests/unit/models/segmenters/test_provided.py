"""The caller's regions come back as they were given, or the error says which one cannot be meant."""

import numpy as np
import pytest
from pycocotools import mask as coco

from models.errors import BadRegions
from models.protocols import ProvidedRegion, SegmentRequest
from models.segmenters.accessibility import tree_regions
from models.segmenters.provided import ProvidedSegmenter

IMAGE = np.zeros((60, 80, 3), np.uint8)


def segment(*provided, tree=None, ratio=1.0):
    request = SegmentRequest(provided=provided, accessibility_tree=tree, device_pixel_ratio=ratio)
    return ProvidedSegmenter().segment(IMAGE, request)


def rle_of(mask):
    coded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(coded["size"]), "counts": coded["counts"].decode()}


def test_every_geometry_keeps_the_callers_id_text_and_role():
    mask = np.zeros((60, 80), np.bool_)
    mask[5:9, 5:9] = True
    regions = segment(
        ProvidedRegion(id="box", bbox_xyxy_px=(1, 2, 11, 12), text="Save", role="button"),
        ProvidedRegion(polygon_px=((10, 10, 30, 10, 30, 30, 10, 30),)),
        ProvidedRegion(rle=rle_of(mask)),
        ProvidedRegion(id="p", point_xy_px=(40.5, 20.25)),
        ProvidedRegion(stroke_px=((5, 50), (70, 50))),
    )
    assert regions.ids == ("box", "1", "2", "p", "4")
    assert (regions.texts[0], regions.roles[0]) == ("Save", "button")
    assert [regions.area_px(i) for i in (0, 1, 2)] == [100, 400, 16]
    assert regions.points_xy_px[3] == (40.5, 20.25)
    assert regions.mask(3)[20, 40]
    assert regions.mask(4)[50, 5:70].all()


def test_equal_regions_are_not_merged():
    box = ProvidedRegion(bbox_xyxy_px=(1, 2, 11, 12))
    assert len(segment(box, box, box)) == 3


def test_only_what_lies_wholly_outside_is_dropped_and_ids_do_not_move_up():
    regions = segment(
        ProvidedRegion(bbox_xyxy_px=(90, 0, 99, 9)),
        ProvidedRegion(bbox_xyxy_px=(-5, -5, 3, 3)),
        ProvidedRegion(point_xy_px=(80, 10)),
        ProvidedRegion(polygon_px=((100, 100, 120, 100, 120, 120),)),
        ProvidedRegion(stroke_px=((-50, -50), (-40, -40))),
        ProvidedRegion(bbox_xyxy_px=(79, 59, 99, 99)),
    )
    assert regions.ids == ("1", "5")
    assert regions.area_px(1) == 1


@pytest.mark.parametrize(
    ("region", "complaint"),
    [
        (ProvidedRegion(), "exactly one of"),
        (ProvidedRegion(bbox_xyxy_px=(0, 0, 5, 5), point_xy_px=(1, 1)), "exactly one of"),
        (ProvidedRegion(bbox_xyxy_px=(5, 0, 5, 9)), "x0 < x1"),
        (ProvidedRegion(bbox_xyxy_px=(0, 0, float("nan"), 9)), "not finite"),
        (ProvidedRegion(polygon_px=((0, 0, 5, 5),)), "at least 3 x, y pairs"),
        (ProvidedRegion(polygon_px=()), "ring"),
        (ProvidedRegion(rle={"size": [10, 10], "counts": "d3"}), "size"),
        (ProvidedRegion(rle={"size": [60, 80], "counts": "\x00"}), "region 1"),
        (ProvidedRegion(point_xy_px=(float("inf"), 1)), "not finite"),
        (ProvidedRegion(point_xy_px=(1,)), "needs 2 numbers"),
        (ProvidedRegion(bbox_xyxy_px=(0, 1, 2)), "needs 4 numbers"),
        (ProvidedRegion(stroke_px=()), "at least one"),
        (ProvidedRegion(stroke_px=((1, 2), (3,))), "stroke_px"),
    ],
)
def test_bad_geometry_is_refused_by_index_and_id(region, complaint):
    good = ProvidedRegion(bbox_xyxy_px=(0, 0, 5, 5))
    named = ProvidedRegion(
        id="odd",
        bbox_xyxy_px=region.bbox_xyxy_px,
        polygon_px=region.polygon_px,
        rle=region.rle,
        point_xy_px=region.point_xy_px,
        stroke_px=region.stroke_px,
    )
    with pytest.raises(BadRegions) as caught:
        segment(good, named)
    assert str(caught.value).startswith('region 1 (id "odd")')
    assert complaint in str(caught.value)


def test_nothing_given_is_an_error_and_nothing_visible_is_not():
    with pytest.raises(BadRegions):
        segment()
    assert len(segment(ProvidedRegion(bbox_xyxy_px=(-9, -9, -1, -1)))) == 0


def test_a_tree_gives_controls_and_named_leaves_in_document_order():
    tree = {
        "role": "main",
        "name": "Page",
        "bbox": [0, 0, 80, 60],
        "children": [
            {
                "role": "button",
                "name": "Save",
                "bbox": [1, 1, 9, 9],
                "children": [{"role": "img", "bbox": [2, 2, 4, 4]}],
            },
            {"role": "group", "bbox": [0, 10, 80, 20], "children": [{"role": "link", "name": "Help", "id": "h"}]},
            {"role": "textbox", "name": "Mail", "bbox": {"x": 10, "y": 20, "width": 30, "height": 10}, "id": 7},
            {"role": "button", "name": "Ghost", "bbox": [1, 1, 9, 9], "hidden": True},
            {"role": "generic", "name": "Note", "bbox": [0, 40, 9, 49]},
        ],
    }
    found = tree_regions(tree, IMAGE.shape[:2], 2.0)
    assert [(one.id, one.text, one.role) for one in found] == [
        ("0.0", "Save", "button"),
        ("7", "Mail", "textbox"),
        ("0.4", "Note", "text"),
    ]
    assert found[1].bbox_xyxy_px == (20, 40, 80, 60)


def test_a_tree_in_image_pixels_is_not_scaled():
    found = tree_regions([{"role": "link", "name": "A", "bbox_xyxy_px": [10, 20, 30, 40]}], IMAGE.shape[:2], 2.0)
    assert found[0].bbox_xyxy_px == (10, 20, 30, 40)


@pytest.mark.parametrize(
    "tree",
    [
        3,
        {"role": "button", "bbox": [1, 2, 3]},
        {"role": "button", "bbox": ["a", 2, 3, 4]},
        {"role": "button", "bbox": [0, 0, float("inf"), 4]},
        {"role": "main", "children": {"role": "button"}},
        {"role": "main", "children": [3]},
    ],
)
def test_a_malformed_tree_names_its_node(tree):
    with pytest.raises(BadRegions, match="accessibility node 0"):
        tree_regions(tree, IMAGE.shape[:2])


def test_a_tree_deeper_than_the_stack_is_read():
    tree = {"role": "button", "name": "deep", "bbox": [0, 0, 5, 5]}
    for _ in range(5000):
        tree = {"role": "group", "children": [tree]}
    assert [one.text for one in tree_regions(tree, IMAGE.shape[:2])] == ["deep"]


def test_a_tree_without_end_is_refused():
    node = {"role": "group"}
    node["children"] = [node]
    with pytest.raises(BadRegions, match="more than"):
        tree_regions(node, IMAGE.shape[:2])
