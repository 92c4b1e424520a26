"""MME: fourteen subtasks of yes-no questions, two about each picture (arXiv 2306.13394, section 2.4).

A subtask's points are its share of right answers plus its share of pictures with both right, 100 each; perception is the
sum of ten subtasks, cognition of four. Ids come twice, once for each question, so the key is the id with the question.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.scores.reading import Row, field, holds
from models.evaluation.scores.replies import label_is_yes, mme_yes, plain_question
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

PERCEPTION: Final = (
    "existence",
    "count",
    "position",
    "color",
    "posters",
    "celebrity",
    "scene",
    "landmark",
    "artwork",
    "OCR",
)
COGNITION: Final = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")

Key = tuple[str, str, str]  # subtask, file name without ending, question


def pair(sheets: Sheets) -> Matched[bool, str]:
    """Pair answers {question_id, prompt, text} with labels {category, image, question, label}.

    Answers without a `prompt` need the questions, and must stand in their order.
    """
    labels = sheets.truth("label", "answer")
    return pair_up(((_key(row), _truth(row)) for row in labels), _answers(sheets.said, sheets.questions))


def tally(pairs: Pairs[bool, str]) -> Counts:
    """Count one picture's answers; with one question unanswered it cannot have both right."""
    subtask = pairs[0][0][0]
    right = [mme_yes(said) is label for _, label, said in pairs]
    return {
        ("answers", subtask): len(right),
        ("right", subtask): sum(right),
        ("pictures", subtask): 1,
        ("both", subtask): len(right) > 1 and all(right),
    }


def metrics(counts: Counts) -> dict[str, float]:
    """Return the points of perception, of cognition and of each subtask."""
    asked = {name for what, name in counts if what == "answers"}
    points = {name: _points(counts, name) for name in sorted(asked, key=_published_order)}
    return {
        "perception": sum(points.get(name, 0.0) for name in PERCEPTION),
        "cognition": sum(points.get(name, 0.0) for name in COGNITION),
        **points,
    }


def _published_order(subtask: str) -> int:
    known = (*PERCEPTION, *COGNITION)
    return known.index(subtask) if subtask in known else len(known)


def _points(counts: Counts, name: str) -> float:
    """Accuracy and accuracy+ of a subtask."""
    accuracy = percent(counts["right", name], counts["answers", name])
    return accuracy + percent(counts["both", name], counts["pictures", name])


def unit(key: Key) -> tuple[str, str]:
    """Return the picture that a question is about."""
    return key[:2]


def _answers(rows: Sequence[Row], questions: Sequence[Row]) -> Iterator[tuple[Key, str]]:
    if rows and not holds(rows, "prompt", "question"):
        if [row.get("question_id") for row in rows] != [row.get("question_id") for row in questions]:
            raise BadEvaluation(
                "answers without a `prompt` need the questions, in the same order: ids come twice in MME"
            )
        rows = [{**row, "prompt": question["text"]} for row, question in zip(rows, questions, strict=True)]
    return ((_key(row), str(field(row, "text", "response", where="answers")).strip()) for row in rows)


def _key(row: Row) -> Key:
    """`subtask/images/name.jpg` of the LLaVA files and subtask and name of the label files become the same key."""
    name = str(field(row, "question_id", "image", where="files"))
    subtask = str(row.get("category") or name.partition("/")[0])
    question = str(field(row, "prompt", "question", "text", where="files"))
    # The label files say 0001.jpg where an answer file may say 0001.png, or 0001 alone.
    return subtask, name.rpartition("/")[2].strip().partition(".")[0], plain_question(question)


def _truth(row: Row) -> bool:
    value: Any = field(row, "label", "answer", where="labels")
    label = label_is_yes(str(value))
    if label is None:
        raise BadEvaluation(f"a label must be yes or no; got {value!r}")
    return label


BENCHMARK = Benchmark(
    name="mme",
    chief="perception",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda label, said: float(mme_yes(said) is label),
    unit=unit,
)
