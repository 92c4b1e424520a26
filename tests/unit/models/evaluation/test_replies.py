"""The time of a reply is that of sixteen tokens that were said, and of the whole call."""

import re

import pytest

from models.evaluation import replies
from models.evaluation.replies import reply_time
from models.vlm.types import VlmReply
from workers.shelf import BUILT_IN_FOLDER

SEED = 2_005_000


class Spoken:
    """A backend that says as many tokens as it is told, at a cost that the test sets."""

    input_px = 224

    def __init__(self, clock, tokens, cost_s):
        self.clock, self.tokens, self.cost_s = clock, list(tokens), list(cost_s)
        self.asked = []

    def generate(self, request):
        self.asked.append(request)
        self.clock.now_s += self.cost_s[len(self.asked) - 1]
        said = self.tokens[len(self.asked) - 1]
        return VlmReply(text="", prompt_tokens=1, completion_tokens=said, finish_reason="length")


class Clock:
    now_s = 0.0

    def process_time(self):
        return self.now_s

    def perf_counter(self):
        return 2 * self.now_s


@pytest.fixture
def measured(monkeypatch):
    def run(tokens, cost_s, count):
        clock = Clock()
        backend = Spoken(clock, tokens, cost_s)
        monkeypatch.setattr(replies, "LocalBackend", lambda _folder: backend)
        monkeypatch.setattr(replies, "time", clock)
        return reply_time("anywhere", SEED, count), backend

    return run


def test_only_whole_replies_after_the_first_count_and_the_middle_one_is_told(measured):
    found, backend = measured([16, 16, 9, 16, 16], [9.0, 0.1, 5.0, 0.3, 0.2], 3)
    assert (found.cpu_ms, found.least_cpu_ms, found.wall_ms, found.replies) == (200.0, 100.0, 400.0, 3)
    assert len(backend.asked) == 5
    assert {request.max_tokens for request in backend.asked} == {16}
    assert len({request.images[0].tobytes() for request in backend.asked}) == 5
    assert str(found).startswith(
        "a reply of 16 tokens: 200 ms of CPU time, 400 ms by the clock (medians of 3, the cheapest 100 ms; "
    )


def test_a_model_that_says_less_has_no_such_time(measured):
    assert measured([3] * 20, [0.1] * 20, 2)[0] is None


def test_the_shipped_model_says_sixteen_tokens():
    found = reply_time(BUILT_IN_FOLDER, SEED, 2)
    assert found.tokens == 16
    assert found.cpu_ms > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found.date)
