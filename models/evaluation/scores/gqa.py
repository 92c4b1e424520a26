"""GQA: the share of short answers that are exactly the true one, as LLaVA counts it (arXiv 1902.09506).

An answer is lower-cased and loses full stops at its end; nothing else is forgiven.
"""

from models.evaluation.scores.reading import field, question_id
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent


def pair(sheets: Sheets) -> Matched[str, str]:
    """Pair answers {question_id, text} or {questionId, prediction} with labels {question_id, answer}."""
    labels = sheets.truth("answer", "label")
    return pair_up(
        ((question_id(row), _plain(field(row, "answer", "label", where="labels"))) for row in labels),
        ((question_id(row), _plain(field(row, "text", "prediction", where="answers"))) for row in sheets.said),
    )


def tally(pairs: Pairs[str, str]) -> Counts:
    """Count answers and right ones."""
    return {"right": sum(label == said for _, label, said in pairs), "answers": len(pairs)}


def metrics(counts: Counts) -> dict[str, float]:
    """Return the accuracy."""
    return {"accuracy": percent(counts["right"], counts["answers"])}


def _plain(text: object) -> str:
    return str(text).strip().lower().rstrip(".").strip()


BENCHMARK = Benchmark(
    name="gqa",
    chief="accuracy",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda label, said: float(label == said),
)
