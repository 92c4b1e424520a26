"""Every constant of MMGiC's cleaning, at its edge."""

from dataclasses import replace

import pytest

from models.facts import ImageFacts, ObjectFact, RegionFact, RelationFact
from models.sources import census
from models.sources.cleaning import (
    Cleaner,
    Cleaning,
    box_is_legal,
    mmgic,
    ratio_fits,
    without_illegal_boxes,
    without_objects,
    without_rare_attributes,
    without_rare_relations,
)
from models.sources.records import Fault, ImageReference, Record
from models.sources.synsets import Senses, sense_word, usual_senses

FRAME = (300, 400)


def thing(name: str, label: str = "cat", **more: object) -> ObjectFact:
    return ObjectFact(id=name, label=label, **({"bbox_xyxy_px": (0, 0, 10, 10)} | more))


def known(*objects: ObjectFact, **more: object) -> ImageFacts:
    return ImageFacts(**({"size_hw": FRAME, "objects": objects} | more))


def cleaned(rules: Cleaning, *images: ImageFacts) -> list[ImageFacts | str]:
    records = [Record(external_id=str(n), image=ImageReference(), facts=facts) for n, facts in enumerate(images)]
    cleaner = Cleaner(rules=rules, census=census.count([*records, Fault(external_id="x", detail="y")]))
    return [cleaner.clean(facts) for facts in images]


def test_the_constants_of_every_source() -> None:
    shared = (True, 224, 0.33, 3.0, 1)
    for name, counts in {
        "open-images": (0, False, 0, 0, 0),
        "objects365": (0, False, 0, 0, 0),
        "coco": (0, False, 0, 0, 0),
        "v3det": (3, False, 0, 0, 0),
        "visual-genome": (0, True, 2, 5, 5),
    }.items():
        rules = mmgic(name)
        assert (
            rules.illegal_boxes,
            rules.min_short_edge_px,
            rules.aspect_ratio_min,
            rules.aspect_ratio_max,
            rules.min_objects,
        ) == shared
        assert (
            rules.min_label_count,
            rules.synsets,
            rules.min_pair_count,
            rules.min_attribute_count,
            rules.min_predicate_count,
        ) == counts
        assert Cleaning.from_json(rules.to_json()) == rules


def test_without_rules_nothing_changes() -> None:
    odd = known(thing("1", bbox_xyxy_px=(9, 9, 3, 3)), size_hw=(2, 900))
    assert cleaned(Cleaning(), odd) == [odd]
    assert not Cleaning().counts


@pytest.mark.parametrize(("size_hw", "kept"), [((224, 300), True), ((223, 300), False), ((300, 223), False)])
def test_the_short_edge_is_at_least_224(size_hw: tuple[int, int], kept: bool) -> None:
    found = cleaned(mmgic("coco"), known(thing("1"), size_hw=size_hw))[0]
    assert isinstance(found, ImageFacts) == kept


@pytest.mark.parametrize(
    ("size_hw", "kept"), [((300, 900), True), ((300, 901), False), ((1000, 330), True), ((1000, 329), False)]
)
def test_the_aspect_ratio_lies_within_a_third_and_three(size_hw: tuple[int, int], kept: bool) -> None:
    assert ratio_fits(size_hw, 0.33, 3.0) == kept
    assert isinstance(cleaned(mmgic("coco"), known(thing("1"), size_hw=size_hw))[0], ImageFacts) == kept


def test_an_image_keeps_at_least_one_object() -> None:
    assert cleaned(mmgic("coco"), known()) == ["fewer than 1 objects are left"]


@pytest.mark.parametrize(
    ("box", "legal"),
    [
        ((0, 0, 400, 300), True),
        ((-1, -1, 401, 301), True),
        ((-1.5, 0, 10, 10), False),
        ((0, 0, 401.5, 10), False),
        ((0, 0, 10, 301.5), False),
        ((5, 5, 5, 9), False),
        ((5, 9, 9, 5), False),
        ((500, 0, 510, 10), False),
    ],
)
def test_legal_boxes(box: tuple[float, float, float, float], legal: bool) -> None:
    assert box_is_legal(box, FRAME) == legal


