"""MMGiC's concept documents: one picture explained label by label, whole and in parts, with what its concepts mean.

    facts -> caption (chosen) ┐
    facts -> concepts -> descriptions (teacher, once per concept) ├-> contents -> turns, or a document with pictures -> fitted
    facts -> crops (squares, merged labels, nine places)           ┘

Numbers by number: sections F.2 to F.7 of the paper, each held by a test. Decided here, because the paper leaves it open: how
a document is cut into turns for a trainer that takes one picture (`turns`), the order of what gives way (`fitting`), what "best"
means among rejected captions (`captions`), how far "makes no sense" reaches (`descriptions`). Repeating sources three times is
the mixtures' business. `preview` shows what a teacher would be told.
"""

from random import Random

from models.facts import ImageFacts
from models.writers.mmgic.captions import caption_messages
from models.writers.mmgic.concepts import Verdict, concepts_of, description_messages
from models.writers.mmgic.contents import contents_of
from models.writers.mmgic.documents import document_of
from models.writers.mmgic.writer import MmgicWriter, drawn
from models.writers.svit.context import context_of

__all__ = ["MmgicWriter", "preview"]


def preview(facts: ImageFacts, seed: int) -> str:
    """Return, for a person to read: one prompt per kind of concept, the prompt for captions, and the document with its gaps.

    Raises BadInput where nothing is known of the image.
    """
    shown = {concept.kind: concept for concept in reversed(concepts_of(facts))}
    told = [
        f"--- description of the {concept.kind} {concept.label}\n{description_messages(concept)[0].text}"
        for concept in reversed(shown.values())
    ]
    told.append(f"--- captions\n{caption_messages(context_of(facts).text(region_boxes=False))[0].text}")
    caption = facts.captions[0] if facts.captions else "(the chosen caption)"
    contents = contents_of(facts, caption, lambda _: Verdict(text="(what it is)"), Random(f"{seed}:crops"))
    if contents is not None:
        template, descriptions = drawn(seed)
        document = document_of(contents, template, descriptions=descriptions, crops=len(contents.crops))
        told.append(f"--- the document, {template}\n{document.text()}")
    return "\n\n".join(told)
