"""Matches answers with their labels by id, and sums up what a benchmark counts. Each scorer is built from this.

Public scorers zip answers and labels by order, where one lost line shifts all that follow without a word; here every
answer finds its label by id, or is counted as what is wrong with it. Knows no benchmark and no file's layout.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

from models.evaluation.scores.reading import Row, holds, read

L = TypeVar("L")
A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """The rows of one scoring; several label and answer files belong together in their order."""

    questions: Sequence[Row] = ()
    labels: tuple[Sequence[Row], ...] = ()
    answers: tuple[Sequence[Row], ...] = ()

    @classmethod
    def read(
        cls, *, questions: Sequence[Path] = (), labels: Sequence[Path] = (), answers: Sequence[Path] = ()
    ) -> "Sheets":
        """Read files; raises BadEvaluation with file and line."""
        return cls(
            questions=[row for path in questions for row in read(path)],
            labels=tuple(read(path) for path in labels),
            answers=tuple(read(path) for path in answers),
        )

    @property
    def said(self) -> list[Row]:
        """The answers of all files."""
        return [row for rows in self.answers for row in rows]

    def truth(self, *names: str) -> list[Row]:
        """Return the labels of all files; left out, they are the questions if these have a field `names`, else the answers."""
        if self.labels:
            return [row for rows in self.labels for row in rows]
        return list(self.questions) if holds(self.questions, *names) else self.said


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came out: metrics in percent (0-100) or points, and how many answers they rest on.

    `n` answers were scored; `missing` labels have no answer, `unknown` answers no label; `duplicates` counts the lines
    beyond the first of an id. Equal lines of one id are scored once, lines that differ are not scored at all.
    """

    benchmark: str
    metrics: dict[str, float]
    n: int
    missing: int = 0
    unknown: int = 0
    duplicates: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the document that `markwise evaluate score --json` prints."""
        return {
            "benchmark": self.benchmark,
            "metrics": self.metrics,
            "n": self.n,
            "missing": self.missing,
            "unknown": self.unknown,
            "duplicates": self.duplicates,
        }


Pairs = Sequence[tuple[Any, L, A]]
"""(id, label, answer) of every answer that is scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched(Generic[L, A]):
    """Labels with their answers, in the order of the labels, and what could not be matched.

    `places` says for an id which row of its answer file holds the answer, from 0.
    """

    pairs: tuple[tuple[Any, L, A], ...]
    missing: int = 0
    unknown: int = 0
    duplicates: int = 0
    places: Mapping[Any, int] = field(default_factory=dict)

    @classmethod
    def numbered(cls, parts: Iterable["Matched[L, A]"]) -> "Matched[L, A]":
        """Return several files as one whose ids are (number of the file from 1, id)."""
        all_ = list(parts)
        return cls(
            pairs=tuple(
                ((number, key), label, said) for number, part in enumerate(all_, 1) for key, label, said in part.pairs
            ),
            missing=sum(part.missing for part in all_),
            unknown=sum(part.unknown for part in all_),
            duplicates=sum(part.duplicates for part in all_),
            places={(number, key): place for number, part in enumerate(all_, 1) for key, place in part.places.items()},
        )


def _itself(key: Hashable) -> Hashable:
    return key


Counts = Mapping[Any, float]
"""What is counted, under names of the benchmark's own; counts of units add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark(Generic[L, A]):
    """How one benchmark is scored: `pair` finds the labels of the answers, `tally` counts a unit, `metrics` reads the sum.

    A unit holds the answers that count only together (the rotations of a question, the two questions about a picture);
    `unit` maps an id to it, and a bootstrap draws whole units. `chief` is the metric that papers report. `grade` says how
    good one answer is by itself, from 0 to 1: reports look for the worst, nothing is averaged from it.
    """

    name: str
    chief: str
    pair: Callable[[Sheets], Matched[L, A]]
    tally: Callable[[Pairs[L, A]], Counts]
    metrics: Callable[[Counts], dict[str, float]]
    grade: Callable[[L, A], float]
    unit: Callable[[Any], Hashable] = _itself

    def tallies(self, pairs: Pairs[L, A]) -> list[Counts]:
        """Return the counts of each unit, in the order in which units first appear."""
        units: dict[Hashable, list[tuple[Any, L, A]]] = defaultdict(list)
        for row in pairs:
            units[self.unit(row[0])].append(row)
        return [self.tally(rows) for rows in units.values()]

    def measured(self, pairs: Pairs[L, A]) -> dict[str, float]:
        """Return the metrics of answers that are paired already."""
        return self.metrics(total(self.tallies(pairs)))

    def score(self, sheets: Sheets) -> Score:
        """Score rows; raises BadEvaluation."""
        matched = self.pair(sheets)
        return Score(
            benchmark=self.name,
            metrics=self.measured(matched.pairs),
            n=len(matched.pairs),
            missing=matched.missing,
            unknown=matched.unknown,
            duplicates=matched.duplicates,
        )


def total(tallies: Iterable[Counts]) -> Counts:
    """Return the sum of counts; a name that nobody counted is 0."""
    whole: dict[Any, float] = defaultdict(int)
    for counts in tallies:
        for name, count in counts.items():
            whole[name] += count
    return whole


def grouped(groups: Iterable[str], **amounts: float) -> Counts:
    """Return each amount as (name, group), for all answers together (group "") and for each group that has a name."""
    return {(name, group): amount for name, amount in amounts.items() for group in {"", *groups}}


def groups_of(counts: Counts, name: str) -> list[str]:
    """Return the named groups under which `name` was counted, in order."""
    return sorted(group for what, group in counts if what == name and group)


def percent(part: float, whole: float) -> float:
    """Return 100 * part / whole, unrounded; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0


NOTHING: Final = object()
"""In place of an answer: this row holds none (a judge failed, or it belongs elsewhere)."""


def pair_up(labels: Iterable[tuple[Any, L]], answers: Iterable[tuple[Any, A | object]]) -> Matched[L, A]:
    """Pair (id, label) with (id, answer); there is an answer, or NOTHING, for each row of the answer file in its order."""
    truth, said = _unique(labels), _unique(answers)
    known = truth.found.keys() | truth.torn
    return Matched(
        pairs=tuple(
            (key, label, cast("A", said.found[key])) for key, label in truth.found.items() if key in said.found
        ),
        missing=sum(key not in said.found and key not in said.torn for key in truth.found),
        unknown=sum(key not in known for key in (*said.found, *said.torn)),
        duplicates=truth.doubled + said.doubled,
        places=said.places,
    )


@dataclass(slots=True, kw_only=True)
class _Unique(Generic[L]):
    found: dict[Any, L]
    torn: set[Any]  # ids whose lines disagree
    doubled: int
    places: dict[Any, int]


def _unique(rows: Iterable[tuple[Any, L]]) -> _Unique[L]:
    seen: _Unique[L] = _Unique(found={}, torn=set(), doubled=0, places={})
    for place, (key, value) in enumerate(rows):
        if value is NOTHING:
            continue
        if key in seen.torn:
            seen.doubled += 1
        elif key not in seen.found:
            seen.found[key], seen.places[key] = value, place
        else:
            seen.doubled += 1
            if seen.found[key] != value:
                del seen.found[key]
                seen.torn.add(key)
    return seen
