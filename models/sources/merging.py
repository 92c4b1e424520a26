"""Joins what is known of one image: a second file adds what the first one lacked, and never says anything twice.

Called by the catalog when an image is imported again, and when an image has facts of several sources.
"""

from collections.abc import Sequence
from dataclasses import replace

from models.errors import BadRegions
from models.facts import ImageFacts


def filled(known: ImageFacts, new: ImageFacts) -> ImageFacts:
    """Return `known` with the parts that it lacks taken from `new`; equal to `known` where it lacks none.

    A part that is known is kept as it is, so importing a file again changes nothing. Raises BadRegions when the two are
    about frames of different sizes.
    """
    _same_frame(known, new)
    objects = known.objects or new.objects
    ends = {item.id for item in objects}
    relations = known.relations or tuple(
        relation for relation in new.relations if {relation.subject, relation.object} <= ends
    )
    return replace(
        known,
        captions=known.captions or new.captions,
        objects=objects,
        relations=relations,
        regions=known.regions or new.regions,
    )


def joined(sources: Sequence[ImageFacts]) -> ImageFacts:
    """Return what several sources know of one image together.

    Captions and described regions of all of them, each once; objects and relations of the first source that has
    objects, because two sources outline the same things. Raises BadRegions when the frames differ, ValueError for none.
    """
    if not sources:
        raise ValueError("there are no facts to join")
    for other in sources[1:]:
        _same_frame(sources[0], other)
    outlined = next((facts for facts in sources if facts.objects), sources[0])
    return replace(
        outlined,
        captions=tuple(dict.fromkeys(caption for facts in sources for caption in facts.captions)),
        regions=tuple(dict.fromkeys(region for facts in sources for region in facts.regions)),
    )


def _same_frame(first: ImageFacts, second: ImageFacts) -> None:
    if first.size_hw != second.size_hw:
        (height, width), (other_height, other_width) = first.size_hw, second.size_hw
        raise BadRegions(f"one source says {width} x {height} pixels, the other {other_width} x {other_height}")
