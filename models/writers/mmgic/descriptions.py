"""Keeps what was said of concepts, so that an order asks about each once however many of its images show it.

Starts from descriptions that are given (V3Det brings its own) and asks a teacher for the rest. Safe between threads: two images
with a new concept in common ask once. Other workers' answers are looked up before one is paid for; two that ask at the same
moment both pay, and go on with the same one. A teacher that is away leaves no trace. Knows neither prompts nor documents.
"""

import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from models.errors import BadInput
from models.writers.asking import Asked, ask_until
from models.writers.mmgic.concepts import Concept, Verdict, description_messages, read_verdict
from models.writers.types import Ledger

MAX_TOKENS: Final = 256
MAX_GIVEN: Final = 50_000


class Descriptions:
    """A book of verdicts under `Concept.key`."""

    def __init__(self, given: Mapping[str, str] | None = None, *, tries: int = 3, ledger: Ledger | None = None) -> None:
        """`given` are ready descriptions, by `Concept.key` (with or without the synset); an empty one makes a label invalid."""
        if given is not None and len(given) > MAX_GIVEN:
            raise BadInput(f"an order can bring {MAX_GIVEN} descriptions; these are {len(given)}")
        if any(not isinstance(text, str) for text in (given or {}).values()):
            raise BadInput("`descriptions` must be texts by `kind:label`, such as `object:dog`")
        self._tries, self._ledger = tries, ledger
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
                key, known = self._told(concept) or self._asked(concept, asked, seed)
                with self._lock:
                    self._known[key] = known
        return known

    def _told(self, concept: Concept) -> tuple[str, Verdict] | None:
        """What another worker has been told, with the key that it is kept under."""
        keys = _keys(concept)[:2]
        found = {} if self._ledger is None else self._ledger.find(keys)
        return next(((key, Verdict(**found[key])) for key in keys if key in found), None)

    def _asked(self, concept: Concept, asked: Asked, seed: int) -> tuple[str, Verdict]:
        outcome = ask_until(
            asked, description_messages(concept), read_verdict, tries=self._tries, max_tokens=MAX_TOKENS, seed=seed
        )
        verdict = outcome.read if outcome.read is not None and not outcome.problems else Verdict()
        key = _key(concept, verdict)
        return key, verdict if self._ledger is None else Verdict(**self._ledger.keep(key, asdict(verdict)))

    def _look_up(self, concept: Concept) -> Verdict | None:
        return next((self._known[key] for key in _keys(concept) if key in self._known), None)


def _keys(concept: Concept) -> tuple[str, str, str]:
    """Where a verdict on a concept may stand: said of the label, of it with what it is said of, or given with the order."""
    given = f"{concept.kind}:{concept.label}".casefold()
    return _key(concept, Verdict()), _key(concept, Verdict(invalid="?")), given


def _key(concept: Concept, verdict: Verdict) -> str:
    """A description holds for the label; "no sense" only with what the label was said of, or one odd image would ban it."""
    return (concept.key if verdict.invalid is None else f"{concept.key} of {', '.join(concept.related)}").casefold()
