"""POPE: is the object in the picture? Accuracy, precision, recall, F1 and the share of yes (arXiv 2305.10355, section 4).

The number that papers report is the unweighted mean of the F1 of the random, popular and adversarial files. Their random
file has 2,910 questions, today's repository 3,000: score against the file that the answers were made for.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.scores.replies import label_is_yes, plain_question, pope_yes
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
    read,
    read_all,
)


def pair(files: Files) -> Matched[bool, str]:
    """Pair answers {question_id, text} with labels {question_id, label}; several files pair up in their order.

    With one answer file for several label files, `questions` say which answer belongs where (field `category`). Ids of the
    result are (number of the file, id).
    """
    parts = list(_matched(files))
    return Matched(
        pairs=tuple(
            ((number, key), label, said) for number, part in enumerate(parts, 1) for key, label, said in part.pairs
        ),
        missing=sum(part.missing for part in parts),
        unknown=sum(part.unknown for part in parts),
        duplicates=sum(part.duplicates for part in parts),
    )


def tally(pairs: Pairs[bool, str]) -> Counts:
    """Count answers by file, label and answer."""
    return Counter((number, label, pope_yes(said)) for (number, _), label, said in pairs)


def metrics(counts: Counts) -> dict[str, float]:
    """Return the metrics of all answers; of several files also the F1 of each and the mean of these."""
    files = sorted({number for number, _, _ in counts})
    found = _metrics(counts, files)
    if len(files) < 2:
        return found
    each = {f"f1_{number}": _metrics(counts, [number])["f1"] for number in files}
    return found | each | {"f1_mean": sum(each.values()) / len(each)}


def _matched(files: Files) -> Iterator[Matched[bool, str]]:
    answers = [read(path) for path in files.answers]
    labels = [read(path) for path in files.labels] or answers
    if len(labels) == len(answers):
        for truth, said in zip(labels, answers, strict=True):
            yield _match(truth, said, read_all(files.questions))
    elif len(answers) == 1 and files.questions:
        yield from _match_by_category(labels, answers[0], read_all(files.questions))
    else:
        raise BadEvaluation(
            f"{len(labels)} label files and {len(answers)} answer files do not pair up: give one answer file for each "
            "label file, in the same order, or one answer file and the questions with their `category`"
        )


def _match(labels: Sequence[Row], answers: Sequence[Row], questions: Sequence[Row]) -> Matched[bool, str]:
    by_id = pair_up(_labels(labels), _answers(answers))
    if by_id.pairs or not questions:
        return by_id
    content = _content(questions)
    return pair_up(
        ((_key(row), _truth(row)) for row in labels),
        ((content.get(field(row, "question_id", where="answers"), row), _text(row)) for row in answers),
    )


def _match_by_category(
    labels: Sequence[Sequence[Row]], answers: Sequence[Row], questions: Sequence[Row]
) -> Iterator[Matched[bool, str]]:
    content = _content(questions)
    category = {row["question_id"]: field(row, "category", where="questions") for row in questions}
    members: dict[str, set[Any]] = {}
    for question_id, name in category.items():
        members.setdefault(name, set()).add(content[question_id])
    for rows in labels:
        keys = {_key(row) for row in rows}
        name = max(members, key=lambda one: len(members[one] & keys))
        mine = [row for row in answers if category.get(row["question_id"]) == name]
        yield pair_up(
            ((_key(row), _truth(row)) for row in rows), ((content[row["question_id"]], _text(row)) for row in mine)
        )


def _labels(rows: Sequence[Row]) -> Iterator[tuple[Any, bool]]:
    return ((field(row, "question_id", where="labels"), _truth(row)) for row in rows)


def _answers(rows: Sequence[Row]) -> Iterator[tuple[Any, str]]:
    return ((field(row, "question_id", where="answers"), _text(row)) for row in rows)


def _content(questions: Sequence[Row]) -> dict[Any, Any]:
    return {field(row, "question_id", where="questions"): _key(row) for row in questions}


def _key(row: Row) -> tuple[str, str]:
    return str(row.get("image")), plain_question(str(row.get("text")))


def _text(row: Row) -> str:
    return str(field(row, "text", "answer", "prediction", where="answers"))


def _truth(row: Row) -> bool:
    label = label_is_yes(str(field(row, "label", where="labels")))
    if label is None:
        raise BadEvaluation(f"a label must be yes or no; got {row['label']!r}")
    return label


def _metrics(counts: Counts, files: Sequence[int]) -> dict[str, float]:
    def cell(label: bool, answer: bool) -> float:
        return sum(counts.get((number, label, answer), 0) for number in files)

    tp, fp, tn, fn = cell(True, True), cell(False, True), cell(False, False), cell(True, False)
    precision, recall = percent(tp, tp + fp), percent(tp, tp + fn)
    return {
        "accuracy": percent(tp + tn, tp + fp + tn + fn),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "yes_ratio": percent(tp + fp, tp + fp + tn + fn),
        "tp": tp,
        "fp": fp,
        "tn": tn,
        "fn": fn,
    }


BENCHMARK = Benchmark(name="pope", chief="f1", pair=pair, tally=tally, metrics=metrics)
