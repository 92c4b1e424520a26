"""MMBench dev: each question is asked once for every rotation of its options (arXiv 2307.06281, section 4.3).

Circular: a question is right only if every rotation is. Vanilla: only the unrotated ones count. A rotation's index is the
question's plus a multiple of a million. The paper lets a language model read replies that name no option; this scorer
counts them as wrong.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from models.errors import BadEvaluation
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.replies import option_letter
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

ROTATION_STEP: Final = 1_000_000


Label = tuple[str, int]  # letter, number of rotations of the question


def pair(sheets: Sheets) -> Matched[Label, str | None]:
    """Pair the rows of a sheet with `index, question, A-D, answer, prediction`; `answer` may stand in a label file."""
    answers, labels = sheets.said, sheets.truth("answer")
    options = {_index(row): _options(row) for row in (*sheets.questions, *labels, *answers) if _options(row)}
    rotations = Counter(unit(index) for index in {_index(row) for row in labels})
    return pair_up(
        ((index, (_letter(row), rotations[unit(index)])) for row in labels for index in [_index(row)]),
        ((index, option_letter(_said(row), options.get(index))) for row in answers for index in [_index(row)]),
    )


def tally(pairs: Pairs[Label, str | None]) -> Counts:
    """Count one question; with an unanswered rotation it is left out of the circular count."""
    right = [letter == said for _, (letter, _), said in pairs]
    rotations = pairs[0][1][1]
    plain = [letter == said for index, (letter, _), said in pairs if index < ROTATION_STEP]
    whole = len(pairs) == rotations
    return {
        "circular": whole,
        "circular_right": whole and all(right),
        "vanilla": len(plain),
        "vanilla_right": sum(plain),
    }


def metrics(counts: Counts) -> dict[str, float]:
    """Return circular and vanilla accuracy."""
    return {name: percent(counts[f"{name}_right"], counts[name]) for name in ("circular", "vanilla")}


def unit(index: int) -> int:
    """Return the question that a rotation belongs to."""
    return index % ROTATION_STEP


def _index(row: Row) -> int:
    value = question_id(row, "index", "question_id")
    if not value.isdigit():
        raise BadEvaluation(f"an index must be a whole number; got {value!r}")
    return int(value)


def _letter(row: Row) -> str:
    return str(field(row, "answer", where="labels")).strip().upper()


def _said(row: Row) -> str:
    return str(next((row[name] for name in ("prediction", "text") if row.get(name) is not None), ""))


def _options(row: Row) -> Mapping[str, str]:
    return {letter: str(row[letter]) for letter in "ABCD" if row.get(letter) is not None}


BENCHMARK = Benchmark(
    name="mmbench",
    chief="circular",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda label, said: float(label[0] == said),
    unit=unit,
)
