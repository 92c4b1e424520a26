"""The doorman: a key's share, what a process takes at once, and that everybody who leaves is counted out."""

import pytest

from app.errors import Overloaded, TooManyRequests
from app.http.admission import Admission

KEY, OTHER = b"1" * 32, b"2" * 32


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(admission: Admission, key: bytes | None = KEY, *, works: bool = False) -> int | None:
    try:
        admission.enter(key, works=works)
    except (TooManyRequests, Overloaded) as error:
        return error.retry_after_s
    return None


def test_five_seconds_share_comes_at_once_and_then_the_even_pace() -> None:
    clock = Clock()
    admission = Admission(per_minute=360, at_once=0, capacity=0, clock=clock)
    assert [refused(admission) for _ in range(31)] == [None] * 30 + [1]
    assert refused(admission, OTHER) is None
    clock.now += 1 / 6
    assert [refused(admission) for _ in range(2)] == [None, 1]
    clock.now += 60
    assert [refused(admission) for _ in range(31)] == [None] * 30 + [1]


def test_the_told_wait_is_enough() -> None:
    clock = Clock()
    admission = Admission(per_minute=6, at_once=0, capacity=0, clock=clock)
    assert refused(admission) is None
    wait_s = refused(admission)
    assert wait_s == 10
    clock.now += wait_s
    assert refused(admission) is None


def test_refused_requests_do_not_push_the_share_back() -> None:
    clock = Clock()
    admission = Admission(per_minute=60, at_once=0, capacity=0, clock=clock)
    assert sum(refused(admission) is None for _ in range(1000)) == 5
    clock.now += 1
    assert refused(admission) is None


def test_posts_of_one_key_are_limited_and_counted_out() -> None:
    admission = Admission(per_minute=0, at_once=2, capacity=0)
    leave = [admission.enter(KEY, works=True) for _ in range(2)]
    assert refused(admission, works=True)
    assert refused(admission, works=False) is None
    assert refused(admission, OTHER, works=True) is None
    first = leave[0]
    assert first is not None
    first()
    assert refused(admission, works=True) is None


def test_the_local_caller_has_no_share_but_the_process_a_capacity() -> None:
    admission = Admission(per_minute=1, at_once=1, capacity=3)
    leave = [admission.enter(None, works=True) for _ in range(3)]
    with pytest.raises(Overloaded) as error:
        admission.enter(None, works=True)
    assert (error.value.status, error.value.code) == (503, "overloaded")
    assert error.value.retry_after_s in range(1, 6)
    assert admission.enter(None, works=False) is None
    for one in leave:
        assert one is not None
        one()
    assert admission.working == 0


def test_keys_of_the_past_are_forgotten() -> None:
    clock = Clock()
    admission = Admission(per_minute=600, at_once=0, capacity=0, clock=clock)
    for number in range(10_000):
        admission.enter(number.to_bytes(32, "big"), works=False)
        clock.now += 0.01
    assert len(admission._due) < 5_000
