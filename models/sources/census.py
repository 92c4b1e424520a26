"""How often a whole source says what: labels, (label, synset) pairs, attributes, predicates. One pass over its records.

Called before cleaning where a rule goes by frequency. Memory is that of the vocabulary, not of the records.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from models.sources.records import Fault, Record

Pair = tuple[str, str]
"""(label, synsets): none is "", several are joined by blanks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Frequencies over objects and relations as the source states them, before any rule."""

    labels: Counter[str] = field(default_factory=Counter)
    pairs: Counter[Pair] = field(default_factory=Counter)
    attributes: Counter[str] = field(default_factory=Counter)
    predicates: Counter[str] = field(default_factory=Counter)


def count(records: Iterable[Record | Fault]) -> Census:
    """Count what the records say; faults say nothing."""
    census = Census()
    for record in records:
        facts = record.facts if isinstance(record, Record) else None
        if facts is not None:
            census.labels.update(item.label for item in facts.objects)
            census.pairs.update((item.label, item.synset or "") for item in facts.objects)
            census.attributes.update(word for item in facts.objects for word in item.attributes)
            census.predicates.update(one.predicate for one in facts.relations)
    return census
