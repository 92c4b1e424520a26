"""SVIT's four kinds of text (arXiv 2307.04087, section 3), written from what is known of an image by a teacher without eyes.

    facts -> context (three blocks, boxes on the padded square) -> prompts -> teacher -> read -> answers (filters) -> drafts

| kind | asked for | text(s) |
|---|---|---|
| conversation | 3 conversations of 5 questions, each with a topic | 3 |
| reasoning | 15 questions that take thinking | 1 |
| referring | 10 questions, each thing as `<st>name<ed> [x1, y1, x2, y2]` | 1 |
| description | one long description, asked for in one of 34 ways | 1 |

Decided here, because the paper leaves it open: which words betray the source (`checks`), what "satisfied" means (enough fit
pairs; unfit ones in excess are dropped), how often one asks (the order's `tries`), when a box is an annotated one (`references`),
what happens to long annotations (`context`). `preview` shows what a teacher would be told.
"""

from models.facts import ImageFacts
from models.writers.svit.context import context_of
from models.writers.svit.prompts import SvitKind, messages
from models.writers.svit.writer import SvitWriter, instruction_of

__all__ = ["SvitKind", "SvitWriter", "preview"]


def preview(facts: ImageFacts, kind: SvitKind, seed: int) -> str:
    """Return the whole prompt for `kind` as a person can read it; raises BadInput where nothing is known of the image."""
    told = "\n\n".join(f"--- {message.role}\n{message.text}" for message in messages(kind, context_of(facts)))
    return told if kind != "description" else f"{told}\n\n--- taught as the answer to\n{instruction_of(seed)}"
