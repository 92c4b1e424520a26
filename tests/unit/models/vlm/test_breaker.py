import random
import threading

import pytest

from models.vlm.breaker import CircuitBreaker


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admit() is None
        breaker.failed()


def test_it_opens_at_the_fifth_failure_in_a_row(clock: FakeClock) -> None:
    breaker = CircuitBreaker(failures=5, open_s=10, clock=clock)
    fail(breaker, 4)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    clock.now += 4
    assert breaker.admit() == pytest.approx(6.0)


def test_a_success_between_failures_forgets_them(clock: FakeClock) -> None:
    breaker = CircuitBreaker(failures=3, clock=clock)
    for _ in range(10):
        fail(breaker, 2)
        assert breaker.admit() is None
        breaker.succeeded()
    assert breaker.state == "closed"


def test_one_call_tries_and_decides(clock: FakeClock) -> None:
    breaker = CircuitBreaker(failures=1, open_s=10, clock=clock)
    fail(breaker, 1)
    clock.now += 10
    assert breaker.state == "half_open"
    assert breaker.admit() is None
    assert breaker.admit() == 10  # the others wait for the one that tries
    breaker.failed()
    assert breaker.state == "open"
    clock.now += 10
    assert breaker.admit() is None
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.admit() is None


def test_an_abandoned_try_leaves_the_place_to_the_next(clock: FakeClock) -> None:
    breaker = CircuitBreaker(failures=1, open_s=10, clock=clock)
    fail(breaker, 1)
    clock.now += 10
    assert breaker.admit() is None
    breaker.abandoned()
    assert breaker.state == "half_open"
    assert breaker.admit() is None


def test_calls_that_were_under_way_do_not_prolong_it(clock: FakeClock) -> None:
    breaker = CircuitBreaker(failures=2, open_s=10, clock=clock)
    admitted = [breaker.admit() for _ in range(8)]
    assert admitted == [None] * 8
    for _ in range(2):
        breaker.failed()
    clock.now += 9
    for _ in range(6):
        breaker.failed()
    clock.now += 1
    assert breaker.state == "half_open"


def test_threads_never_get_more_than_one_try(clock: FakeClock) -> None:
    breaker = CircuitBreaker(failures=1, open_s=1, clock=clock)
    fail(breaker, 1)
    clock.now += 1
    start, admitted = threading.Barrier(16), []

    def ask() -> None:
        start.wait()
        if breaker.admit() is None:
            admitted.append(True)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1


def test_it_always_recovers(clock: FakeClock) -> None:
    rng = random.Random(7)
    breaker = CircuitBreaker(failures=3, open_s=2, clock=clock)
    for _ in range(5_000):
        clock.now += rng.random()
        if breaker.admit() is None:
            rng.choice([breaker.failed, breaker.failed, breaker.abandoned, breaker.succeeded])()
    clock.now += 2
    assert breaker.admit() is None
    breaker.succeeded()
    assert breaker.state == "closed"
