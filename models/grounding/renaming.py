"""The marks as our small model reads them best: 1, 2, 3 in their order, whatever ids the catalog has.

Its picture is painted for it alone, so letters and ids with gaps need never reach it: it is shown, told and asked numbers, and its
words come back with the catalog's ids. Called by `scene`, for marks without a table. Knows no pictures.
"""

import re
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from models.vlm.parse import find_mentions
from models.vlm.types import ChoiceReply, VlmBackend, VlmReply, VlmRequest

_NUMBER = re.compile(r"[0-9]+")
_ALONE = re.compile(r"[0-9]+\.?")


def numbers_of(ids: Sequence[str]) -> dict[str, str]:
    """Return id -> number for each of `ids`; empty where they are those numbers already."""
    numbers = {mark_id: str(number) for number, mark_id in enumerate(ids, 1)}
    return {} if all(mark_id == number for mark_id, number in numbers.items()) else numbers


class Renamed:
    """A backend that is asked in the catalog's ids and hears numbers."""

    def __init__(self, backend: VlmBackend, numbers: Mapping[str, str]) -> None:
        """`numbers` is what `numbers_of` returned."""
        self._backend = backend
        self._number_of = dict(numbers)
        self._id_of = {number: mark_id for mark_id, number in numbers.items()}
        taken = {*self._number_of, *self._id_of}
        # A mark that does not exist must not become one that does, on neither way.
        self._nobody = next(str(number) for number in count(1) if str(number) not in taken)
        self.name, self.version = backend.name, backend.version
        self.dialect, self.input_px = backend.dialect, backend.input_px

    def ready(self) -> None:
        """See `VlmBackend`."""
        self._backend.ready()

    def generate(self, request: VlmRequest) -> VlmReply:
        """See `VlmBackend`."""
        reply = self._backend.generate(self._asked(request))
        return replace(reply, text=self._back(reply.text))

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """See `VlmBackend`."""
        reply = self._backend.choose(self._asked(request), [self._number_of[choice] for choice in choices])
        found = {self._id_of.get(number, number): share for number, share in reply.probabilities.items()}
        return replace(
            reply, probabilities=found, estimated=frozenset(self._id_of.get(one, one) for one in reply.estimated)
        )

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        """See `VlmBackend`; answers are names, which hold no ids."""
        return self._backend.weigh(self._asked(request), answers)

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        """Yield line by line: an id is certain when its line is whole."""
        pieces, line = self._backend.stream(self._asked(request)), ""
        while True:
            try:
                line += next(pieces)
            except StopIteration as end:
                reply: VlmReply = end.value
                yield self._back(line)
                return replace(reply, text=self._back(reply.text))
            *whole, line = line.split("\n")
            for one in whole:
                yield f"{self._back(one)}\n"

    def _asked(self, request: VlmRequest) -> VlmRequest:
        lines = tuple(self._number_of[mark_id] for mark_id in request.lines)
        return replace(request, prompt=self._renamed(request.prompt, self._number_of), lines=lines)

    def _back(self, text: str) -> str:
        """What the model said, with the catalog's ids; a number alone is a count."""
        return text if _ALONE.fullmatch(text.strip()) else self._renamed(text, self._id_of)

    def _renamed(self, text: str, names: Mapping[str, str]) -> str:
        every: Collection[str] = {*names, *_NUMBER.findall(text)}
        for mention in reversed(find_mentions(text, every).mentions):
            at = text.rindex(mention.mark, mention.char_start, mention.char_end)  # of `mark 3` and `[3]` the id alone
            name = names.get(mention.mark, self._nobody)
            text = text[:at] + name + text[at + len(mention.mark) :]
        return text