def test_what_hangs_on_an_illegal_box_goes_with_it() -> None:
    facts = known(
        thing("1"),
        thing("2", bbox_xyxy_px=(500, 0, 510, 10)),
        relations=(
            RelationFact(subject="1", predicate="on", object="2"),
            RelationFact(subject="1", predicate="by", object="1"),
        ),
        regions=(
            RegionFact(text="a", bbox_xyxy_px=(0, 0, 5, 5)),
            RegionFact(text="b", bbox_xyxy_px=(5, 5, 5, 5)),
        ),
    )
    kept = without_illegal_boxes(facts)
    assert [item.id for item in kept.objects] == ["1"]
    assert [one.predicate for one in kept.relations] == ["by"]
    assert [one.text for one in kept.regions] == ["a"]
    assert without_objects(facts, lambda item: item.label == "dog") is facts


def test_labels_of_v3det_seen_fewer_than_three_times_go() -> None:
    images = [
        known(thing("1", "owl"), thing("2", "emu")),
        known(thing("1", "owl"), thing("2", "emu")),
        known(thing("1", "owl")),
    ]
    found = cleaned(mmgic("v3det"), *images)
    assert [[item.label for item in facts.objects] for facts in found] == [["owl"]] * 3


def test_attributes_and_relations_seen_fewer_than_five_times_go() -> None:
    facts = known(
        thing("1", attributes=("red", "odd", "")),
        thing("2"),
        relations=tuple(RelationFact(subject="1", predicate=word, object="2") for word in ("on", "under", "")),
    )
    assert without_rare_attributes(facts, {"red": 5, "odd": 4, "": 9}, 5).objects[0].attributes == ("red",)
    assert [one.predicate for one in without_rare_relations(facts, {"on": 5, "under": 4, "": 9}, 5).relations] == ["on"]
    many = known(*(thing(str(n), attributes=("red",) if n < 4 else ("red", "odd")) for n in range(5)))
    kept = cleaned(replace(mmgic("visual-genome")), many)[0]
    assert isinstance(kept, ImageFacts)
    assert {item.attributes for item in kept.objects} == {("red",)}


def test_objects_with_several_synsets_go_and_missing_ones_are_filled() -> None:
    first = known(
        thing("1", "batter", synset="batter.n.01"),
        thing("2", "batter", synset="batter.n.01"),
        thing("3", "batter", synset="batter.n.02"),
        thing("4", "batter", synset="batter.n.02"),
        thing("5", "batter", synset="batter.n.02"),
        thing("6", "batter"),
        thing("7", "batter", synset="batter.n.01 batter.n.02"),
        thing("8", "cup", synset="cup.n.01"),
        thing("9", "cup", synset="cup.n.01"),
        thing("10", "cup", synset="cup.n.02"),
        thing("11", "gizmo"),
        thing("12", "gizmo"),
        thing("13", "widget"),
    )
    rules = replace(mmgic("visual-genome"), senses={"batter.n.01": "baseball player"})
    found = cleaned(rules, first)[0]
    assert isinstance(found, ImageFacts)
    assert {item.id: (item.label, item.synset) for item in found.objects} == {
        "1": ("batter (baseball player)", "batter.n.01"),
        "2": ("batter (baseball player)", "batter.n.01"),
        "3": ("batter (noun 2)", "batter.n.02"),
        "4": ("batter (noun 2)", "batter.n.02"),
        "5": ("batter (noun 2)", "batter.n.02"),
        "6": ("batter (noun 2)", "batter.n.02"),
        "8": ("cup", "cup.n.01"),
        "9": ("cup", "cup.n.01"),
        "11": ("gizmo", None),
        "12": ("gizmo", None),
    }


def test_the_usual_sense_of_equals_is_the_first_and_filling_counts_towards_two() -> None:
    assert usual_senses({("a", "a.n.02"): 3, ("a", "a.n.01"): 3, ("a", ""): 9, ("b", "x y"): 9}) == {"a": "a.n.01"}
    senses = Senses({("a", "a.n.01"): 1, ("a", ""): 1, ("b", "b.n.01"): 1}, 2)
    assert (senses.of("a", None), senses.of("a", "a.n.01"), senses.of("b", "b.n.01")) == ("a.n.01", "a.n.01", None)
    assert sense_word("glasses", "spectacles.n.01") == "spectacles"
    assert sense_word("hot dog", "hot_dog.n.02") == "noun 2"


def test_labels_that_are_left_out_go() -> None:
    facts = cleaned(Cleaning(left_out_labels=frozenset({"junk"})), known(thing("1", "junk"), thing("2")))[0]
    assert isinstance(facts, ImageFacts)
    assert [item.id for item in facts.objects] == ["2"]
