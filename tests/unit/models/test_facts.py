"""models.facts: what is known of an image survives JSON and holds together."""

import json

import pytest

from models.errors import BadRegions
from models.facts import ImageFacts, ObjectFact, RegionFact, RelationFact

CAT = ObjectFact(id="1", label="cat", bbox_xyxy_px=(1.0, 2.0, 30.5, 40.0), attributes=("grey",), synset="cat.n.01")
MAT = ObjectFact(
    id="2", label="mat", bbox_xyxy_px=(0.0, 30.0, 60.0, 48.0), outline=[[0.0, 30.0, 60.0, 30.0, 60.0, 48.0]]
)


def test_facts_survive_json() -> None:
    facts = ImageFacts(
        size_hw=(48, 64),
        captions=("A grey cat on a mat.",),
        objects=(CAT, MAT),
        relations=(RelationFact(subject="1", predicate="on", object="2"),),
        regions=(RegionFact(text="grey fur", bbox_xyxy_px=(1.0, 2.0, 30.0, 20.0)),),
    )
    assert ImageFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_a_relation_to_nothing_is_refused() -> None:
    with pytest.raises(BadRegions, match="'7'"):
        ImageFacts(size_hw=(48, 64), objects=(CAT,), relations=(RelationFact(subject="1", predicate="on", object="7"),))


def test_two_objects_with_one_id_are_refused() -> None:
    with pytest.raises(BadRegions, match="same id"):
        ImageFacts(size_hw=(48, 64), objects=(CAT, CAT))
