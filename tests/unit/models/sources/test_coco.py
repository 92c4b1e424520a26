"""COCO's three kinds of file, the two sources that are published in the same form, and what is wrong in them."""

from pathlib import Path

import numpy as np
import pytest

from app.imaging.encode import encode
from models.facts import ImageFacts, ObjectFact
from models.sources.records import BrokenFile, ImageReference
from models.sources.regions import regions_of

IMAGE = {"id": 7, "file_name": "7.jpg", "width": 40, "height": 30, "coco_url": "http://images/7.jpg"}
CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 3, "name": "mat", "isthing": 0}]
POLYGON = [[1.0, 2.0, 9.0, 2.0, 9.0, 8.0]]
CAT = {"id": 5, "image_id": 7, "category_id": 1, "bbox": [1, 2, 8, 6], "segmentation": POLYGON, "iscrowd": 0}
CROWD = {**CAT, "id": 6, "segmentation": {"size": [30, 40], "counts": [0, 1200]}, "iscrowd": 1}
CAPTION = {"id": 1, "image_id": 7, "caption": " A cat \n"}


def document(*annotations: object, images: object = (IMAGE,)) -> dict[str, object]:
    return {"info": {}, "images": list(images), "annotations": list(annotations), "categories": CATEGORIES}


def test_instances_and_captions_of_one_image_become_one_record(opened) -> None:
    records, faults = opened(
        "coco", captions__json=document(CAPTION, {**CAPTION, "id": 2}), instances__json=document(CAT, CROWD)
    )
    assert faults == {}
    assert records["7"].image == ImageReference(file_name="7.jpg", url="http://images/7.jpg")
    box = (1.0, 2.0, 9.0, 8.0)
    assert records["7"].facts == ImageFacts(
        size_hw=(30, 40),
        captions=("A cat",),
        objects=(
            ObjectFact(id="5", label="cat", bbox_xyxy_px=box, outline=POLYGON),
            ObjectFact(
                id="6", label="cat", bbox_xyxy_px=box, outline={"size": [30, 40], "counts": [0, 1200]}, crowd=True
            ),
        ),
    )


def test_captions_may_be_a_bare_list_and_an_image_may_have_nothing(opened) -> None:
    empty = {**IMAGE, "id": 8}
    records, faults = opened("coco", a__json=document(CAT, images=[IMAGE, empty]), b__json=[CAPTION])
    assert faults == {}
    assert records["7"].facts.captions == ("A cat",)
    assert records["8"].facts == ImageFacts(size_hw=(30, 40))


def test_several_files_of_one_kind_are_joined(opened) -> None:
    other = {**IMAGE, "id": 8}
    records, _ = opened("coco", train__json=document(CAT), val__json=document({**CAT, "image_id": 8}, images=[other]))
    assert {name: len(record.facts.objects) for name, record in records.items()} == {"7": 1, "8": 1}


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({**CAT, "category_id": 9}, "annotation 5: there is no category 9"),
        ({**CAT, "category_id": [1]}, "annotation 5: there is no category [1]"),
        ({**CAT, "bbox": [1, 2, 3]}, "annotation 5: `bbox` must be [x, y, width, height]"),
        ({**CAT, "bbox": [1, 2, "x", 4]}, "annotation 5: `bbox` must be a number"),
        ({**CAT, "segmentation": [1, 2]}, "annotation 5: `segmentation` must be polygons or run lengths"),
        ({"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]}, "`id` is missing"),
    ],
)
def test_a_broken_annotation_names_itself_and_spares_the_other_images(opened, annotation, said) -> None:
    good = {**IMAGE, "id": 8}
    records, faults = opened(
        "coco", a__json=document({**CAT, "image_id": 8, "id": 1}, annotation, images=[IMAGE, good])
    )
    assert faults == {"7": said}
    assert set(records) == {"8"}


def test_images_that_nobody_lists_and_images_without_a_size(opened) -> None:
    lost = {**CAT, "id": 1, "image_id": 99}
    flat = {"id": 8, "file_name": "8.jpg", "width": 0, "height": 5}
    _, faults = opened("coco", a__json=document(lost, {"bbox": [], "image_id": None}, images=[flat]))
    assert faults == {
        "99": "annotation 1 is about an image that no file lists",
        "(no image_id)": "annotation without id is about an image that no file lists",
        "8": "`width` and `height` must be at least 1",
    }


