"""The four writers of SVIT: from facts of an image, told to a teacher that sees no picture, to conversations in LLaVA's form.

`conversation` gives three texts, the others one each. The texts are about the untagged image. An answer that fails a filter is
asked for again; after the last try the best one is kept with its faults under CHECKS_FAILED. The cost of a question stands in
its first text only. Called by `workers.annotating` through the registry; knows no SQL and no server.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from models.errors import BadInput, BadOutput
from models.writers.asking import Asked, ask_until
from models.writers.svit import answers, prompts
from models.writers.svit.chat_boxes import location_turns
from models.writers.svit.context import Context, context_of
from models.writers.svit.instructions import DESCRIPTION_INSTRUCTIONS
from models.writers.svit.prompts import MAX_TOKENS, PROMPT_VERSION, SvitKind
from models.writers.types import CHECKS_FAILED, Draft, Subject, Teacher, WriterOptions, dialogue

_READERS: Final[dict[SvitKind, Callable[[str, Context], answers.Made]]] = {
    "conversation": answers.read_conversations,
    "reasoning": answers.read_reasoning,
    "referring": answers.read_referring,
    "description": answers.read_description,
}


class SvitWriter:
    """One of SVIT's kinds. `extra={"locations": true}` adds, to referring, a text that asks for boxes by rule."""

    name = "svit"
    prompt_version = PROMPT_VERSION

    def __init__(self, options: WriterOptions) -> None:
        """Raises BadInput for a kind, a mode or an option that SVIT does not have."""
        self.kind = _kind(options.kind)
        if options.mode is not None:
            raise BadInput(f"the writer svit has no modes; leave `mode` out instead of {options.mode!r}")
        if unknown := set(options.extra).difference({"locations"}):
            raise BadInput(f"the writer svit has no option {min(unknown)!r}; it has `locations`")
        self.tries = options.tries
        self.locations = bool(options.extra.get("locations", False)) and self.kind == "referring"

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return the texts of this kind about `subject`; raises like `Writer.write`."""
        if subject.facts is None:
            raise BadInput("svit writes from facts: import captions, objects or regions of this image first")
        if teacher is None:
            raise BadInput("svit needs a teacher: a language model that writes from notes")
        if teacher.dialect == "tiny":
            raise BadInput(f"{teacher.name} answers short questions about marks only; svit needs a large model")
        context = context_of(subject.facts)
        if self.kind == "referring" and not context.places:
            raise BadInput("referring needs objects or regions with boxes; this image has none")
        asked = Asked(teacher)
        outcome = ask_until(
            asked,
            prompts.messages(self.kind, context),
            lambda text: _READERS[self.kind](text, context),
            tries=self.tries,
            max_tokens=MAX_TOKENS[self.kind],
            seed=subject.seed,
            worth=lambda texts: sum(len(written.pairs) for written in texts),
        )
        if outcome.read is None:
            raise BadOutput(f"nothing usable came in {self.tries} tries: {' '.join(outcome.problems)}")
        drafts = [self._draft(subject, context, written, n) for n, written in enumerate(outcome.read)]
        drafts[0] = _with(drafts[0], asked.record())
        return drafts + self._locations(subject)

    def _draft(self, subject: Subject, context: Context, written: answers.Written, number: int) -> Draft:
        pairs = written.pairs
        provenance: dict[str, Any] = {
            "writer": self.name,
            "prompt_version": self.prompt_version,
            "seed": subject.seed,
            "part": number + 1,
        }
        if self.kind == "description":
            instruction = instruction_of(subject.seed)
            provenance["instruction"] = instruction
            pairs = ((instruction, pairs[0][1]),)
        if written.topic:
            provenance["topic"] = written.topic
        if context.left_out:
            provenance["facts_left_out"] = context.left_out
        if written.problems:
            provenance[CHECKS_FAILED] = list(written.problems)
        return Draft(kind=self.kind, conversations=dialogue(pairs), tagged=False, provenance=provenance)

    def _locations(self, subject: Subject) -> list[Draft]:
        turns = location_turns(subject.facts, f"{subject.seed}") if self.locations and subject.facts else ()
        if not turns:
            return []
        provenance = {
            "writer": self.name,
            "prompt_version": self.prompt_version,
            "seed": subject.seed,
            "rule": "locations",
        }
        return [Draft(kind="referring", conversations=dialogue(turns), tagged=False, provenance=provenance)]


def instruction_of(seed: int) -> str:
    """The instruction that a description of an image with `seed` answers."""
    return Random(f"{seed}:description").choice(DESCRIPTION_INSTRUCTIONS)


def _kind(kind: str) -> SvitKind:
    for known in _READERS:
        if kind == known:
            return known
    raise BadInput(f"the writer svit has the kinds {', '.join(_READERS)}; not {kind!r}")


def _with(draft: Draft, more: dict[str, Any]) -> Draft:
    return Draft(
        kind=draft.kind,
        conversations=draft.conversations,
        tagged=draft.tagged,
        provenance={**draft.provenance, **more},
    )
