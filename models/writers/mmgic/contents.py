"""What a document about one image can say, before any of it is worded: caption, things, properties, relations, crops.

Built from `ImageFacts`, a chosen caption and a book of descriptions. Labels that were found to make no sense are left out here,
from crops too. Knows no wording, no templates and no length.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal, get_args

from models.facts import ImageFacts
from models.vlm.untrusted import one_line
from models.writers.mmgic.captions import MAX_WORDS
from models.writers.mmgic.concepts import Concept, ConceptKind, Verdict, concepts_of
from models.writers.mmgic.crops import Crop, crops_of, on_canvas

MIN_NARRATIVE_WORDS: Final = MAX_WORDS + 1
"""A human caption that is too long to be a caption is a narrative (Open Images' localized narratives have some 40 words)."""


Layer = Literal["captions", "labels", "descriptions", "regions"]
LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
"""The grains of MMGiC, coarse to fine: C, L, D and R of its Table 1, where each was better than those before it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A label, what it is said of (nothing, objects, or `subject-object` pairs), and its description where there is one."""

    label: str
    related: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All there is to say; `crops` are shuffled, so that leaving the last ones out is fair to all."""

    size_hw: tuple[int, int]
    caption: str | None
    narrative: str | None
    objects: tuple[Entry, ...]
    attributes: tuple[Entry, ...]
    relationships: tuple[Entry, ...]
    crops: tuple[Crop, ...]
    invalid: tuple[str, ...] = ()


def contents_of(
    facts: ImageFacts, caption: str | None, describe: Callable[[Concept], Verdict | None], random: Random
) -> Contents | None:
    """Return what can be said of an image, or None where no label that makes sense has a box in it (MMGiC, section F.3)."""
    boxed = _without(facts, {item.id for item in facts.objects if on_canvas(item.bbox_xyxy_px, facts.size_hw) is None})
    invalid: list[str] = []
    things = _entries(boxed, ("object",), describe, invalid)
    named = {entry.label.casefold() for entry in things["object"]}
    sensible = _without(boxed, {item.id for item in boxed.objects if one_line(item.label).casefold() not in named})
    if not sensible.objects:
        return None
    said = _entries(sensible, ("attribute", "relationship"), describe, invalid)
    crops = list(crops_of(sensible))
    random.shuffle(crops)
    return Contents(
        size_hw=facts.size_hw,
        caption=None if caption is None else one_line(caption),
        narrative=narrative_of(facts),
        objects=things["object"],
        attributes=said["attribute"],
        relationships=said["relationship"],
        crops=tuple(crops),
        invalid=tuple(invalid),
    )


def only_up_to(contents: Contents, last: Layer) -> Contents | None:
    """Return what is left when only the first layers are told, as in MMGiC's ablation (Table 1); None if nothing is.

    Descriptions are the entries' own; captions alone leave an image without any caption with nothing.
    """
    depth = LAYERS.index(last)
    if depth == 0 and contents.caption is None and contents.narrative is None:
        return None
    kept = replace(contents, crops=contents.crops if depth > 2 else ())
    if depth == 0:
        return replace(kept, objects=(), attributes=(), relationships=())
    if depth == 1:
        objects, attributes, relationships = map(_bare, (kept.objects, kept.attributes, kept.relationships))
        return replace(kept, objects=objects, attributes=attributes, relationships=relationships)
    return kept


def _bare(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(replace(entry, description=None) for entry in entries)


def narrative_of(facts: ImageFacts) -> str | None:
    """The first human caption that is too long for a caption, or None."""
    return next((one_line(text) for text in facts.captions if len(text.split()) >= MIN_NARRATIVE_WORDS), None)


def _entries(
    facts: ImageFacts,
    kinds: tuple[ConceptKind, ...],
    describe: Callable[[Concept], Verdict | None],
    invalid: list[str],
) -> dict[ConceptKind, tuple[Entry, ...]]:
    """The labels of each kind with their descriptions; those that make no sense go to `invalid` with the reason."""
    entries: dict[ConceptKind, list[Entry]] = {kind: [] for kind in kinds}
    for concept in concepts_of(facts):
        if concept.kind not in entries:
            continue
        verdict = describe(concept)
        if verdict is not None and verdict.invalid is not None:
            invalid.append(f"{concept.kind} {concept.label}: {verdict.invalid}")
            continue
        text = None if verdict is None else verdict.text
        entries[concept.kind].append(Entry(label=concept.label, related=concept.related, description=text))
    return {kind: tuple(found) for kind, found in entries.items()}


def _without(facts: ImageFacts, ids: set[str]) -> ImageFacts:
    """The facts without some objects and without the relations that hang on them."""
    return replace(
        facts,
        objects=tuple(item for item in facts.objects if item.id not in ids),
        relations=tuple(item for item in facts.relations if not ids & {item.subject, item.object}),
    )
