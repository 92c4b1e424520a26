"""A second file about an image adds what was missing; the same file again adds nothing."""

from dataclasses import replace

import pytest

from models.errors import BadRegions
from models.facts import ImageFacts, ObjectFact, RegionFact, RelationFact
from models.sources.merging import filled, joined

CAT = ObjectFact(id="1", label="cat", bbox_xyxy_px=(0, 0, 4, 4))
MAT = ObjectFact(id="2", label="mat", bbox_xyxy_px=(0, 4, 4, 8))
OBJECTS = ImageFacts(size_hw=(8, 8), objects=(CAT, MAT))
CAPTIONS = ImageFacts(size_hw=(8, 8), captions=("a cat", "a mat"))


def test_parts_that_lack_are_filled_and_parts_that_are_there_stay() -> None:
    whole = filled(OBJECTS, CAPTIONS)
    assert whole == replace(OBJECTS, captions=("a cat", "a mat"))
    assert filled(whole, CAPTIONS) == whole
    assert filled(whole, replace(CAPTIONS, captions=("another",))) == whole


def test_relations_of_objects_that_were_not_taken_are_not_taken() -> None:
    strange = ImageFacts(
        size_hw=(8, 8),
        objects=(replace(CAT, id="9"), MAT),
        relations=(RelationFact(subject="9", predicate="on", object="2"),),
    )
    assert filled(OBJECTS, strange).relations == ()
    assert filled(CAPTIONS, strange).relations == strange.relations


def test_sources_are_joined_without_outlining_anything_twice() -> None:
    phrase = RegionFact(text="a small cat", bbox_xyxy_px=(0, 0, 4, 4))
    other = ImageFacts(
        size_hw=(8, 8), captions=("a cat", "new"), objects=(replace(CAT, label="animal"),), regions=(phrase,)
    )
    both = joined([filled(OBJECTS, CAPTIONS), other])
    assert both.objects == (CAT, MAT)
    assert both.captions == ("a cat", "a mat", "new")
    assert both.regions == (phrase,)


def test_frames_of_different_sizes_are_not_one_image() -> None:
    for join in (
        lambda: filled(OBJECTS, ImageFacts(size_hw=(8, 9))),
        lambda: joined([OBJECTS, ImageFacts(size_hw=(9, 8))]),
    ):
        with pytest.raises(BadRegions, match="8 x 8 pixels"):
            join()
