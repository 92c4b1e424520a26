"""Judges: read, asked again, remembered, and a failed verdict is never a good one."""

import json

import pytest

from models.errors import BackendDown, BadEvaluation, BadOutput
from models.evaluation.judges import Judge, Truth, Verdicts, truths
from models.evaluation.scores import Sheets, benchmark
from models.writers.types import Reply


class Scripted:
    """A teacher that says what it is told to, one line for each question, and remembers what it was asked."""

    name, version, dialect, input_px, backend = "judge", "1", "general", None, None

    def __init__(self, *lines):
        self.lines, self.asked = list(lines), []

    def ask(self, messages, *, max_tokens, temperature, seed):
        self.asked.append((messages[0].text, temperature))
        said = self.lines.pop(0)
        if isinstance(said, Exception):
            raise said
        return Reply(text=said, prompt_tokens=1, completion_tokens=1, finish_reason="stop", latency_s=0.0)


TRUTHS = {"1": Truth(question="What is it?", reference="a boat", context="A boat at sea.", category="llava_bench_conv")}


def judge(name, teacher, **more):
    return Judge(benchmark=name, teacher=teacher, truths=TRUTHS, **more)


def test_a_review_is_what_the_scorer_reads():
    teacher = Scripted("9 7.5\nboth fine")
    row = judge("llava-bench", teacher)("1", "a small boat")
    assert row["tuple"] == [9, 7.5]
    for part in ("What is it?", "a boat", "A boat at sea.", "a small boat"):
        assert part in teacher.asked[0][0]
    score = benchmark("llava-bench").score(Sheets(answers=([{"question_id": 1} | row],)))
    assert score.metrics == {"score": pytest.approx(100 * 7.5 / 9), "conv": pytest.approx(100 * 7.5 / 9)}


@pytest.mark.parametrize("words", ["both good", "11 3", "8", "-1 -1", "8 7 6"])
def test_a_review_that_cannot_be_read_is_asked_for_again_and_then_missing(words):
    teacher = Scripted(*[words] * 4)
    row = judge("llava-bench", teacher)("1", "x")
    assert [temperature for _, temperature in teacher.asked] == [0.0, 0.5, 1.0, 1.5]
    score = benchmark("llava-bench").score(Sheets(answers=([{"question_id": 1} | row],)))
    assert (score.n, score.missing, score.metrics["score"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("words", "grade"), [("0.7", 0.7), ("Score: 1", 1.0), ("0.5.", 0.5), ("0", 0.0), ("0.5 or 0.6", None), ("7", None)]
)
def test_a_grade_is_one_number_from_0_to_1(words, grade):
    row = judge("mmvet", Scripted(*[words] * 4))("1", "a boat")
    assert row["score"] == ([] if grade is None else [grade])


def test_broken_answers_count_as_failed_and_a_judge_that_is_away_is_waited_for():
    assert judge("mmvet", Scripted(BadOutput("torn"), "1.0"))("1", "a")["score"] == [1.0]
    with pytest.raises(BackendDown):
        judge("mmvet", Scripted(BackendDown("gone")))("1", "a")


def test_no_verdict_is_paid_for_twice(tmp_path):
    path = tmp_path / "verdicts.jsonl"
    judge("mmvet", Scripted("0.5"), verdicts=Verdicts(path))("1", "a")
    path.write_text(path.read_text() + '{"asked": "torn')
    assert judge("mmvet", Scripted(), verdicts=Verdicts(path))("1", "a")["score"] == [0.5]
    other = judge("mmvet", Scripted("0.1"), verdicts=Verdicts(path))
    assert other("1", "another answer")["score"] == [0.1]
    path.write_text(json.dumps({"no": "cache"}) + "\n")
    with pytest.raises(BadEvaluation, match="verdicts"):
        Verdicts(path)


def test_failed_verdicts_are_not_remembered(tmp_path):
    verdicts = Verdicts(tmp_path / "v.jsonl")
    judge("mmvet", Scripted(*["none"] * 4), verdicts=verdicts)("1", "a")
    assert judge("mmvet", Scripted("1.0"), verdicts=verdicts)("1", "a")["score"] == [1.0]


def test_truths_come_from_the_official_files():
    questions = [{"question_id": 0, "image": "1.jpg", "text": "q", "category": "llava_bench_conv"}]
    labels = [{"question_id": 0, "text": "reference"}, {"id": 1, "image": "1.jpg", "caption": "context"}]
    assert truths("llava-bench", questions, labels)["0"] == Truth(
        question="q", reference="reference", context="context", category="llava_bench_conv"
    )
    graded = truths("mmvet", [{"question_id": 3, "text": "q"}], [{"question_id": "v1_3", "answer": "x<OR>y"}])
    assert graded["3"].reference == "x<OR>y"
    assert Judge(benchmark="mmvet", teacher=Scripted("1.0"), truths=graded)("v1_3", "x")["score"] == [1.0]
    with pytest.raises(BadEvaluation, match="no reference"):
        truths("mmvet", [{"question_id": 4, "text": "q"}], [])
