"""Open Images' CSV files: shares of a picture become pixels, ends of relations find their objects."""

import pytest

from models.facts import ObjectFact, RelationFact
from models.sources.records import BrokenFile
from models.sources.sizing import in_pixels

CLASSES = "/m/04yx4,Man\n/m/02wzbmj,Standing\n/m/03m3pdh,Sofa bed\n"
BOXES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
    "a1,xclick,/m/04yx4,1,0.1,0.3,0.2,0.8,0,0,0,0,0\n"
    "a1,xclick,/m/04yx4,1,0.5,0.7,0.2,0.8,0,0,1,0,0\n"
    "a1,xclick,/m/03m3pdh,1,0.0,1.0,0.5,1.0,0,0,0,0,0\n"
    "b2,xclick,/m/zzz,1,0.0,1.0,0.5,1.0,0,0,0,0,0\n"
    "c3,xclick,/m/04yx4,1,0.0,wide,0.5,1.0,0,0,0,0,0\n"
)
RELATIONS = (
    "ImageID,LabelName1,LabelName2,XMin1,XMax1,YMin1,YMax1,XMin2,XMax2,YMin2,YMax2,RelationshipLabel\n"
    "a1,/m/04yx4,/m/03m3pdh,0.52,0.7,0.2,0.8,0.0,1.0,0.5,1.0,sits_on\n"
    "a1,/m/04yx4,/m/02wzbmj,0.1,0.3,0.2,0.8,0.1,0.3,0.2,0.8,is\n"
    "a1,/m/04yx4,/m/03m3pdh,0.8,0.9,0.2,0.8,0.0,1.0,0.5,1.0,far_from\n"
)
IMAGES = "ImageID,Subset,OriginalURL,Thumbnail300KURL\na1,train,http://big/a1.jpg,\nunused,train,http://big/u.jpg,\n"


def test_boxes_relations_attributes_and_urls(opened) -> None:
    records, faults = opened("open-images", boxes__csv=BOXES, classes__csv=CLASSES, vrd__csv=RELATIONS, ids__csv=IMAGES)
    record = records["a1"]
    assert (record.image.file_name, record.image.url, record.fractions) == ("a1.jpg", "http://big/a1.jpg", True)
    facts = in_pixels(record.facts, (100, 200))
    assert facts.size_hw == (100, 200)
    assert [item.bbox_xyxy_px for item in facts.objects] == [
        pytest.approx((20, 20, 60, 80)),
        pytest.approx((100, 20, 140, 80)),
        pytest.approx((0, 50, 200, 100)),
    ]
    assert [(item.label, item.attributes, item.crowd) for item in facts.objects] == [
        ("Man", ("Standing",), False),
        ("Man", (), True),
        ("Sofa bed", (), False),
    ]
    assert facts.relations == (RelationFact(subject="1", predicate="sits on", object="2"),)
    assert set(records) == {"a1"}, "an image without a box is no record"
    assert faults == {"b2": "box 0: the class /m/zzz has no description", "c3": "box 0: `XMax` must be a number"}


def test_the_other_spelling_of_the_relation_column_and_a_header_of_classes(opened) -> None:
    spelt = RELATIONS.replace("RelationshipLabel", "RelationLabel")
    records, _ = opened(
        "open-images", boxes__csv=BOXES, classes__csv="LabelName,DisplayName\n" + CLASSES, vrd__csv=spelt
    )
    assert len(records["a1"].facts.relations) == 1
    assert isinstance(records["a1"].facts.objects[0], ObjectFact)


def test_files_that_are_missing_or_strange_are_named(opened) -> None:
    with pytest.raises(BrokenFile, match="class descriptions"):
        opened("open-images", boxes__csv=BOXES)
    with pytest.raises(BrokenFile, match=r"x\.csv is not a CSV of Open Images"):
        opened("open-images", boxes__csv=BOXES, classes__csv=CLASSES, x__csv="a,b,c\n1,2,3\n")
