"""Listings are scored per item, strictly."""

import pytest

from models.evaluation.listing import parse_listing, score_answers, score_listing

TRUTH = {"1": "red circle", "2": "blue square", "3": "white heart"}


def test_a_right_listing_scores_full():
    score = score_listing("1. red circle\n2. Blue  square.\n3. white heart", TRUTH)
    assert (score.item_accuracy, score.picture_accuracy) == (1.0, 1.0)


def test_a_name_at_the_wrong_mark_is_wrong():
    score = score_listing("1. blue square\n2. red circle\n3. white heart", TRUTH)
    assert score.right == 1


def test_missing_and_invented_items_are_counted():
    score = score_listing("1. red circle\n4. green star", TRUTH)
    assert (score.right, score.missing, score.invented, score.whole_right) == (1, 2, 1, 0)


def test_a_complete_listing_with_an_invented_line_is_not_wholly_right():
    score = score_listing("1. red circle\n2. blue square\n3. white heart\n4. green star", TRUTH)
    assert (score.item_accuracy, score.picture_accuracy) == (1.0, 0.0)


def test_the_first_line_of_a_mark_counts():
    assert parse_listing("1. red circle\n1. blue square") == {"1": "red circle"}


@pytest.mark.parametrize("line", ["3. white heart", "3: white heart", "[3] - white heart", "3) white heart."])
def test_common_ways_to_write_a_line(line):
    assert parse_listing(line) == {"3": "white heart"}


def test_scores_add_up():
    total = score_listing("1. red circle", TRUTH) + score_listing(
        "1. red circle\n2. blue square\n3. white heart", TRUTH
    )
    assert (total.items, total.right, total.pictures, total.whole_right) == (6, 4, 2, 1)


def test_an_empty_answer_scores_nothing():
    assert score_listing("", TRUTH).item_accuracy == 0.0


def test_answers_match_whatever_the_case_and_the_full_stop():
    assert score_answers(["Mark 3", "none.", "Mark 13."], ["Mark 3.", "None.", "Mark 1."]) == pytest.approx(2 / 3)


def test_answers_and_truth_must_be_as_many():
    with pytest.raises(ValueError, match="zip"):
        score_answers(["a"], ["a", "b"])
