"""POPE: is the object in the picture? Accuracy, precision, recall, F1 and the share of yes (arXiv 2305.10355, section 4).

The number that papers report is the unweighted mean of the F1 of the random, popular and adversarial files. Their random
file has 2,910 questions, today's repository 3,000: score against the file that the answers were made for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.replies import label_is_yes, plain_question, pope_yes
from models.evaluation.scores.sheets import NOTHING, Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

# LLaVA numbers the questions of the random and popular files anew: the label file's id and 10 or 20 million.
_LLAVA_STEP: Final = 10_000_000

Content = tuple[str, str]  # picture, question


def pair(sheets: Sheets) -> Matched[bool, str]:
    """Pair answers {question_id, text} with labels {question_id, label}; several files pair up in their order.

    With one answer file for several label files, `questions` say which answer belongs where (field `category`). Ids of the
    result are (number of the file, id).
    """
    return Matched.numbered(_matched(sheets))


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


def _matched(sheets: Sheets) -> Iterator[Matched[bool, str]]:
    labels = sheets.labels or ((sheets.truth("label"),) if len(sheets.answers) == 1 else sheets.answers)
    if len(labels) == len(sheets.answers):
        for number, (truth, said) in enumerate(zip(labels, sheets.answers, strict=True), 1):
            found = _match(truth, said, sheets.questions)
            if not found.pairs and len(labels) > 1:
                raise BadEvaluation(
                    f"no answer of answer file {number} has a label in label file {number}: are both in the same order?"
                )
            yield found
    elif len(sheets.answers) == 1 and sheets.questions:
        yield from _match_by_category(labels, sheets.answers[0], sheets.questions)
    else:
        raise BadEvaluation(
            f"{len(labels)} label files and {len(sheets.answers)} answer files do not pair up: give one answer file for "
            "each label file, in the same order, or one answer file and the questions with their `category`"
        )


def _match(labels: Sequence[Row], answers: Sequence[Row], questions: Sequence[Row]) -> Matched[bool, str]:
    ids = {question_id(row) for row in answers}
    if ids & {question_id(row) for row in labels}:
        return _match_by_id(labels, answers)
    content = _content(questions)
    if ids & content.keys():
        return pair_up(
            ((_key(row), _truth(row)) for row in labels),
            ((content.get(question_id(row), question_id(row)), _text(row)) for row in answers),
        )
    return _match_by_id(labels, [{**row, "question_id": _unstepped(question_id(row))} for row in answers])


def _match_by_id(labels: Sequence[Row], answers: Sequence[Row]) -> Matched[bool, str]:
    """Pair by id; an answer to another question than the label's, as of another version of the file, is unknown."""
    texts = {question_id(row): plain_question(str(row.get("text") or "")) for row in labels}
    worded_alike = any(_asks(row, texts.get(question_id(row))) for row in answers)

    def key(row: Row) -> tuple[str, bool]:
        asked = texts.get(question_id(row))
        return question_id(row), worded_alike and asked is not None and not _asks(row, asked)

    return pair_up(
        (((question_id(row), False), _truth(row)) for row in labels), ((key(row), _text(row)) for row in answers)
    )


def _asks(answer: Row, text: str | None) -> bool:
    """Return whether an answer's prompt holds the label's question; so it does where either is not told."""
    prompt = answer.get("prompt")
    return text is not None and (not text or prompt is None or text in plain_question(str(prompt)))


def _unstepped(key: str) -> str:
    return str(int(key) % _LLAVA_STEP) if key.isdigit() else key


def _match_by_category(
    labels: Sequence[Sequence[Row]], answers: Sequence[Row], questions: Sequence[Row]
) -> Iterator[Matched[bool, str]]:
    """Yield the match of each label file with the answers of the category that shares most questions with it."""
    content = _content(questions)
    category = {question_id(row): str(field(row, "category", where="questions")) for row in questions}
    members: Mapping[str, set[Content]] = defaultdict(set)
    for here, name in category.items():
        members[name].add(content[here])
    for rows in labels:
        keys = {_key(row) for row in rows}
        name = max(members, key=lambda one: len(members[one] & keys))
        yield pair_up(
            ((_key(row), _truth(row)) for row in rows),
            (
                (content[here], _text(row)) if category.get(here) == name else (None, NOTHING)
                for row in answers
                for here in [question_id(row)]
            ),
        )


def _content(questions: Sequence[Row]) -> dict[str, Content]:
    return {question_id(row): _key(row) for row in questions}


def _key(row: Row) -> Content:
    return str(row.get("image")), plain_question(str(row.get("text")))


def _text(row: Row) -> str:
    return str(field(row, "text", "answer", "prediction", where="answers"))


def _truth(row: Row) -> bool:
    value: Any = field(row, "label", where="labels")
    label = label_is_yes(str(value))
    if label is None:
        raise BadEvaluation(f"a label must be yes or no; got {value!r}")
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


BENCHMARK = Benchmark(
    name="pope",
    chief="f1",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda label, said: float(pope_yes(said) is label),
)
