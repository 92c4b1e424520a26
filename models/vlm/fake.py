"""A stand-in for a model: instant, deterministic, and honest about the contract. For tests and for wiring without weights.

It reads the mark table of its own prompt: a listing names the rows, a choice goes to the row that shares most words with the
query. It never looks at the pictures' content.
"""

import hashlib
import math
import re
from collections import deque
from collections.abc import Generator, Mapping, Sequence

from models.errors import BackendDown, BadInput
from models.vlm import grammar
from models.vlm.pictures import check_pictures
from models.vlm.types import ChoiceReply, Dialect, VlmReply, VlmRequest

_WORD = re.compile(r"\w+")
_ROW = re.compile(r"^(?P<id>\w{1,6}) (?P<what>[a-z0-9-]+(?: \"[^\n]*\")?) \d{1,2} \d{1,2}$", re.MULTILINE)
_NAMED = re.compile(r"\bmark (\w{1,6})\b|\[(\w{1,6})\]")
_MAX_PROMPT_CHARS = 60_000


class FakeBackend:
    """Answers `answer` where it is given; otherwise from the prompt's table. With `down`, every call raises BackendDown."""

    def __init__(
        self,
        *,
        answer: str | None = None,
        favourite: str | None = None,
        dialect: Dialect = "general",
        input_px: int | None = None,
        down: bool = False,
    ) -> None:
        """`favourite` is the choice that `choose` prefers where it is offered."""
        self.name = "fake"
        self.version = "1"
        self.dialect = dialect
        self.input_px = input_px
        self._answer = answer
        self._favourite = favourite
        self._down = down
        self.requests: deque[VlmRequest] = deque(maxlen=100)

    def ready(self) -> None:
        """Raise BackendDown if the fake was made to be down."""
        if self._down:
            raise BackendDown("the fake model is down")

    def generate(self, request: VlmRequest) -> VlmReply:
        """Answer with the fixed text or a listing of the table; a token is a word with the blanks before it."""
        self._accept(request)
        words = re.findall(r"\s*\S+", self._answer if self._answer is not None else self._listing(request.prompt))
        kept = words[: max(1, request.max_tokens)]
        return VlmReply(
            text="".join(kept).strip(),
            prompt_tokens=_count(request),
            completion_tokens=len(kept),
            finish_reason="stop" if len(kept) == len(words) else "length",
        )

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        """Yield `generate`'s text word by word."""
        reply = self.generate(request)
        yield from re.findall(r"\s*\S+", reply.text)
        return reply

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """Weigh by shared words; ties are broken by a hash of prompt and choice, so that they are not all the first one."""
        admitted = grammar.with_none(choices)
        self._accept(request)
        rows = {row["id"]: row["what"] for row in _ROW.finditer(request.prompt)}
        asked = _words(_ROW.sub("", request.prompt))
        return self._weights(request, {choice: len(asked & _words(rows.get(choice, ""))) for choice in admitted})

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        """Weigh by words shared with the row of the mark that the prompt names last; ties by a hash."""
        texts = tuple(grammar.whole_answers(answers))
        self._accept(request)
        rows = {row["id"]: row["what"] for row in _ROW.finditer(request.prompt)}
        named = [found[1] or found[2] for found in _NAMED.finditer(request.prompt) if (found[1] or found[2]) in rows]
        known = _words(rows[named[-1]]) if named else _words(request.prompt)
        return self._weights(request, {text: len(known & _words(text)) for text in texts})

    def _weights(self, request: VlmRequest, shared: Mapping[str, int]) -> ChoiceReply:
        scores = []
        for choice, words in shared.items():
            digest = hashlib.sha256(f"{request.prompt}\0{choice}".encode()).digest()
            scores.append(4.0 * words + digest[0] / 256.0 + (20.0 if choice == self._favourite else 0.0))
        total = sum(map(math.exp, scores))
        return ChoiceReply(
            probabilities={choice: math.exp(score) / total for choice, score in zip(shared, scores, strict=True)},
            prompt_tokens=_count(request),
            completion_tokens=1,
        )

    def _accept(self, request: VlmRequest) -> None:
        self.ready()
        check_pictures(request.images)
        if len(request.prompt) > _MAX_PROMPT_CHARS:
            raise BadInput("the prompt is too long for this model")
        if request.deadline_s is not None and request.deadline_s <= 0:
            raise BackendDown("the model did not answer in time")
        self.requests.append(request)

    def _listing(self, prompt: str) -> str:
        rows = [(row["id"], row["what"]) for row in _ROW.finditer(prompt)]
        lines = [f"{mark_id}. {' '.join(_WORD.findall(what))}" for mark_id, what in rows]
        return "\n".join(lines) or "There are no marks that I know of."


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _count(request: VlmRequest) -> int:
    return len(request.prompt.split()) + len(request.images)
