"""Boxes on the padded square: the published geometry, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.writers.svit.boxes import DECIMALS, box_text, from_padded_square, has_extent, padded_square_norm, read_boxes
from models.writers.svit.chat_boxes import LOCATION_TEMPLATES, MAX_LOCATION_TURNS, location_turns, read_answer
from tests.unit.models.writers.svit.beach import FACTS


def test_a_box_is_moved_by_half_the_padding_and_divided_by_the_long_side() -> None:
    assert padded_square_norm((0.0, 0.0, 640.0, 427.0), (427, 640)) == (0.0, 0.166, 1.0, 0.833)  # 213 // 2 = 106
    assert padded_square_norm((100.0, 50.0, 200.0, 250.0), (400, 300)) == (0.375, 0.125, 0.625, 0.625)
    assert padded_square_norm((-9.0, 0.0, 900.0, 300.0), (300, 300)) == (0.0, 0.0, 1.0, 1.0)


def test_three_decimals_always() -> None:
    assert DECIMALS == 3
    assert box_text((0.588, 0.387, 0.7, 1.0)) == "[0.588, 0.387, 0.700, 1.000]"


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.tuples(*(st.floats(0, 1) for _ in range(4))),
)
def test_there_and_back_is_the_same_box_to_half_a_thousandth(
    size_hw: tuple[int, int], shares: tuple[float, ...]
) -> None:
    height, width = size_hw
    left, right = sorted((shares[0] * width, shares[2] * width))
    top, bottom = sorted((shares[1] * height, shares[3] * height))
    square = padded_square_norm((left, top, right, bottom), size_hw)
    assert all(0.0 <= value <= 1.0 for value in square)
    back = from_padded_square(square, size_hw)
    tolerance = 0.0005 * max(size_hw) + 1e-6
    assert back == pytest.approx((left, top, right, bottom), abs=tolerance)


@pytest.mark.parametrize(
    ("box", "fine"),
    [
        ((0.0, 0.0, 1.0, 1.0), True),
        ((0.2, 0.2, 0.2, 0.4), False),
        ((0.4, 0.2, 0.2, 0.4), False),
        ((0.1, 0.1, 0.2, 1.001), False),
        ((-0.1, 0.1, 0.2, 0.3), False),
        ((float("nan"), 0.1, 0.2, 0.3), False),
    ],
)
def test_what_is_a_box(box: tuple[float, float, float, float], fine: bool) -> None:
    assert has_extent(box) is fine


def test_boxes_are_read_in_many_hands() -> None:
    text = "at [0.1,0.2, .3,1], (0.1; 0.2; 0.3; 0.4) and [12, 7, 30, 40]; not [1, 2] nor 0.1, 0.2, 0.3, 0.4"
    assert read_boxes(text) == ((0.1, 0.2, 0.3, 1.0), (0.1, 0.2, 0.3, 0.4), (12.0, 7.0, 30.0, 40.0))


def test_a_chat_answer_comes_back_in_pixels() -> None:
    assert read_answer("It is at [0.500, 0.500, 0.700, 0.700].", FACTS.size_hw) == (
        pytest.approx((200.0, 100.0, 280.0, 180.0)),
    )
    assert read_answer("[500, 500, 700, 700]", FACTS.size_hw) == ()


def test_boxes_are_asked_for_only_of_things_that_are_the_only_ones() -> None:
    turns = location_turns(FACTS, "7")
    assert turns == location_turns(FACTS, "7")
    assert len(turns) == 3 <= MAX_LOCATION_TURNS
    assert not any("boat" in question for question, _ in turns)
    answers = {question.split("the ")[-1].split("?")[0].split(" ")[0].strip(".:"): answer for question, answer in turns}
    assert "[0.500, 0.500, 0.700, 0.700]" in answers.values()
    assert len(set(LOCATION_TEMPLATES)) == len(LOCATION_TEMPLATES)
