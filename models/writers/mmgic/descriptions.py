"""Keeps what was said of concepts, so that a worker asks about each once however many images of an order show it.

Starts from descriptions that are given (V3Det brings its own) and asks a teacher for the rest. Safe between threads: two images
with a new concept in common ask once. A teacher that is away leaves no trace. Knows neither prompts nor documents.
"""

import threading
from collections.abc import Mapping
from typing import Final

from models.errors import BadInput
from models.writers.asking import Asked, ask_until
from models.writers.mmgic.concepts import Concept, Verdict, description_messages, read_verdict

MAX_TOKENS: Final = 256
MAX_GIVEN: Final = 50_000


class Descriptions:
    """A book of verdicts under `Concept.key`."""

    def __init__(self, given: Mapping[str, str] | None = None, *, tries: int = 3) -> None:
        """`given` are ready descriptions, by `Concept.key` (with or without the synset); an empty one makes a label invalid."""
        if given is not None and len(given) > MAX_GIVEN:
            raise BadInput(f"an order can bring {MAX_GIVEN} descriptions; these are {len(given)}")
        if any(not isinstance(text, str) for text in (given or {}).values()):
            raise BadInput("`descriptions` must be texts by `kind:label`, such as `object:dog`")
        self._tries = tries
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._known = {
            key.casefold(): Verdict(text=text) if text.strip() else Verdict(invalid="left out by the order")
            for key, text in (given or {}).items()
        }

    def of(self, concept: Concept, asked: Asked | None, seed: int) -> Verdict | None:
        """Return what is known of a concept, asking if somebody can be asked; None if nobody knows.

        Where no try gave a clean answer, the label stays without a description. Raises BackendDown.
        """
        with self._lock:
            known = self._look_up(concept)
            turn = self._asking.setdefault(concept.key.casefold(), threading.Lock())
        if known is not None or asked is None:
            return known
        with turn:
            with self._lock:
                known = self._look_up(concept)
            if known is None:
                outcome = ask_until(
                    asked,
                    description_messages(concept),
                    read_verdict,
                    tries=self._tries,
                    max_tokens=MAX_TOKENS,
                    seed=seed,
                )
                known = outcome.read if outcome.read is not None and not outcome.problems else Verdict()
                with self._lock:
                    self._known[_key(concept, known)] = known
        return known

    def _look_up(self, concept: Concept) -> Verdict | None:
        for key in (
            _key(concept, Verdict()),
            _key(concept, Verdict(invalid="?")),
            f"{concept.kind}:{concept.label}".casefold(),
        ):
            if key in self._known:
                return self._known[key]
        return None


def _key(concept: Concept, verdict: Verdict) -> str:
    """A description holds for the label; "no sense" only with what the label was said of, or one odd image would ban it."""
    return (concept.key if verdict.invalid is None else f"{concept.key} of {', '.join(concept.related)}").casefold()
