"""A figure comes with how sure it is, and two runs are told apart only where the data can."""

import pytest

from models.errors import BadEvaluation
from models.evaluation.compare import difference, interval
from models.evaluation.scores import Matched, benchmark

GQA, MME = benchmark("gqa"), benchmark("mme")


def run(right, count=200, first=0):
    rows = ((first + i, "yes", "yes" if i in right else "no") for i in range(count))
    return Matched(pairs=tuple(rows))


def test_the_interval_holds_the_value_and_narrows_with_more_answers():
    few, many = interval(GQA, run(range(0, 40, 2), 40)), interval(GQA, run(range(0, 1000, 2), 1000))
    assert few.value == many.value == 50
    assert few.low < 50 < few.high
    assert many.high - many.low < (few.high - few.low) / 3
    # Binomial: 1.96 standard deviations are 15.5 points of 40 answers.
    assert few.high - few.low == pytest.approx(31, abs=4)


def test_a_run_is_not_better_than_itself():
    found = difference(GQA, run(range(100)), run(range(100)))
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.better is None


def test_pairing_sees_what_single_intervals_cannot():
    """Ten more right answers on the same questions: the intervals overlap, the paired difference does not hold 0."""
    first, second = run(range(110)), run(range(100))
    assert interval(GQA, first).low < interval(GQA, second).high
    found = difference(GQA, first, second)
    assert found.difference.value == pytest.approx(5)
    assert found.better is True
    assert difference(GQA, second, first).better is False


def test_only_shared_questions_count():
    assert difference(GQA, run(range(100)), run(range(100), first=150)).n == 50
    with pytest.raises(BadEvaluation, match="share no"):
        difference(GQA, run(range(100)), run(range(100), first=1000))


def test_two_questions_about_a_picture_are_drawn_together():
    """MME's accuracy+ needs both: drawn singly, a picture with both right would be torn."""
    pairs = tuple((("OCR", f"{i}.png", question), True, "Yes") for i in range(20) for question in ("a", "b"))
    assert interval(MME, Matched(pairs=pairs)).low == 200


def test_nothing_answered_is_said():
    with pytest.raises(BadEvaluation, match="no answer"):
        interval(GQA, Matched(pairs=()))
