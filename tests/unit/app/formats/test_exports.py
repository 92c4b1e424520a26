"""Mark sets leave for COCO, YOLO and LabelMe and come back: equal where the format allows, as stated where it does not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from pycocotools import mask as pycoco
from pycocotools.coco import COCO

from app.formats.coco import write_coco
from app.formats.exports import export, read_regions
from app.formats.labelme import write_labelme
from app.formats.yolo import class_names
from models.errors import BadRegions
from models.marks import place
from models.regions import Regions

SIZE_HW = (24, 31)
SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "coco" / "instances.json"

names = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
blobs = arrays(np.bool_, SIZE_HW, elements=st.booleans(), fill=st.just(False)) | st.integers(0, 2**32 - 1).map(
    lambda seed: cv2.GaussianBlur(np.random.default_rng(seed).random(SIZE_HW), (0, 0), 1 + seed % 3) > 0.5
)
thousandths = st.integers(0, 24_000).map(lambda v: v / 1000)


@st.composite
def mark_sets(draw):
    """Regions of every kind: masks with holes and several parts, empty ones, fractional boxes; texts in any script."""
    masks = draw(st.lists(blobs, max_size=5))
    boxes = [
        sorted([draw(thousandths), draw(thousandths)]) + sorted([draw(thousandths), draw(thousandths)]) for _ in masks
    ]
    count = len(masks)
    return Regions.from_masks(
        SIZE_HW,
        masks,
        [(x0, y0, x1, y1) for x0, x1, y0, y1 in boxes],
        scores=draw(st.lists(st.floats(0, 1, width=32), min_size=count, max_size=count)),
        texts=draw(st.lists(names, min_size=count, max_size=count)),
        roles=draw(st.lists(names, min_size=count, max_size=count)),
        ids=[f"{i}{draw(names) or ''}" for i in range(count)],
        points=draw(st.lists(st.none() | st.tuples(thousandths, thousandths), min_size=count, max_size=count)),
    )


def through(format, regions, **options):
    marks = [str(i + 1) for i in range(len(regions))]
    text, _, headers = export(format, regions, marks, "a.png", **options)
    known = json.loads(headers["X-Class-Names"]) if headers else ()
    assert all(value.isascii() for value in headers.values())
    return read_regions(text, regions.size_hw, known)


def assert_equal(one, other):
    assert one.rles == other.rles
    assert np.array_equal(one.boxes_xyxy_px, other.boxes_xyxy_px)
    assert np.array_equal(one.scores, other.scores)
    for field in ("size_hw", "texts", "roles", "ids", "points_xy_px"):
        assert getattr(one, field) == getattr(other, field), field


@settings(deadline=None)
@given(mark_sets())
def test_coco_and_labelme_come_back_equal_in_everything(regions):
    assert_equal(through("coco", regions), regions)
    assert_equal(through("labelme", regions), regions)


@settings(deadline=None)
@given(mark_sets())
def test_yolo_keeps_boxes_and_classes_and_masks_of_one_part(regions):
    boxes = through("yolo", regions)
    assert np.array_equal(boxes.boxes_xyxy_px, regions.boxes_xyxy_px)
    assert list(boxes.texts) == [regions.texts[i] or regions.roles[i] or "region" for i in range(len(regions))]
    full = regions.take([i for i in range(len(regions)) if regions.area_px(i)])
    masks = through("yolo", full, masks=True)
    assert masks.texts == tuple(full.texts[i] or full.roles[i] or "region" for i in range(len(full)))
    for i in range(len(full)):
        before, after = full.mask(i), masks.mask(i)
        assert not (before & ~after).any()
        if cv2.connectedComponents(before.view(np.uint8), connectivity=8)[0] == 2:
            assert np.array_equal(before, after)


@settings(deadline=None, max_examples=50)
@given(mark_sets())
def test_marks_of_what_came_back_are_the_same(regions):
    unique = regions.take([i for i in range(len(regions)) if regions.area_px(i)])
    assert place(through("coco", unique)).marks == place(unique).marks


@settings(deadline=None)
@given(blobs)
def test_the_tools_own_fillings_give_the_mask_back(mask):
    """Pillow's for LabelMe (a ragged outline may differ in a few pixels), OpenCV's on whole pixels for Ultralytics."""
    regions = Regions.from_masks(SIZE_HW, [mask])
    document = write_labelme(regions, ["1"], "a.png")
    picture = Image.new("L", SIZE_HW[::-1])
    for shape in document["shapes"]:
        if shape["shape_type"] == "polygon":
            assert len(shape["points"]) >= 3
            ImageDraw.Draw(picture).polygon([tuple(point) for point in shape["points"]], outline=1, fill=1)
    if document["shapes"][0]["shape_type"] == "polygon":
        assert (np.array(picture).astype(np.bool_) ^ mask).sum() <= 12
    row = export("yolo", regions, ["1"], "a.png", masks=True)[0].split()[1:]
    if row and cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[0] == 2:
        frame = np.zeros(SIZE_HW, np.uint8)
        points = (np.array(row, np.float32).reshape(-1, 2) * SIZE_HW[::-1]).astype(np.int32)
        assert np.array_equal(cv2.fillPoly(frame, [points], 1).astype(np.bool_), mask)


@pytest.fixture(scope="module")
def shared():
    if not SHARED.is_file():
        pytest.skip(f"needs {SHARED}")
    reference = COCO()
    reference.dataset = json.loads(SHARED.read_text())
    reference.createIndex()
    return reference


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools 2.0.11 on NumPy 2
def test_every_shared_coco_mask_is_read_as_pycocotools_reads_it_and_written_back(shared):
    seen = 0
    for image in shared.dataset["images"]:
        annotations = shared.imgToAnns[image["id"]]
        size_hw = (image["height"], image["width"])
        document = {"images": [image], "annotations": annotations, "categories": shared.dataset["categories"]}
        regions = read_regions(document, size_hw)
        truth = [shared.annToRLE(annotation) for annotation in annotations]
        texts = [one["counts"] if isinstance(one["counts"], str) else one["counts"].decode() for one in truth]
        assert [item["counts"] for item in regions.rles] == texts
        assert [regions.area_px(i) for i in range(len(regions))] == pycoco.area(truth).tolist() if truth else True
        again = COCO()
        again.dataset = json.loads(json.dumps(write_coco(regions, [str(i) for i in range(len(regions))], "a.png")))
        again.createIndex()
        for i, annotation in enumerate(again.dataset["annotations"]):
            assert again.annToRLE(annotation)["counts"] == regions.rles[i]["counts"]
            assert np.array_equal(again.annToMask(annotation), pycoco.decode(truth[i]))
            assert annotation["area"] == int(pycoco.area(truth[i]))
        assert_equal(read_regions(again.dataset, size_hw), regions)
        labels = through("labelme", regions)
        assert labels.rles == regions.rles
        seen += len(annotations)
    assert seen == len(shared.dataset["annotations"])


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{", "neither JSON nor YOLO"),
        ({}, "COCO's"),
        ([], "no JSON object"),
        ({"annotations": [], "images": []}, "one entry"),
        ({"annotations": [], "images": [{"height": 9, "width": 9}]}, "9 x 9, not 31 x 24"),
        ({"annotations": [{}]}, "neither `segmentation` nor `bbox`"),
        ({"annotations": [{"id": 7, "bbox": [1, 2]}]}, "annotation 7"),
        ({"annotations": [{"id": 7, "segmentation": [[1, 2, 3]]}]}, "annotation 7"),
        ({"annotations": [{"segmentation": {"size": [24, 31], "counts": [3]}}]}, "do not fill"),
        ({"annotations": [{"segmentation": {"size": [9, 9], "counts": "0"}}]}, "size"),
        ({"annotations": [{"bbox": [1, 1, 5, 5], "score": "high"}]}, "not made of numbers"),
        ({"annotations": [3]}, "lists? of objects"),
        ({"shapes": 3}, "list of objects"),
        ({"shapes": [], "imageHeight": 9, "imageWidth": 9}, "9 x 9, not 31 x 24"),
        ({"shapes": [{"shape_type": "polygon", "points": [[1, 2], [3, 4]]}]}, "LabelMe shape 0"),
        ({"shapes": [{"shape_type": "polygon", "points": [[1, 2], [3], [4, 5]]}]}, "LabelMe shape 0"),
        ({"shapes": [{"shape_type": "mask", "points": [[1, 2], [3, 4]]}]}, '"mask"'),
        ({"shapes": [{"points": [[1, 2], [3, float("nan")], [4, 5]]}]}, "not finite"),
        ("0 0.5 0.5 0.1", "YOLO row 1"),
        ("0 0.5 0.5 0.1 0.1\n# names", "YOLO row 2"),
        ("0 nan 0.5 0.1 0.1", "YOLO row 1"),
        ("-1 0.5 0.5 0.1 0.1", "YOLO row 1"),
    ],
)
def test_a_document_that_cannot_be_meant_is_refused_in_a_sentence(document, complaint):
    if isinstance(document, dict) and "annotations" in document and "images" not in document:
        document |= {"images": [{"height": SIZE_HW[0], "width": SIZE_HW[1]}]}
    with pytest.raises(BadRegions, match=complaint):
        read_regions(document, SIZE_HW)


def test_documents_of_other_tools_are_read():
    coco = {
        "images": [{"id": 5, "height": 24, "width": 31}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"id": 9, "category_id": 3, "segmentation": [[2, 2, 12, 2, 12, 12, 2, 12]], "bbox": [2, 2, 10, 10]},
            {"id": 10, "category_id": 3, "segmentation": {"size": [24, 31], "counts": [0, 24, 720]}},
            {"id": 11, "category_id": 4, "bbox": [1, 1, 5.5, 5]},
        ],
    }
    regions = read_regions(json.dumps(coco), SIZE_HW)
    assert (regions.ids, regions.texts) == (("9", "10", "11"), ("cat", "cat", None))
    assert [regions.area_px(i) for i in range(3)] == [100, 24, 30]
    labelme = {
        "shapes": [
            {"label": "a", "points": [[0, 0], [4, 0], [4, 4], [0, 4]], "group_id": 1, "shape_type": "polygon"},
            {"label": "b", "points": [[20, 10], [20, 14]], "shape_type": "circle"},
            {"label": "a", "points": [[10.5, 4], [6, 1]], "group_id": 1, "shape_type": "rectangle"},
        ]
    }
    regions = read_regions(labelme, SIZE_HW)
    assert (regions.ids, regions.texts) == (("0", "1"), ("a", "b"))
    assert regions.area_px(0) == 25 + 5 * 3
    assert abs(regions.area_px(1) - 16 * np.pi) < 4
    regions = read_regions("1 0.5 0.5 0.2 0.5 0.75\n0 0.1 0.1 0.5 0.1 0.5 0.5\n", SIZE_HW, ["dog", "cat"])
    assert regions.texts == ("cat", "dog")
    assert regions.scores.tolist() == [0.75, 1.0]


def test_classes_are_numbered_by_name():
    regions = Regions.from_boxes(SIZE_HW, [(0, 0, 5, 5)] * 3, texts=["b", None, None], roles=[None, "a", None])
    assert class_names(regions) == ["a", "b", "region"]
    assert [row.split()[0] for row in export("yolo", regions, list("123"), "x.png")[0].splitlines()] == ["1", "0", "2"]
