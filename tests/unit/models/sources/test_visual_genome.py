"""Visual Genome's five files about one image, and the captions of COCO that go with it."""

import pytest

from models.facts import ImageFacts, ObjectFact, RegionFact, RelationFact
from models.sources.records import BrokenFile, ImageReference

URL = "https://cs.stanford.edu/people/rak248/VG_100K_2/1.jpg"
IMAGE = {"image_id": 1, "url": URL, "width": 800, "height": 600, "coco_id": 42, "flickr_id": None}
MAN = {
    "object_id": 10,
    "names": ["man"],
    "synsets": ["man.n.01"],
    "x": 1,
    "y": 2,
    "w": 30,
    "h": 40,
    "merged_object_ids": [11],
}
HAT = {"object_id": 20, "names": ["hat ", "cap"], "synsets": ["hat.n.01", "cap.n.04"], "x": 5, "y": 0, "w": 9, "h": 9}
OBJECTS = [{"image_id": 1, "objects": [MAN, HAT], "image_url": URL}]
ATTRIBUTES = [
    {
        "image_id": 1,
        "attributes": [
            {**MAN, "object_id": 11, "attributes": ["tall", "old"]},
            {**MAN, "attributes": ["tall", " "]},
            {**HAT, "object_id": 999, "attributes": ["gone"]},
            HAT,
        ],
    }
]
END = {"name": "man", "synsets": ["man.n.01"], "x": 1, "y": 2, "w": 30, "h": 40}
RELATIONSHIPS = [
    {
        "image_id": 1,
        "relationships": [
            {
                "predicate": "WEARS",
                "relationship_id": 3,
                "subject": {**END, "object_id": 11},
                "object": {**END, "object_id": 20},
                "synsets": [],
            },
            {
                "predicate": "ON",
                "relationship_id": 4,
                "subject": {**END, "object_id": 20},
                "object": {**END, "object_id": 777},
                "synsets": [],
            },
            {
                "predicate": " ",
                "relationship_id": 5,
                "subject": {**END, "object_id": 20},
                "object": {**END, "object_id": 10},
                "synsets": [],
            },
        ],
    }
]
REGIONS = [
    {
        "id": 1,
        "regions": [
            {"region_id": 8, "image_id": 1, "phrase": " a man in a hat", "x": 0, "y": 0, "width": 50, "height": 60}
        ],
    }
]
CAPTIONS = {
    "images": [],
    "annotations": [{"id": 1, "image_id": 42, "caption": "A man."}, {"id": 2, "image_id": 43, "caption": "Else."}],
}


def test_all_files_together(opened) -> None:
    records, faults = opened(
        "visual-genome",
        r__json=REGIONS,
        c__json=CAPTIONS,
        s__json=RELATIONSHIPS,
        a__json=ATTRIBUTES,
        o__json=OBJECTS,
        i__json=[IMAGE],
    )
    assert faults == {}
    assert records["1"].image == ImageReference(file_name="VG_100K_2/1.jpg", url=URL)
    assert records["1"].facts == ImageFacts(
        size_hw=(600, 800),
        captions=("A man.",),
        objects=(
            ObjectFact(
                id="10", label="man", bbox_xyxy_px=(1, 2, 31, 42), synset="man.n.01", attributes=("tall", "old")
            ),
            ObjectFact(id="20", label="hat", bbox_xyxy_px=(5, 0, 14, 9), synset="hat.n.01 cap.n.04"),
        ),
        relations=(RelationFact(subject="10", predicate="WEARS", object="20"),),
        regions=(RegionFact(text="a man in a hat", bbox_xyxy_px=(0, 0, 50, 60)),),
    )


def test_any_file_but_image_data_may_be_left_out(opened) -> None:
    records, _ = opened("visual-genome", i__json=[IMAGE], r__json=REGIONS)
    assert records["1"].facts.objects == ()
    with pytest.raises(BrokenFile, match="image_data"):
        opened("visual-genome", r__json=REGIONS)
    with pytest.raises(BrokenFile, match=r"x\.json is not a file of Visual Genome"):
        opened("visual-genome", x__json=[{"qas": []}], i__json=[IMAGE])


def test_a_picture_is_known_by_its_numbers_in_coco_and_flickr(opened) -> None:
    records, _ = opened("visual-genome", i__json=[{**IMAGE, "coco_id": 42, "flickr_id": 7}])
    assert records["1"].aliases == ("coco:42", "flickr:7")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({**MAN, "x": "left"}, "object 10: `x, y, w, h` must be a number"),
        ({**MAN, "names": []}, "object 10: `names` must hold a name"),
        ({key: value for key, value in MAN.items() if key != "w"}, "object 10: `w` is missing"),
        (HAT, "two objects of the image carry the same object_id"),
    ],
)
def test_a_broken_object_names_itself(opened, broken, said) -> None:
    second = {**IMAGE, "image_id": 2}
    records, faults = opened(
        "visual-genome",
        i__json=[IMAGE, second],
        o__json=[{"image_id": 1, "objects": [HAT, broken]}, {"image_id": 2, "objects": []}],
    )
    assert faults == {"1": said}
    assert set(records) == {"2"}


def test_an_image_without_image_data_is_said(opened) -> None:
    _, faults = opened("visual-genome", i__json=[{**IMAGE, "image_id": 5}], o__json=OBJECTS)
    assert faults == {"1": "image_data does not list this image"}
