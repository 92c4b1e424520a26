"""GQA: the share of short answers that are exactly the true one, as LLaVA counts it (arXiv 1902.09506).

An answer is lower-cased and loses full stops at its end; nothing else is forgiven.
"""

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


def pair(files: Files) -> Matched[str, str]:
    """Pair answers {question_id, text} or {questionId, prediction} with labels {question_id, answer}."""
    answers = read_all(files.answers)
    labels = read_all(files.labels) or answers
    return pair_up(
        ((_id(row), _plain(field(row, "answer", "label", where="labels"))) for row in labels),
        ((_id(row), _plain(field(row, "text", "prediction", where="answers"))) for row in answers),
    )


def tally(pairs: Pairs[str, str]) -> Counts:
    """Count answers and right ones."""
    return {"right": sum(label == said for _, label, said in pairs), "answers": len(pairs)}


def metrics(counts: Counts) -> dict[str, float]:
    """Return the accuracy."""
    return {"accuracy": percent(counts["right"], counts["answers"])}


def _id(row: Row) -> str:
    return str(field(row, "question_id", "questionId", where="files"))


def _plain(text: object) -> str:
    return str(text).strip().lower().rstrip(".").strip()


BENCHMARK = Benchmark(name="gqa", chief="accuracy", pair=pair, tally=tally, metrics=metrics)