def test_two_annotations_with_one_id_are_refused(opened) -> None:
    _, faults = opened("coco", a__json=document(CAT, CAT))
    assert faults == {"7": "two annotations of the image carry the same id"}


def panoptic(folder: Path, *, things: bool = True) -> dict[str, object]:
    """A segment picture of 40 x 30 whose left half is a cat (id 1) and whose right half is a mat (id 66,051)."""
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[:, :20] = (1, 0, 0)
    pixels[:, 20:] = (3, 2, 1)
    (folder / "panoptic").mkdir()
    (folder / "panoptic" / "7.png").write_bytes(encode(pixels))
    segments = [
        {"id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 20, 30], "area": 600},
        {"id": 3 + 2 * 256 + 65536, "category_id": 3, "iscrowd": 0, "bbox": [20, 0, 20, 30], "area": 600},
    ]
    return document({"image_id": 7, "file_name": "7.png", "segments_info": segments[0 if things else 1 :]})


def test_panoptic_segments_are_read_from_their_picture(opened, tmp_path: Path) -> None:
    records, _ = opened("coco", panoptic__json=panoptic(tmp_path))
    facts = records["7"].facts
    assert [(item.id, item.label) for item in facts.objects] == [("segment-1", "cat"), ("segment-66051", "mat")]
    regions = regions_of(facts)
    assert [regions.area_px(index) for index in range(2)] == [600, 600]
    assert regions.boxes_xyxy_px.tolist() == [[0, 0, 20, 30], [20, 0, 40, 30]]


def test_beside_instances_only_stuff_is_taken_from_panoptic(opened, tmp_path: Path) -> None:
    records, _ = opened("coco", panoptic__json=panoptic(tmp_path), instances__json=document(CAT))
    assert sorted(item.label for item in records["7"].facts.objects) == ["cat", "mat"]


def test_a_segment_picture_that_is_missing_or_empty_of_a_segment_is_named(opened, tmp_path: Path) -> None:
    stated = panoptic(tmp_path)
    (tmp_path / "panoptic" / "7.png").write_bytes(encode(np.zeros((30, 40, 3), np.uint8)))
    _, faults = opened("coco", panoptic__json=stated)
    assert faults == {"7": "segment 1 has no pixel in its picture"}
    (tmp_path / "panoptic" / "7.png").unlink()
    _, faults = opened("coco", panoptic__json=stated)
    assert faults == {"7": "the segment picture 7.png is not in the folder panoptic"}
    stated["annotations"][0]["file_name"] = "../7.png"  # type: ignore[index]  # a document of the test
    _, faults = opened("coco", panoptic__json=stated)
    assert "must not lead out" in faults["7"]


def test_objects365_and_v3det_come_in_the_same_form(opened) -> None:
    patched = {"id": 1, "file_name": "images/v2/patch16/objects365_v2_00908726.jpg", "width": 40, "height": 30}
    flags = {
        "isfake": 0,
        "isreflected": 0,
        "area": 48.0,
        "id": 2,
        "image_id": 1,
        "category_id": 1,
        "bbox": [1, 2, 8, 6],
    }
    records, _ = opened("objects365", a__json=document({**flags, "iscrowd": 1}, images=[patched]))
    assert records["1"].facts.objects == (ObjectFact(id="2", label="cat", bbox_xyxy_px=(1, 2, 9, 8), crowd=True),)
    records, _ = opened("v3det", b__json=document(flags, images=[{**patched, "file_name": "images/a00000066/0_1.jpg"}]))
    assert records["1"].image.file_name == "images/a00000066/0_1.jpg"


@pytest.mark.parametrize("content", ['{"images": [], "annotations": [{"x": 1}]}', '[{"x": 1}]', "{}", "[]", '"words"'])
def test_what_is_not_coco_is_said(opened, content: str) -> None:
    with pytest.raises(BrokenFile, match=r"a\.json is not a COCO file"):
        opened("coco", a__json=content)


@pytest.mark.parametrize(
    "content", ["", '{"annotations": [{"image_id": 1, "bbox": []}, ', "not json", '{"annotations": [{]}']
)
def test_what_is_not_whole_is_said(opened, content: str) -> None:
    with pytest.raises(BrokenFile, match=r"a\.json"):
        opened("coco", a__json=content)
