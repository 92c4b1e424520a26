"""Concept overlap: how many of the things that a benchmark speaks of a training corpus has spoken of (MMGiC, appendix C.1).

Concepts are noun phrases without their determiners; the paper takes spaCy's chunks, we our own (DECISIONS 46). Counted
are different phrases and their occurrences, and the same for head words alone, since "a small red car" teaches about cars.
Pictures that both name are counted too: a benchmark's picture in the training data is a leak. One pass per file, in memory of
the corpora's vocabularies. Called by the command.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from models.errors import BadEvaluation
from models.mixtures.noun_phrases import phrases
from models.sources.records import BrokenFile
from models.sources.streaming import entries, is_list

SHOWN: Final = 20
_TEXTS: Final = ("caption", "text", "question", "answer", "prediction", "hint", "sent", "raw")
_PICTURES: Final = ("image", "file_name", "data_id", "image_id")
_LISTS: Final = ("annotations", "questions", "refs", "images")
Row = Mapping[str, Any]


@dataclass(slots=True)
class Vocabulary:
    """The noun phrases of a corpus with how many texts hold each, their head words, and the pictures it names."""

    texts: int = 0
    phrases: Counter[str] = field(default_factory=Counter)
    heads: Counter[str] = field(default_factory=Counter)
    pictures: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Count one text."""
        self.texts += 1
        found = phrases(text)
        self.phrases.update(found)
        self.heads.update({phrase.rpartition(" ")[2] for phrase in found})


def vocabulary(path: Path) -> Vocabulary:
    """Read a file: LLaVA JSON, COCO captions, question files, JSON lines; raises BadEvaluation where it holds no text."""
    found = Vocabulary()
    try:
        for row in _rows(path):
            for text in _texts(row):
                found.add(text)
            found.pictures.update(_pictures(row))
    except BrokenFile as error:
        raise BadEvaluation(str(error)) from error
    if not found.texts:
        raise BadEvaluation(
            f"{path} holds no text that is known here (`conversations`, {', '.join(f'`{name}`' for name in _TEXTS)})"
        )
    return found


def overlap(training: Vocabulary, asked: Vocabulary, *, at_least: int = 1) -> dict[str, Any]:
    """Return what share of the benchmark's concepts, in percent, at least so many training texts hold; and the commonest missing."""
    known = {phrase for phrase, count in training.phrases.items() if count >= at_least}
    known_heads = {head for head, count in training.heads.items() if count >= at_least}
    missing = [phrase for phrase, _ in asked.phrases.most_common() if phrase not in known]
    return {
        "phrases": len(asked.phrases),
        "covered": _share(asked.phrases, known, each=False),
        "covered_occurrences": _share(asked.phrases, known, each=True),
        "heads": len(asked.heads),
        "covered_heads": _share(asked.heads, known_heads, each=False),
        "covered_head_occurrences": _share(asked.heads, known_heads, each=True),
        "shared_pictures": len(training.pictures & asked.pictures),
        "pictures": len(asked.pictures),
        "missing": missing[:SHOWN],
    }


def _share(asked: Counter[str], known: set[str], *, each: bool) -> float:
    counts = {name: count if each else 1 for name, count in asked.items()}
    whole = sum(counts.values())
    return 100.0 * sum(count for name, count in counts.items() if name in known) / whole if whole else 0.0


def _rows(path: Path) -> Iterator[Row]:
    if path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(line, path, number)
        return
    if is_list(path):
        yield from (entry for entry in entries(path) if isinstance(entry, dict))
        return
    for name in _LISTS:
        yield from (entry for entry in entries(path, name) if isinstance(entry, dict))


def _row(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        raise BadEvaluation(f"{path}, line {number}: not JSON") from None
    return row if isinstance(row, dict) else {}


def _texts(row: Row) -> Iterator[str]:
    turns = row.get("conversations")
    if isinstance(turns, list):
        said = (turn.get("value") for turn in turns if isinstance(turn, dict))
        yield from (text.replace("<image>", "") for text in said if isinstance(text, str))
    for name in _TEXTS:
        if isinstance(row.get(name), str) and row[name]:
            yield row[name]
    for sentence in row.get("sentences") or ():
        if isinstance(sentence, dict):
            yield from _texts(sentence)


def _pictures(row: Row) -> Iterator[str]:
    """Yield the numbers that COCO's pictures carry under whatever prefix, and other names without folder and ending."""
    for name in _PICTURES:
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            stem = PurePosixPath(str(value)).stem
            digits = stem.rpartition("_")[2]
            yield str(int(digits)) if digits.isdigit() else stem
