"""GQA: the share of short answers that are exactly the true one, as LLaVA counts it (arXiv 1902.09506).

An answer is lower-cased and loses full stops at its end; nothing else is forgiven.
"""

from models.evaluation.scores.sheets import Files, Row, Score, field, pair_up, percent, read_all


def score(files: Files) -> Score:
    """Score answers {question_id, text} or {questionId, prediction} against labels {question_id, answer}."""
    answers = read_all(files.answers)
    labels = read_all(files.labels) or answers
    matched = pair_up(
        ((_id(row), _plain(field(row, "answer", "label", where="labels"))) for row in labels),
        ((_id(row), _plain(field(row, "text", "prediction", where="answers"))) for row in answers),
    )
    right = sum(label == said for _, label, said in matched.pairs)
    return Score(
        benchmark="gqa",
        metrics={"accuracy": percent(right, len(matched.pairs))},
        n=len(matched.pairs),
        missing=matched.missing,
        unknown=matched.unknown,
        duplicates=matched.duplicates,
    )


def _id(row: Row) -> str:
    return str(field(row, "question_id", "questionId", where="files"))


def _plain(text: object) -> str:
    return str(text).strip().lower().rstrip(".").strip()
