"""A training sample, and what LLaVA's loader asks of it: what breaks a rule is named, never zeroed in silence.

The published loader moves `<image>` to the start of its turn, asserts that roles alternate, drops a first turn that is not
the person's, and gives every label of a sample that it cuts otherwise than expected the value -100 with a printed warning
only. A mixture is checked before it is frozen, so none of that happens later. Knows no tokenizer.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from models.writers.types import IMAGE

ROLES: Final = ("human", "gpt")
# The loader cuts rounds at the end token and questions from answers at this word: inside a turn they shift every label.
SEPARATORS: Final = ("</s>", " ASSISTANT:")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One conversation. `image` is a relative path, None for text alone; `key` names it, `id` is what is exported."""

    key: str
    id: str
    kind: str
    conversations: Sequence[Mapping[str, Any]]
    image: str | None = None
    picture: str | None = None
    """What stands for the picture when pictures are split; the path where the catalog does not have it."""
    about: Mapping[str, Any] = field(default_factory=dict)

    def pairs(self) -> list[Pair]:
        """Question and answer of each round, the picture's placeholder taken out."""
        said = [str(turn["value"]).replace(IMAGE, "").strip() for turn in self.conversations]
        return list(zip(said[::2], said[1::2], strict=True))


def fault(conversations: Any, image: Any) -> str | None:
    """Return why LLaVA's loader could not train on a sample, as one sentence; None when it can."""
    turns = _turns(conversations)
    if turns is None:
        return "conversations must be a list of turns, each with `from` and `value` as texts"
    found = next(_turn_faults([who for who, _ in turns], [value for _, value in turns]), None)
    return found or _picture_fault([value for _, value in turns], image)


def _turn_faults(who: list[str], values: list[str]) -> Iterator[str]:
    if unknown := sorted(set(who).difference(ROLES)):
        yield f"the role {unknown[0]!r} is not human or gpt"
    if who[:1] != ["human"]:
        yield "the first turn must be the human's"
    if any(name != ROLES[number % 2] for number, name in enumerate(who)):
        yield "human and gpt must take turns"
    if len(who) % 2:
        yield "the last turn must be gpt's"
    for number, value in enumerate(values, 1):
        if not value.strip():
            yield f"turn {number} is empty"
        if separator := next((part for part in SEPARATORS if part in value), None):
            yield f"{separator.strip()!r} inside turn {number} would be read as its end"


def _turns(conversations: Any) -> list[Pair] | None:
    if not isinstance(conversations, Sequence) or isinstance(conversations, str):
        return None
    turns = []
    for turn in conversations:
        who, value = (turn.get("from"), turn.get("value")) if isinstance(turn, Mapping) else (None, None)
        if not isinstance(who, str) or not isinstance(value, str):
            return None
        turns.append((who, value))
    return turns


def _picture_fault(values: list[str], image: Any) -> str | None:
    places = [number for number, value in enumerate(values) for _ in range(value.count(IMAGE))]
    if image is None:
        return f"{IMAGE} stands in a sample without a picture" if places else None
    if not isinstance(image, str) or not image.strip():
        return "image must be the path of one picture"
    path = PurePosixPath(image)
    if path.is_absolute() or ".." in path.parts or "\\" in image:
        return "image must be a path inside the folder of pictures"
    if places != [0]:
        where = "nowhere" if not places else "in the turns " + ", ".join(str(place + 1) for place in places)
        return f"{IMAGE} must stand once, in the first turn; it stands {where}"
    return None


def placed(conversations: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the turns with `<image>` before the first question, where the loader would move it; faultless turns only."""
    turns = [{"from": str(turn["from"]), "value": str(turn["value"])} for turn in conversations]
    if IMAGE in turns[0]["value"]:
        question = turns[0]["value"].replace(IMAGE, "").strip()
        turns[0]["value"] = f"{IMAGE}\n{question}" if question else IMAGE
    return turns


def without_pairs(conversations: Sequence[Mapping[str, Any]], dropped: Iterable[int]) -> list[dict[str, str]]:
    """Return placed turns without some rounds (numbered from 0); the picture moves to the first question that is left."""
    gone = set(dropped)
    turns = placed(conversations)
    pictured = IMAGE in turns[0]["value"]
    left = [turn for number, turn in enumerate(turns) if number // 2 not in gone]
    if left and pictured and IMAGE not in left[0]["value"]:
        left[0]["value"] = f"{IMAGE}\n{left[0]['value']}"
    return left


def words_of(conversations: Any) -> str | None:
    """Return what is said, without the picture's placeholder and with single blanks; None where there are no turns.

    Published mixtures move placeholders and put folders before pictures, but keep the words.
    """
    turns = _turns(conversations)
    if turns is None:
        return None
    return "\n".join(" ".join(value.replace(IMAGE, " ").split()) for _, value in turns)


class ContentHash:
    """SHA-256 over samples in order. Anyone can recompute it from the LLaVA export."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, sample: Mapping[str, Any]) -> None:
        """Add one exported sample: `id`, `image` unless it is text alone, `conversations`."""
        self._digest.update(canonical_line(sample).encode())

    def hex(self) -> str:
        """Return the sum of what was added."""
        return self._digest.hexdigest()


def canonical_line(sample: Mapping[str, Any]) -> str:
    """Return the line that is hashed: compact JSON with sorted keys and a line feed."""
    return json.dumps(sample, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
