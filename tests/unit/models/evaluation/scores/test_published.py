"""Published answers give the published numbers, to all printed digits."""

from pathlib import Path

import pytest

from models.evaluation.scores import score

EVAL = Path(__file__).resolve().parents[6] / "shared" / "data" / "eval"


def published(name, prefix):
    if not EVAL.is_dir():
        pytest.skip(f"no published answers in {EVAL}")
    answers = EVAL / f"{prefix}_answers_llava15_13b.jsonl"
    result = score(name, labels=[EVAL / f"{prefix}_labels.jsonl"], answers=[answers])
    assert (result.missing, result.unknown, result.duplicates) == (0, 0, 0)
    return result


def test_pope_adversarial_of_llava_13b():
    result = published("pope", "pope_adversarial")
    cells = {name: result.metrics[name] for name in ("tp", "fp", "tn", "fn")}
    assert cells == {"tp": 1182, "fp": 117, "tn": 1383, "fn": 318}
    assert round(result.metrics["f1"], 2) == 84.46
    assert result.n == 3000


def test_mme_of_llava_13b():
    result = published("mme", "mme")
    assert round(result.metrics["perception"], 4) == 1531.3187
    assert round(result.metrics["cognition"], 4) == 295.3571
    assert result.n == 2374
