"""What SVIT's teacher is told of an image that it cannot see: captions, objects with boxes, phrases about parts of it.

Three blocks of text from `ImageFacts` (SVIT, section 3.1). Boxes stand on the padded square from the start, so that an answer needs
no conversion. Foreign text is cleaned of anything a chat template would obey. Long annotations are cut by area, largest
first, so that a prompt stays within `MAX_CONTEXT_CHARS`; what was left out is counted, never silently lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.boxes import area
from models.errors import BadInput
from models.facts import Box, ImageFacts
from models.vlm.untrusted import one_line
from models.writers.svit.boxes import box_text, has_extent, padded_square_norm

MAX_CONTEXT_CHARS: Final = 6_200
"""The mean Visual Genome image (21 objects, 42 regions) needs some 3,400. Digits cost a token each, so the worst case is 5,000 tokens:
with the order and the longest answer it still fits into a teacher's 8,192."""
MAX_PHRASE_CHARS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A named box on the padded square: an object, or a phrase about a part of the image."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The blocks as they are told. `left_out` counts objects and regions that had no extent or no room."""

    captions: tuple[str, ...]
    objects: tuple[Place, ...]
    regions: tuple[Place, ...]
    left_out: int = 0

    @property
    def places(self) -> tuple[Place, ...]:
        """All that may be referred to by a box."""
        return self.objects + self.regions

    @property
    def words(self) -> str:
        """What the notes say, without our own words round them and without boxes."""
        return "\n".join((*self.captions, *(place.name for place in self.places)))

    def text(self, *, region_boxes: bool) -> str:
        """The blocks in words; without `region_boxes` only the objects carry boxes (as in all kinds but referring)."""
        blocks = (
            ("Sentences about the whole picture:", self.captions),
            ("Things in it, each with its box:", [_with_box(place) for place in self.objects]),
            (
                "Remarks about parts of it" + (", each with its box:" if region_boxes else ":"),
                [_with_box(place) if region_boxes else place.name for place in self.regions],
            ),
        )
        return "\n\n".join("\n".join((head, *lines)) for head, lines in blocks if lines)


def context_of(facts: ImageFacts) -> Context:
    """Return what can be told of `facts`; raises BadInput if there is nothing to write about."""
    captions = tuple(dict.fromkeys(line for text in facts.captions if (line := _clean(text))))
    objects = _places([(_name(item.label, crowd=item.crowd), item.bbox_xyxy_px) for item in facts.objects], facts)
    regions = _places([(item.text, item.bbox_xyxy_px) for item in facts.regions], facts)
    if not captions and not objects and not regions:
        raise BadInput("nothing is known of the image: it needs captions, objects or described regions")
    budget = MAX_CONTEXT_CHARS
    captions, budget = _told_captions(captions, budget)
    # Objects first: every kind needs their boxes, and they are shorter than remarks.
    kept_objects, budget = _largest(objects, budget)
    kept_regions, budget = _largest(regions, budget)
    left_out = len(facts.objects) + len(facts.regions) - len(kept_objects) - len(kept_regions)
    return Context(captions=captions, objects=kept_objects, regions=kept_regions, left_out=left_out)


def _name(label: str, *, crowd: bool) -> str:
    return f"group of {label}" if crowd else label


def _clean(text: str) -> str:
    return one_line(text[: 2 * MAX_PHRASE_CHARS])[:MAX_PHRASE_CHARS].strip()


def _with_box(place: Place) -> str:
    return f"{place.name}: {box_text(place.box)}"


def _places(named: Sequence[tuple[str, Box]], facts: ImageFacts) -> list[Place]:
    """Named boxes that are boxes on the square, each name with one box once."""
    found: dict[Place, None] = {}
    for name, bbox_xyxy_px in named:
        place = Place(name=_clean(name), box=padded_square_norm(bbox_xyxy_px, facts.size_hw))
        if place.name and has_extent(place.box):
            found[place] = None
    return list(found)


def _told_captions(captions: Sequence[str], budget: int) -> tuple[tuple[str, ...], int]:
    kept: list[str] = []
    for caption in captions:
        if len(caption) + 1 > budget:
            break
        kept.append(caption)
        budget -= len(caption) + 1
    return tuple(kept), budget


def _largest(places: Sequence[Place], budget: int) -> tuple[tuple[Place, ...], int]:
    """The largest places that fit, in the order they were given in, and what is left of the budget."""
    by_area = sorted(range(len(places)), key=lambda n: (-area(places[n].box), n))
    kept: set[int] = set()
    for n in by_area:
        cost = len(_with_box(places[n])) + 1
        if cost > budget:
            break
        kept.add(n)
        budget -= cost
    return tuple(place for n, place in enumerate(places) if n in kept), budget
