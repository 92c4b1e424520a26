"""Ask a teacher until its answer passes the checks, saying each time what was wrong. Called by every writer with a teacher.

Knows no particular prompt and no particular check. A server that is away is not its business: BackendDown passes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.errors import BadOutput
from models.vlm.types import Message
from models.writers.refusals import is_refusal
from models.writers.types import Reply, Teacher

_T = TypeVar("_T")
REFUSED = "The answer was a refusal."
UNREADABLE = "There was no readable answer."
_AGAIN = "That answer cannot be used: {problems} Give the whole answer again, in the form that was asked for."


class Asked:
    """A teacher together with the count of what it was asked: one per draft, so that each text knows its own cost."""

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self.tries = 0
        self._tokens = [0, 0]
        self._latency_s = 0.0

    def ask(self, messages: Sequence[Message], **how: Any) -> Reply:
        """`Teacher.ask`, counted."""
        self.tries += 1
        reply = self.teacher.ask(messages, **how)
        self.count(reply)
        return reply

    def count(self, reply: Reply) -> None:
        """Add what a reply cost that was got in another way."""
        self._tokens[0] += reply.prompt_tokens
        self._tokens[1] += reply.completion_tokens
        self._latency_s += reply.latency_s

    def record(self) -> dict[str, Any]:
        """What belongs into the provenance of the text that was asked for."""
        return {
            "tries": self.tries,
            "prompt_tokens": self._tokens[0],
            "completion_tokens": self._tokens[1],
            "latency_s": round(self._latency_s, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[_T]):
    """The last answer, what was read from it (None if nothing could be), and what is still wrong with it."""

    text: str
    read: _T | None
    problems: tuple[str, ...]


def ask_until(
    asked: Asked,
    messages: Sequence[Message],
    read: Callable[[str], tuple[_T | None, Sequence[str]]],
    *,
    tries: int,
    max_tokens: int = 1_024,
    seed: int = 0,
    worth: Callable[[_T], int] = lambda _: 0,
) -> Outcome[_T]:
    """Ask at most `tries` times until `read` finds nothing wrong; the best answer is kept, of equals the last.

    `read` returns what it made of a text and our own sentences on what is wrong with it. The next try shows the teacher
    its answer and these sentences; a refusal is not shown, it would be repeated. `worth` tells how much of what was made
    can be used: one sentence may name one missing mark or ten. Raises BackendDown and BadInput.
    """
    kept: Outcome[_T] = Outcome(text="", read=None, problems=(UNREADABLE,))
    conversation = tuple(messages)
    for number in range(tries):
        try:
            reply = asked.ask(conversation, max_tokens=max_tokens, seed=(seed + number) % 2**31)
        except BadOutput:
            conversation = tuple(messages)
            continue
        if is_refusal(reply.text):
            found: Outcome[_T] = Outcome(text=reply.text, read=None, problems=(REFUSED,))
        else:
            made, problems = read(reply.text)
            found = Outcome(text=reply.text, read=made, problems=tuple(problems))
        if not found.problems:
            return found
        kept = better(kept, found, worth)
        conversation = tuple(messages) if found.problems == (REFUSED,) else _complained(messages, found)
    return kept


def better(kept: Outcome[_T], found: Outcome[_T], worth: Callable[[_T], int]) -> Outcome[_T]:
    """Return the better of two answers: readable, fewer problems, worth more; of equals the later, which knew the faults."""

    def rank(one: Outcome[_T]) -> tuple[bool, int, int]:
        return one.read is not None, -len(one.problems), 0 if one.read is None else worth(one.read)

    return kept if kept.text and rank(kept) > rank(found) else found


def _complained(messages: Sequence[Message], found: Outcome[_T]) -> tuple[Message, ...]:
    complaint = _AGAIN.format(problems=" ".join(found.problems))
    return (*messages, Message(role="assistant", text=found.text), Message(role="user", text=complaint))
