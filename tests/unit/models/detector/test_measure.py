"""The metric: one mark per element, middle inside, marks on ignored boxes neither help nor harm."""

import numpy as np

from models.detector.measure import Scored, at_marks_per_element, at_threshold, match
from models.detector.targets import IGNORED

_A, _B = [0, 0, 40, 20], [100, 0, 140, 20]


def _page(marks: list[list[float]], scores: list[float], truth: list[list[float]], roles: list[int]) -> Scored:
    return Scored(
        boxes=np.array(marks, np.float32).reshape(-1, 4),
        scores=np.array(scores, np.float32),
        roles=np.zeros(len(marks), np.int64),
        true_boxes=np.array(truth, np.float32).reshape(-1, 4),
        true_roles=np.array(roles, np.int64),
    )


def test_two_marks_on_one_element_find_it_once() -> None:
    result = at_threshold([_page([_A, _A], [0.9, 0.8], [_A, _B], [0, 0])], 0.1)
    assert (result.recall, result.inside, result.marks_per_element, result.precision) == (0.5, 0.5, 1.0, 0.5)


def test_a_poor_box_with_its_middle_inside_is_inside_only() -> None:
    result = at_threshold([_page([[10, 5, 20, 15]], [0.9], [_A], [0])], 0.1)
    assert (result.recall, result.inside) == (0.0, 1.0)


def test_marks_on_ignored_boxes_are_not_counted() -> None:
    result = at_threshold([_page([_A, _B], [0.9, 0.8], [_A, _B], [0, IGNORED])], 0.1)
    assert (result.recall, result.marks_per_element, result.precision) == (1.0, 1.0, 1.0)


def test_the_threshold_leaves_the_allowed_number_of_marks() -> None:
    marks = [[200 + 50 * i, 0, 240 + 50 * i, 20] for i in range(8)]
    page = _page([_A, *marks], [0.5, *np.linspace(0.9, 0.2, 8)], [_A, _B], [0, 0])
    assert at_marks_per_element([page], 1.5).marks_per_element == 1.5
    assert at_marks_per_element([page], 100).marks_per_element == 4.5


def test_matching_prefers_the_better_box() -> None:
    marks = np.array([[0, 0, 38, 20], _A], np.float32)
    assert match(marks, np.array([_A], np.float32), 0.5) == [(1, 0)]
