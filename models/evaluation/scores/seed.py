"""SEED-Bench, its image half: the share of four-way questions with the right letter (arXiv 2307.16125, section 4).

Types 1 to 9 are about images; answer files also hold the videos, whose ids begin with a v: unknown here, not an error.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from models.evaluation.scores.replies import option_letter
from models.evaluation.scores.sheets import (
    Benchmark,
    Counts,
    Files,
    Matched,
    Pairs,
    Row,
    field,
    pair_up,
    percent,
    read_all,
)

_IMAGE_TYPES = range(1, 10)


Label = tuple[str, str]  # letter, type


def pair(files: Files) -> Matched[Label, str | None]:
    """Pair answers {question_id, prediction} with labels {question_id, gt_answer, question_type_id}.

    The types and options may come with the questions, the labels as `answer` as in the official file.
    """
    answers = read_all(files.answers)
    questions = {_id(row): row for row in read_all(files.questions)}
    labels = read_all(files.labels) or list(questions.values()) or answers
    return pair_up(
        ((_id(row), (_letter(row), _type(row, questions))) for row in labels if _about_an_image(row, questions)),
        ((_id(row), option_letter(_said(row), _options(questions.get(_id(row))))) for row in answers),
    )


def tally(pairs: Pairs[Label, str | None]) -> Counts:
    """Count answers and right ones of each type, and of all under the empty name."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, (letter, kind), said in pairs:
        for name in {"", kind}:
            counts["right", name] += letter == said
            counts["answers", name] += 1
    return counts


def metrics(counts: Counts) -> dict[str, float]:
    """Return the accuracy, and that of each type where types are known."""
    types = sorted(kind for what, kind in counts if what == "answers" and kind)
    return {
        "accuracy": percent(counts["right", ""], counts["answers", ""]),
        **{f"type_{kind}": percent(counts["right", kind], counts["answers", kind]) for kind in types},
    }


def _id(row: Row) -> str:
    return str(field(row, "question_id", "questionId", where="files"))


def _letter(row: Row) -> str:
    return str(field(row, "gt_answer", "answer", "label", where="labels")).strip().upper()


def _said(row: Row) -> str:
    return str(field(row, "prediction", "text", where="answers"))


def _type(row: Row, questions: Mapping[str, Row]) -> str:
    kind = row.get("question_type_id", questions.get(_id(row), {}).get("question_type_id"))
    return "" if kind is None else str(kind)


def _about_an_image(row: Row, questions: Mapping[str, Row]) -> bool:
    if _id(row).startswith("v") or row.get("data_type") == "video":
        return False
    kind = _type(row, questions)
    return not kind.isdigit() or int(kind) in _IMAGE_TYPES


def _options(question: Row | None) -> dict[str, str] | None:
    if question is None:
        return None
    return dict(_choices(question)) or None


def _choices(question: Row) -> Iterator[tuple[str, str]]:
    for letter in "ABCD":
        words = question.get(f"choice_{letter.lower()}")
        if words is not None:
            yield letter, str(words)


BENCHMARK = Benchmark(name="seed", chief="accuracy", pair=pair, tally=tally, metrics=metrics)
