"""MMBench dev: each question is asked once for every rotation of its options (arXiv 2307.06281, section 4.3).

Circular: a question is right only if every rotation is. Vanilla: only the unrotated ones count. A rotation's index is the
question's plus a multiple of a million. The paper lets a language model read replies that name no option; this scorer
counts them as wrong.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from models.errors import BadEvaluation
from models.evaluation.scores.replies import option_letter
from models.evaluation.scores.sheets import Files, Row, Score, field, pair_up, percent, read_all

ROTATION_STEP: Final = 1_000_000


def score(files: Files) -> Score:
    """Score a sheet with `index, question, A-D, answer, prediction`; `answer` may stand in a label file instead."""
    answers = read_all(files.answers)
    labels = read_all(files.labels) or answers
    options = {_index(row): _options(row) for row in (*read_all(files.questions), *labels, *answers) if _options(row)}
    matched = pair_up(
        ((_index(row), str(field(row, "answer", where="labels")).strip().upper()) for row in labels),
        ((_index(row), option_letter(_said(row), options.get(_index(row)))) for row in answers),
    )
    asked: dict[int, int] = defaultdict(int)
    for index in {_index(row) for row in labels}:
        asked[index % ROTATION_STEP] += 1
    right: dict[int, list[bool]] = defaultdict(list)
    for index, letter, said in matched.pairs:
        right[index % ROTATION_STEP].append(letter == said)
    whole = {question: some for question, some in right.items() if len(some) == asked[question]}
    plain = [letter == said for index, letter, said in matched.pairs if index < ROTATION_STEP]
    return Score(
        benchmark="mmbench",
        metrics={
            "circular": percent(sum(all(some) for some in whole.values()), len(whole)),
            "vanilla": percent(sum(plain), len(plain)),
        },
        n=len(matched.pairs),
        missing=matched.missing,
        unknown=matched.unknown,
        duplicates=matched.duplicates,
    )


def _index(row: Row) -> int:
    value = field(row, "index", "question_id", where="sheet")
    try:
        return int(float(value))
    except ValueError as exc:
        raise BadEvaluation(f"an index must be a whole number; got {value!r}") from exc


def _said(row: Row) -> str:
    return str(row.get("prediction") or row.get("text") or "")


def _options(row: Row) -> Mapping[str, str]:
    return {letter: str(row[letter]) for letter in "ABCD" if row.get(letter) is not None}
