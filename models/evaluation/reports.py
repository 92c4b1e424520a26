"""Sets runs of a benchmark side by side: figures with intervals, paired differences, categories, the worst answers.

Commands and evaluation jobs call `compare` and keep what it returns; `pages` shows it. Every interval is the middle 95 % of a
seeded bootstrap. Knows no file and no model.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from models.evaluation.compare import ROUNDS, Interval, difference, interval
from models.evaluation.scores import Benchmark, Matched, benchmark
from models.evaluation.scores.reading import Row

WORST: Final = 8
CHANGED: Final = 50
_CATEGORIES: Final = ("category", "l2-category", "question_type_id", "capability")
_IDS: Final = ("question_id", "questionId", "index", "image")
_LONGEST: Final = 300


def _no_picture(_key: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: its answers with their labels, the rows of its answer file, and what made them.

    `categories` maps a question's id to what it is about. `picture` returns the picture of a question as a `data:` URL, with its
    marks where the run had any, or None.
    """

    title: str
    matched: Matched[Any, Any]
    answers: Sequence[Row] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    picture: Callable[[str], str | None] = _no_picture

    def question(self, key: Any) -> str | None:
        """Return the id of the question that a scorer's key stands for, None where the rows do not say."""
        place = self.matched.places.get(key)
        return None if place is None or place >= len(self.answers) else id_of(self.answers[place])


def compare(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the report of a benchmark's runs as a JSON document; the first run is the baseline of the others.

    Raises BadEvaluation for an unknown benchmark and for runs that share no question.
    """
    chosen = benchmark(name)
    baseline = runs[0].matched if runs else None
    rows = []
    for run in runs:
        row = _figures(chosen, run)
        if run.matched is not baseline and baseline is not None and baseline.pairs and run.matched.pairs:
            row |= _against(chosen, run.matched, baseline)
        rows.append(row)
    return {"benchmark": name, "chief": chosen.chief, "bootstrap_rounds": ROUNDS, "runs": rows}


def categories(rows: Iterable[Row]) -> dict[str, str]:
    """Return what each question is about, by its id, where the rows of a question or label file say so."""
    found = {}
    for row in rows:
        key = id_of(row)
        told = next((row[name] for name in _CATEGORIES if row.get(name) is not None), None)
        if key is not None and told is not None:
            found[key] = "+".join(map(str, told)) if isinstance(told, list) else str(told)
    return found


def id_of(row: Row) -> str | None:
    """Return the id of the question that a row is about, None where it names none."""
    found = next((row[name] for name in _IDS if row.get(name) is not None), None)
    return None if found is None else str(found)


def _figures(chosen: Benchmark[Any, Any], run: Run) -> dict[str, Any]:
    matched = run.matched
    return {
        "run": run.title,
        "about": dict(run.about),
        "n": len(matched.pairs),
        "missing": matched.missing,
        "unknown": matched.unknown,
        "duplicates": matched.duplicates,
        chosen.chief: _interval(interval(chosen, matched)) if matched.pairs else None,
        "metrics": chosen.measured(matched.pairs),
        "categories": _by_category(chosen, run),
        "worst": _worst(chosen, run),
    }


def _against(chosen: Benchmark[Any, Any], matched: Matched[Any, Any], baseline: Matched[Any, Any]) -> dict[str, Any]:
    found = difference(chosen, matched, baseline)
    return {
        "difference": _interval(found.difference) | {"n": found.n, "better": found.better},
        "changed": _changed(chosen, baseline, matched),
    }


def _by_category(chosen: Benchmark[Any, Any], run: Run) -> dict[str, dict[str, Any]]:
    members: dict[str, list[Any]] = defaultdict(list)
    for row in run.matched.pairs:
        category = run.categories.get(run.question(row[0]) or "")
        if category is not None:
            members[category].append(row)
    return {
        category: {"n": len(rows), chosen.chief: _interval(interval(chosen, Matched(pairs=tuple(rows))))}
        for category, rows in sorted(members.items())
    }


def _worst(chosen: Benchmark[Any, Any], run: Run) -> list[dict[str, Any]]:
    graded = [(chosen.grade(label, said), key, label, said) for key, label, said in run.matched.pairs]
    below = sorted((one for one in graded if one[0] < 1.0), key=lambda one: one[0])
    return [
        {
            "id": _shown(key),
            "grade": grade,
            "label": _shown(label),
            "answer": _shown(said),
            "place": run.matched.places.get(key),
            "picture": None if (question := run.question(key)) is None else run.picture(question),
        }
        for grade, key, label, said in below[:WORST]
    ]


def _changed(chosen: Benchmark[Any, Any], baseline: Matched[Any, Any], run: Matched[Any, Any]) -> list[dict[str, Any]]:
    """Answers that are better or worse than the baseline's by themselves, the largest changes first."""
    before = {key: said for key, _, said in baseline.pairs}
    rows = [
        (chosen.grade(label, said) - chosen.grade(label, before[key]), key, label, said)
        for key, label, said in run.pairs
        if key in before
    ]
    rows = sorted((row for row in rows if row[0]), key=lambda row: -abs(row[0]))
    return [
        {
            "id": _shown(key),
            "change": change,
            "label": _shown(label),
            "baseline": _shown(before[key]),
            "run": _shown(said),
        }
        for change, key, label, said in rows[:CHANGED]
    ]


def _interval(found: Interval) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _shown(value: object) -> str:
    """Return a key, a label or an answer as a short text."""
    if isinstance(value, Mapping):
        value = tuple(f"{name}: {one}" for name, one in value.items())
    text = " · ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
