"""Listing by a teacher that sees the tagged picture, in three modes that can be compared (SoM-LLaVA, sections 4.3 and A.4).

`zero-shot` asks in one turn; `improved-system` adds a system message against naming far-away objects; `two-shot` adds to
that two accepted listings with their pictures, as earlier turns. The words are ours. Our own small model is asked in the
way it was taught, zero-shot only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import BadInput, BadOutput
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import Message
from models.writers.asking import UNREADABLE, Asked, Outcome, ask_until, better
from models.writers.listing.drafts import listing_draft
from models.writers.listing.instructions import instruction_for
from models.writers.listing.reading import Listing, read_listing
from models.writers.types import CHECKS_FAILED, Draft, Subject, TaggedPicture, Teacher, WriterOptions

MODES = ("zero-shot", "improved-system", "two-shot")
SHOTS = 2
_TOKENS_PER_MARK, _SPARE_TOKENS = 48, 200

_ASK = (
    "Small tags, each a number or a letter, are painted on this picture. {count} In the order of the tags, write one line per "
    "tag: the tag, a dot, and what it marks. Nothing else may begin with a tag."
)
SYSTEM = (
    "You describe pictures on which things were tagged with numbers or letters. A tag sits on the thing it marks, usually at its "
    "middle, or is tied to it by a short line. Say what lies directly under a tag. Never give a tag to something farther away "
    "because that is larger, clearer or easier to name. Go through all tags in their order, one line each: the tag, a dot, and a "
    "short description. Where a thing is hidden, cut off or hard to make out, say so in its line instead of guessing."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A listing that a person accepted, with its tagged picture."""

    text_id: str
    tagged: TaggedPicture
    listing: str


class TaughtListing:
    """Writes one listing per tagged picture and checks it; what never passes is kept for review."""

    name = "vlm"

    def __init__(self, options: WriterOptions) -> None:
        """`options.mode` is one of MODES; `two-shot` takes `examples`, a list of `Example`, in `extra`."""
        self.mode = options.mode or MODES[0]
        self.prompt_version = f"listing-{self.mode}-1"
        if self.mode not in MODES:
            raise BadInput(f"a listing has the modes {', '.join(MODES)}; not {self.mode[:40]!r}")
        self._tries = options.tries
        self._examples: tuple[Example, ...] = tuple(options.extra.get("examples", ()))
        if (self.mode == "two-shot") != (len(self._examples) == SHOTS):
            raise BadInput(f"the mode two-shot takes {SHOTS} examples, the other modes take none")

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return one listing; raises BadInput without marks or teacher, BadOutput if no try had a single usable line."""
        tagged = subject.tagged
        if tagged is None or not tagged.marks or teacher is None:
            raise BadInput("A listing needs a picture with marks on it, and a teacher that looks at it.")
        instruction = instruction_for(subject.seed)
        asked = Asked(teacher)
        if teacher.dialect == "tiny" and teacher.backend is not None:
            instruction, outcome = self._taught_way(tagged, asked, subject.seed)
        else:
            outcome = self._asked(tagged, asked, subject.seed)
        if outcome.read is None:
            raise BadOutput(f"The teacher gave no listing in {asked.tries} tries. {' '.join(outcome.problems)}")
        return [listing_draft(instruction, outcome.read.text, self._provenance(subject, tagged, asked, outcome))]

    def _asked(self, tagged: TaggedPicture, asked: Asked, seed: int) -> Outcome[Listing]:
        ids = [mark.id for mark in tagged.marks]
        return ask_until(
            asked,
            self.messages(tagged, asked.teacher.input_px),
            lambda text: read_listing(text, ids),
            tries=self._tries,
            max_tokens=_TOKENS_PER_MARK * len(ids) + _SPARE_TOKENS,
            seed=seed,
            worth=_lines,
        )

    def messages(self, tagged: TaggedPicture, input_px: int | None) -> tuple[Message, ...]:
        """What the teacher is sent first. Earlier turns of `two-shot` hold the picture alone, as the last one does."""
        picture = tagged.picture(input_px)
        ids = [mark.id for mark in tagged.marks]
        count = f"There are {len(ids)} of them: {', '.join(ids)}." if len(ids) > 1 else f"There is one: {ids[0]}."
        if self.mode == "zero-shot":
            return (Message(role="user", text=_ASK.format(count=count), images=(picture,)),)
        turns = [Message(role="system", text=SYSTEM)]
        for example in self._examples:
            turns.append(Message(role="user", text="", images=(example.tagged.picture(input_px),)))
            turns.append(Message(role="assistant", text=example.listing))
        question = "" if self._examples else _ASK.format(count=count)
        return (*turns, Message(role="user", text=question, images=(picture,)))

    def _taught_way(self, tagged: TaggedPicture, asked: Asked, seed: int) -> tuple[str, Outcome[Listing]]:
        """Have grounding list the marks; another wording each time: at temperature 0 the same words give the same answer."""
        backend = asked.teacher.backend
        if backend is None or self.mode != "zero-shot":
            raise BadInput("This model was taught single questions: it lists in the mode zero-shot only.")
        ids = [mark.id for mark in tagged.marks]
        first = seed % len(LIST_TEMPLATES)
        wording = ""
        outcome: Outcome[Listing] = Outcome(text="", read=None, problems=(UNREADABLE,))
        for number in range(self._tries):
            tried = LIST_TEMPLATES[(first + number) % len(LIST_TEMPLATES)]
            reply = tagged.grounded(backend, "list", tried)
            asked.tries += 1
            asked.count(reply)
            read, problems = read_listing(reply.text, ids)
            found = Outcome(text=reply.text, read=read, problems=tuple(problems))
            if better(outcome, found, _lines) is found:
                wording, outcome = tried, found
            if not problems:
                break
        return wording, outcome

    def _provenance(
        self, subject: Subject, tagged: TaggedPicture, asked: Asked, outcome: Outcome[Listing]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "writer": self.name,
            "mode": self.mode,
            "prompt_version": self.prompt_version,
            "seed": subject.seed,
            "marks": len(tagged.marks),
            **asked.record(),
        }
        if self._examples:
            body["examples"] = [example.text_id for example in self._examples]
        if outcome.problems:
            body[CHECKS_FAILED] = list(outcome.problems)
        return body


def _lines(listing: Listing) -> int:
    return len(listing.labels)
