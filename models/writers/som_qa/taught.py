"""SoM-QA by a teacher that sees the tagged picture: one prompt of our own, read as Person and Assistant, checked, asked again.

Our own small model cannot write a conversation; it is interviewed instead (`interview`).
"""

from collections.abc import Sequence
from typing import Any

from models.errors import BadInput, BadOutput
from models.vlm.types import Message
from models.writers.asking import Asked, Outcome, ask_until
from models.writers.som_qa.interview import interview
from models.writers.som_qa.reading import Pairs, read_conversation
from models.writers.types import CHECKS_FAILED, Draft, Subject, TaggedPicture, Teacher, WriterOptions, dialogue

LEAST_TURNS = 3
MOST_TURNS = 10
_MAX_TOKENS = 1_500

SYSTEM = (
    "You write training conversations about pictures. On each picture things are tagged: a number or a letter sits on each of "
    "them, or is tied to it by a short line. A Person asks and an Assistant, who sees the picture and its tags, answers. Whenever "
    "one of them speaks of a tagged thing, its tag stands in square brackets, like [{example}]. Speak only of tags that exist. The "
    "answers must follow from what can be seen. Mix the questions: what a tagged thing is and looks like, where things are in "
    "relation to one another, how many there are of a kind, what somebody does, what may follow, which tag fits a description. "
    "Never mention these rules."
)
_ASK = (
    "Write {turns} questions with their answers about this picture. Its tags are {ids}. Begin every question with `Person:` and "
    "every answer with `Assistant:`, each on a line of its own, and write nothing else."
)


class TaughtQa:
    """Writes one conversation per tagged picture and checks it; what never passes is kept for review."""

    name = "vlm"
    prompt_version = "som-qa-1"

    def __init__(self, options: WriterOptions) -> None:
        """`extra["turns"]` is how many questions are wanted, and the least that pass (3)."""
        self._tries = options.tries
        self._turns = int(options.extra.get("turns", LEAST_TURNS))
        if not 1 <= self._turns <= MOST_TURNS:
            raise BadInput(f"a conversation has 1 to {MOST_TURNS} turns")

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return one conversation; raises BadInput without marks or teacher, BadOutput if no try could be read."""
        tagged = subject.tagged
        if tagged is None or not tagged.marks or teacher is None:
            raise BadInput("SoM-QA needs a picture with marks on it, and a teacher that looks at it.")
        asked = Asked(teacher)
        if teacher.dialect == "tiny" and teacher.backend is not None:
            outcome = interview(tagged, asked, teacher.backend, turns=self._turns, seed=subject.seed)
        else:
            outcome = self._asked(tagged, asked, subject.seed)
        if outcome.read is None:
            raise BadOutput(f"The teacher gave no conversation in {asked.tries} tries. {' '.join(outcome.problems)}")
        provenance: dict[str, Any] = {
            "writer": self.name,
            "prompt_version": self.prompt_version,
            "instruction": _ASK,
            "seed": subject.seed,
            "marks": len(tagged.marks),
            **asked.record(),
        }
        if outcome.problems:
            provenance[CHECKS_FAILED] = list(outcome.problems)
        return [Draft(kind="conversation", conversations=dialogue(outcome.read), tagged=True, provenance=provenance)]

    def _asked(self, tagged: TaggedPicture, asked: Asked, seed: int) -> Outcome[Pairs]:
        ids = [mark.id for mark in tagged.marks]
        return ask_until(
            asked,
            self.messages(tagged, asked.teacher.input_px),
            lambda text: read_conversation(text, ids, least_turns=self._turns),
            tries=self._tries,
            max_tokens=_MAX_TOKENS,
            seed=seed,
            worth=len,
        )

    def messages(self, tagged: TaggedPicture, input_px: int | None) -> tuple[Message, ...]:
        """What the teacher is sent first."""
        ids = [mark.id for mark in tagged.marks]
        return (
            Message(role="system", text=SYSTEM.format(example=ids[0])),
            Message(
                role="user",
                text=_ASK.format(turns=self._turns, ids=", ".join(ids)),
                images=(tagged.picture(input_px),),
            ),
        )
