"""Rule-based listing: `1. name` per mark, from masks and class names (SoM-LLaVA, section 5.2). No teacher, no pixels."""

from collections.abc import Sequence

from models.errors import Nameless
from models.writers.listing.drafts import listing_draft
from models.writers.listing.instructions import instruction_for
from models.writers.types import Draft, Subject, TaggedMark, Teacher, WriterOptions

NO_NAMES = (
    "The rule-based writer needs a name (`text`, else `role`) for every mark; {missing} of {all} marks have none."
)


class RuleListing:
    """Writes one listing per tagged picture of which every mark has a name."""

    name = "rules"
    prompt_version = "listing-rules-1"

    def __init__(self, options: WriterOptions) -> None:
        """No options."""

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return one listing; raises Nameless where a name is missing or there are no marks."""
        marks = () if subject.tagged is None else subject.tagged.marks
        instruction = instruction_for(subject.seed)
        provenance = {"writer": self.name, "prompt_version": self.prompt_version, "seed": subject.seed}
        return [listing_draft(instruction, rule_listing(marks), {**provenance, "marks": len(marks)})]


def rule_listing(marks: Sequence[TaggedMark]) -> str:
    """Return the listing of named marks, in their order; raises Nameless where there are none or a name is missing."""
    lines = [f"{mark.id}. {' '.join(mark.name.split())}" for mark in marks if mark.name and mark.name.strip()]
    if not lines or len(lines) < len(marks):
        raise Nameless(NO_NAMES.format(missing=len(marks) - len(lines), all=len(marks)))
    return "\n".join(lines)
