"""One thread at a time works, in the order they ask; nobody waits for ever, whatever the holder does."""

import threading
from collections.abc import Callable

from app.turns import Turns, waiting

LONG_S = 30.0


def started(work: Callable[[], None]) -> threading.Thread:
    """Run `work` in a thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def queued(turns: Turns, count: int) -> None:
    """Wait until `count` pieces of work wait for their turn."""
    until = threading.Event()
    for _ in range(int(LONG_S / 0.002)):
        if len(turns._queue) == count:
            return
        until.wait(0.002)
    raise AssertionError("they never queued")


def test_one_works_at_a_time_and_all_get_their_turn() -> None:
    turns, inside, most, done = Turns(patience_s=LONG_S), 0, 0, 0

    def work() -> None:
        nonlocal inside, most, done
        turns.begin()
        for _ in range(20):
            inside += 1
            most = max(most, inside)
            inside -= 1
            with waiting():
                pass
        done += 1
        turns.end()

    threads = [started(work) for _ in range(8)]
    for thread in threads:
        thread.join(LONG_S)
    assert (done, most) == (8, 1)


def test_who_comes_back_from_waiting_gets_in_line_behind_newer_work() -> None:
    turns, order = Turns(patience_s=LONG_S), list[str]()
    asked, answered = threading.Event(), threading.Event()

    def first() -> None:
        turns.begin()
        with waiting():
            asked.set()
            answered.wait(LONG_S)
        order.append("first")
        turns.end()

    def later(name: str) -> Callable[[], None]:
        def work() -> None:
            turns.begin()
            order.append(name)
            turns.end()

        return work

    threads = [started(first)]
    assert asked.wait(LONG_S)
    turns.begin()
    for number, name in enumerate(("second", "third"), 1):
        threads.append(started(later(name)))
        queued(turns, number)
    answered.set()
    queued(turns, 3)
    turns.end()
    for thread in threads:
        thread.join(LONG_S)
    assert order == ["second", "third", "first"]


def test_who_works_too_long_loses_its_turn_and_may_go_on() -> None:
    turns, passed = Turns(patience_s=0.01), threading.Event()

    def other() -> None:
        turns.begin()
        passed.set()
        turns.end()

    turns.begin()
    thread = started(other)
    assert passed.wait(LONG_S)
    thread.join(LONG_S)
    with waiting():  # and gets in line again
        pass
    turns.end()


def test_outside_of_a_turn_waiting_is_only_waiting() -> None:
    turns = Turns(patience_s=LONG_S)
    turns.begin()
    passed = threading.Event()

    def stranger() -> None:
        with waiting():
            passed.set()

    started(stranger).join(LONG_S)
    assert passed.is_set()
    turns.end()
