"""SEED-Bench, its image half: the share of four-way questions with the right letter (arXiv 2307.16125, section 4).

Types 1 to 9 are about images; answer files also hold the videos, whose ids begin with a v: unknown here, not an error.
"""

from collections.abc import Mapping

from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.replies import option_letter
from models.evaluation.scores.sheets import (
    Benchmark,
    Counts,
    Matched,
    Pairs,
    Sheets,
    grouped,
    groups_of,
    pair_up,
    percent,
    total,
)

_IMAGE_TYPES = range(1, 10)
_TYPES = ("question_type_id", "q_type_id")


Label = tuple[str, str]  # letter, type


def pair(sheets: Sheets) -> Matched[Label, str | None]:
    """Pair answers {question_id, prediction} with labels {question_id, gt_answer, question_type_id}.

    The types and options may come with the questions, the labels as `answer` as in the official file.
    """
    questions = {question_id(row): row for row in sheets.questions}
    labels = sheets.truth("gt_answer", "answer", "label")
    return pair_up(
        (
            (question_id(row), (_letter(row), _type(row, questions)))
            for row in labels
            if _about_an_image(row, questions)
        ),
        (
            (question_id(row), option_letter(_said(row), _options(questions.get(question_id(row)))))
            for row in sheets.said
        ),
    )


def tally(pairs: Pairs[Label, str | None]) -> Counts:
    """Count answers and right ones, of all and of each type."""
    return total(grouped([kind], right=letter == said, answers=1) for _, (letter, kind), said in pairs)


def metrics(counts: Counts) -> dict[str, float]:
    """Return the accuracy, and that of each type where types are known."""
    return {
        f"type_{kind}" if kind else "accuracy": percent(counts["right", kind], counts["answers", kind])
        for kind in ("", *groups_of(counts, "answers"))
    }


def _letter(row: Row) -> str:
    return str(field(row, "gt_answer", "answer", "label", where="labels")).strip().upper()


def _said(row: Row) -> str:
    return str(field(row, "prediction", "text", where="answers"))


def _type(row: Row, questions: Mapping[str, Row]) -> str:
    question = questions.get(question_id(row), {})
    kinds = [one[name] for one in (row, question) for name in _TYPES if one.get(name) is not None]
    return str(kinds[0]) if kinds else ""


def _about_an_image(row: Row, questions: Mapping[str, Row]) -> bool:
    if question_id(row).startswith("v") or row.get("data_type") == "video":
        return False
    kind = _type(row, questions)
    return not kind.isdigit() or int(kind) in _IMAGE_TYPES


def _options(question: Row | None) -> dict[str, str] | None:
    choices = ((letter, (question or {}).get(f"choice_{letter.lower()}")) for letter in "ABCD")
    return {letter: str(words) for letter, words in choices if words is not None} or None


BENCHMARK = Benchmark(
    name="seed",
    chief="accuracy",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda label, said: float(label[0] == said),
)
