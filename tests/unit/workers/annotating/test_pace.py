"""How fast a teacher is asked: what push-back, answers and the end of a job do."""

import threading

import pytest

from workers.annotating.pace import Pace, Stopped


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(16, clock=clock)


def test_push_back_halves_the_questions_once_a_second(pace: Pace, clock: Clock) -> None:
    for _ in range(4):
        pace.enter()
    pace.failed(None)
    pace.failed(None)
    assert pace.limit == 8, "four questions of one moment are one push-back"
    clock.now += 1.5
    pace.failed(None)
    assert pace.limit == 4


def test_answers_give_back_one_question_per_round(pace: Pace, clock: Clock) -> None:
    for _ in range(3):
        clock.now += 30.0
        pace.enter()
        pace.failed(None)
    assert pace.limit == 2
    clock.now += 30.0
    for _ in range(3):
        pace.enter()
        pace.answered()
    assert pace.limit == 3
    for _ in range(1_000):
        pace.enter()
        pace.answered()
    assert pace.limit == 16, "and never more than there are slots"


def test_nobody_asks_before_retry_after(pace: Pace, clock: Clock) -> None:
    pace.enter()
    pace.failed(5.0)
    asked = threading.Event()
    thread = threading.Thread(target=lambda: (pace.enter(), asked.set()))
    thread.start()
    clock.now += 4.9
    assert not asked.wait(0.6)
    clock.now += 30.0
    assert asked.wait(5)
    thread.join()


def test_a_stopped_job_asks_nothing_more(pace: Pace) -> None:
    pace.stop.set()
    with pytest.raises(Stopped):
        pace.enter()


def test_silence_is_counted_from_the_last_answer(pace: Pace, clock: Clock) -> None:
    clock.now += 40
    assert pace.silent_s() == 40
    pace.enter()
    pace.answered()
    assert pace.silent_s() == 0
