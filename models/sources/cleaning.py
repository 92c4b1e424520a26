"""The cleaning rules of MMGiC (appendix F.2) as options: each a pure function of facts, all off unless asked for.

A rule that needs frequencies takes them from a `Census` of the whole source. Called by the import worker, record by
record. Knows no file and no catalog.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from models.facts import Box, ImageFacts, ObjectFact
from models.sources.census import Census
from models.sources.synsets import Senses

# Published boxes are rounded to whole or half pixels, so one that is out by less still means the picture's edge.
OUTSIDE_PX = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """Which rules apply. Counts are the least that is kept; 0 switches a rule off. `senses` names synsets for people."""

    illegal_boxes: bool = False
    min_short_edge_px: int = 0
    aspect_ratio_min: float = 0.0
    aspect_ratio_max: float = 0.0
    min_objects: int = 0
    min_label_count: int = 0
    synsets: bool = False
    min_pair_count: int = 0
    min_attribute_count: int = 0
    min_predicate_count: int = 0
    left_out_labels: frozenset[str] = frozenset()
    left_out_records: frozenset[str] = frozenset()
    senses: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether a rule needs a census of the source."""
        return any((self.min_label_count, self.synsets, self.min_attribute_count, self.min_predicate_count))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        sets = {name: frozenset(body.get(name, ())) for name in ("left_out_labels", "left_out_records")}
        return cls(**{**body, **sets})

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name in type(self).__dataclass_fields__
            for value in (getattr(self, name),)
        }


def mmgic(format_name: str) -> Cleaning:
    """Return MMGiC's rules for one source: short edge 224 px, aspect ratio 0.33 to 3.0, at least one object.

    V3Det loses labels seen fewer than 3 times; Visual Genome objects with several synsets, (label, synset) pairs seen
    fewer than 2 times, attributes and relations seen fewer than 5 times. Open Images and Objects365 lose no label.
    """
    every = Cleaning(
        illegal_boxes=True, min_short_edge_px=224, aspect_ratio_min=0.33, aspect_ratio_max=3.0, min_objects=1
    )
    if format_name == "v3det":
        return replace(every, min_label_count=3)
    if format_name == "visual-genome":
        return replace(every, synsets=True, min_pair_count=2, min_attribute_count=5, min_predicate_count=5)
    return every


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """The rules with what the source's census says."""

    rules: Cleaning
    census: Census

    def clean(self, facts: ImageFacts) -> ImageFacts | str:
        """Return what the rules leave, in pixels of the picture, or why they leave nothing of the record."""
        rules = self.rules
        if not edges_fit(facts.size_hw, rules.min_short_edge_px):
            return f"its short edge is under {rules.min_short_edge_px} px"
        if not ratio_fits(facts.size_hw, rules.aspect_ratio_min, rules.aspect_ratio_max):
            return f"its aspect ratio is not within {rules.aspect_ratio_min} and {rules.aspect_ratio_max}"
        if rules.illegal_boxes:
            facts = without_illegal_boxes(facts)
        if rules.left_out_labels:
            facts = without_objects(facts, lambda item: item.label in rules.left_out_labels)
        if rules.min_label_count:
            facts = without_objects(facts, lambda item: self.census.labels[item.label] < rules.min_label_count)
        if rules.synsets:
            facts = with_one_sense(facts, Senses(self.census.pairs, rules.min_pair_count, rules.senses))
        facts = without_rare_attributes(facts, self.census.attributes, rules.min_attribute_count)
        facts = without_rare_relations(facts, self.census.predicates, rules.min_predicate_count)
        if len(facts.objects) < rules.min_objects:
            return f"fewer than {rules.min_objects} objects are left"
        return facts


def edges_fit(size_hw: tuple[int, int], min_short_edge_px: int) -> bool:
    """Whether the short edge is long enough."""
    return min(size_hw) >= min_short_edge_px


def ratio_fits(size_hw: tuple[int, int], least: float, most: float) -> bool:
    """Whether width / height lies within [least, most]; 0 is no limit."""
    ratio = size_hw[1] / size_hw[0]
    return ratio >= least and (most == 0 or ratio <= most)


def box_is_legal(box: Box, size_hw: tuple[int, int]) -> bool:
    """Whether a box has an area and lies in the frame, give or take a rounded pixel."""
    x0, y0, x1, y1 = box
    inside = min(x0, y0) >= -OUTSIDE_PX and x1 <= size_hw[1] + OUTSIDE_PX and y1 <= size_hw[0] + OUTSIDE_PX
    return inside and x0 < x1 and y0 < y1


def without_illegal_boxes(facts: ImageFacts) -> ImageFacts:
    """Drop objects and described regions with illegal boxes, and the relations of such objects."""
    kept = without_objects(facts, lambda item: not box_is_legal(item.bbox_xyxy_px, facts.size_hw))
    return replace(kept, regions=tuple(one for one in kept.regions if box_is_legal(one.bbox_xyxy_px, facts.size_hw)))


def without_objects(facts: ImageFacts, unwanted: Callable[[ObjectFact], bool]) -> ImageFacts:
    """Drop objects, and relations that would have an end without an object."""
    objects = tuple(item for item in facts.objects if not unwanted(item))
    if len(objects) == len(facts.objects):
        return facts
    return _with_objects(facts, objects)


def _with_objects(facts: ImageFacts, objects: tuple[ObjectFact, ...]) -> ImageFacts:
    ids = {item.id for item in objects}
    relations = tuple(one for one in facts.relations if {one.subject, one.object} <= ids)
    return replace(facts, objects=objects, relations=relations)


def with_one_sense(facts: ImageFacts, senses: Senses) -> ImageFacts:
    """Give each object its one synset and a name that tells it from others of that name; drop those that have none."""
    objects = []
    for item in facts.objects:
        synset = senses.of(item.label, item.synset)
        if synset is not None:
            objects.append(replace(item, synset=synset or None, label=senses.name(item.label, synset)))
    return _with_objects(facts, tuple(objects))


def without_rare_attributes(facts: ImageFacts, counts: Mapping[str, int], least: int) -> ImageFacts:
    """Drop attributes that are empty or that the source has fewer than `least` times."""
    if not least:
        return facts
    objects = tuple(
        replace(item, attributes=tuple(word for word in item.attributes if word and counts.get(word, 0) >= least))
        for item in facts.objects
    )
    return replace(facts, objects=objects)


def without_rare_relations(facts: ImageFacts, counts: Mapping[str, int], least: int) -> ImageFacts:
    """Drop relations that are empty or whose predicate the source has fewer than `least` times."""
    if not least:
        return facts
    kept = tuple(one for one in facts.relations if one.predicate and counts.get(one.predicate, 0) >= least)
    return replace(facts, relations=kept)
