"""LLaVA training JSON (a list, or one object per line): images with the conversations that were written about them.

The rules are those of the loader that would train on it (roles alternate from a human on, one `<image>`), because a
sample that breaks them is silently worth nothing there. Ids repeat in the published mixtures, so a record is known by
its id and a digest of what it says.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.sources.records import BrokenFile, BrokenRecord, Fault, ImageReference, Reading, Record, Tools
from models.sources.streaming import entries, is_list

ROLES = ("human", "gpt")
PLACE = "<image>"


def read(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open LLaVA files; nothing is sorted, so memory is that of one sample. Raises BrokenFile, as they are counted first."""

    def records() -> Iterator[Record | Fault]:
        for path in paths:
            for number, sample in enumerate(samples(path)):
                tools.beat()
                name = str(sample.get("id", number)) if isinstance(sample, dict) else str(number)
                try:
                    yield _record(name, sample)
                except BrokenRecord as error:
                    yield Fault(external_id=f"{path.name} sample {number} (id {name})", detail=str(error))

    return Reading(records=records, total=sum(1 for path in paths for _ in samples(path)))


def samples(path: Path) -> Iterator[Any]:
    """Yield the samples of a file, one list or one JSON object per line; raises BrokenFile with the line."""
    if is_list(path):
        yield from entries(path)
        return
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        yield json.loads(line)
                    except ValueError:
                        raise BrokenFile(f"{path.name}: line {number} is not JSON.") from None
    except (OSError, UnicodeDecodeError):
        raise BrokenFile(f"{path.name} cannot be read as a text file in UTF-8.") from None


def _record(name: str, sample: Any) -> Record:
    if not isinstance(sample, Mapping):
        raise BrokenRecord("the sample is not an object")
    image = sample.get("image")
    if not isinstance(image, str):
        several = "it has several images" if isinstance(image, list) else "it has no image"
        raise BrokenRecord(f"{several}; take such samples into a dataset straight from the file")
    turns = checked_turns(sample.get("conversations"))
    digest = hashlib.sha256(json.dumps([image, turns], sort_keys=True).encode()).hexdigest()[:16]
    return Record(external_id=f"{name}@{digest}", image=ImageReference(file_name=image), conversations=turns)


def checked_turns(stated: Any) -> tuple[dict[str, str], ...]:
    """Return the turns as `{"from", "value"}`; raises BrokenRecord that says which rule of the loader they break."""
    if not isinstance(stated, list) or len(stated) < 2:
        raise BrokenRecord("`conversations` must hold at least a question and an answer")
    turns = []
    for number, turn in enumerate(stated):
        role, value = (turn.get("from"), turn.get("value")) if isinstance(turn, Mapping) else (None, None)
        if role != ROLES[number % 2]:
            raise BrokenRecord(f"turn {number + 1} must be from `{ROLES[number % 2]}`: roles alternate, a human begins")
        if not isinstance(value, str) or not value.strip():
            raise BrokenRecord(f"turn {number + 1} says nothing")
        turns.append({"from": role, "value": value})
    if len(turns) % 2:
        raise BrokenRecord("the last question has no answer")
    if sum(turn["value"].count(PLACE) for turn in turns) != 1 or PLACE not in turns[0]["value"]:
        raise BrokenRecord(f"the first question, and nothing else, must hold `{PLACE}` once")
    return tuple(turns)
