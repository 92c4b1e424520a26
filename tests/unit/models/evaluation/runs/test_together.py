"""Threads that ask one question each are answered in batches, and a bad question spoils nobody else's answer."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.errors import BadInput
from models.evaluation.runs import AT_ONCE, Asking, Question, run, together
from models.evaluation.runs.together import Together
from models.evaluation.self_annotated import SelfAnnotating
from models.vlm.fake import FakeBackend
from models.vlm.types import VlmBackend, VlmRequest

PIXELS = np.full((60, 80, 3), 200, np.uint8)


class Many(FakeBackend):
    """A fake that takes several questions at once and remembers how many; one that says "bad" is refused."""

    def __init__(self) -> None:
        super().__init__(dialect="tiny")
        self.sizes: list[int] = []

    def generate_many(self, requests):
        self.sizes.append(len(requests))
        if any("bad" in request.prompt for request in requests):
            raise BadInput("bad")
        return [self.generate(request) for request in requests]

    def choose_many(self, asked):
        return [self.choose(*one) for one in asked]

    def weigh_many(self, asked):
        self.sizes.append(len(asked))
        return [self.weigh(*one) for one in asked]


def read(_image):
    """Read as slowly as a picture is read: batches fill meanwhile."""
    time.sleep(0.01)
    return PIXELS


def questions(count, *, bad=()):
    return [
        Question(
            key=str(i),
            image=b"",
            prompt=f"{'bad ' if i in bad else ''}{i}?",
            options={"Yes": "Yes", "No": "No"},
            row={"question_id": i},
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("choosing", ["text", "likelihood"])
def test_a_run_asks_in_full_batches(tmp_path, choosing):
    model = Many()
    backend, parallel = together(model, remote=3)
    assert isinstance(backend, VlmBackend)
    asking = Asking(backend=backend, read=read, choosing=choosing)
    outcome = run(questions(4 * AT_ONCE), asking, tmp_path / "a.jsonl", settings={"model": "m"}, parallel=parallel)
    assert (outcome.answered, sum(model.sizes)) == (4 * AT_ONCE, 4 * AT_ONCE)
    assert max(model.sizes) == AT_ONCE
    assert len(model.sizes) <= 8, f"batches of {model.sizes}"


def test_a_bad_question_fails_alone(tmp_path):
    backend, parallel = together(Many(), remote=3)
    asking = Asking(backend=backend, read=read)
    asked = questions(12, bad={2, 7})
    outcome = run(asked, asking, tmp_path / "a.jsonl", settings={"model": "m"}, parallel=parallel)
    assert outcome.failed == {"2": "bad", "7": "bad"}
    assert outcome.answered == 10


def test_a_picture_that_cannot_be_read_keeps_nobody_waiting(tmp_path):
    def torn(_image):
        if threading.current_thread().name.endswith(("_1", "_3")):
            raise BadInput("torn")
        return PIXELS

    backend, parallel = together(Many(), remote=3)
    asking = Asking(backend=backend, read=torn)
    outcome = run(questions(24), asking, tmp_path / "a.jsonl", settings={"model": "m"}, parallel=parallel)
    assert outcome.answered + len(outcome.failed) == 24


def test_a_model_that_takes_one_is_asked_one_and_a_server_several_side_by_side():
    for backend, expected in ((FakeBackend(dialect="tiny"), 1), (FakeBackend(), 5)):
        assert together(backend, remote=5) == (backend, expected)


def test_an_unforeseen_end_reaches_everybody_who_waits():
    class Dies(Many):
        def generate_many(self, requests):
            raise SystemExit

    backend = Together(Dies())

    def ask(_number):
        with backend.one_more(), pytest.raises(SystemExit):
            backend.generate(VlmRequest(images=(PIXELS,), prompt="Why?"))
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4), timeout=10)) == [True] * 4


def test_questions_about_one_picture_share_their_notes(tmp_path):
    model = Many()
    backend, parallel = together(model, remote=3)
    annotating = SelfAnnotating(asking=Asking(backend=backend, read=read), notes="caption")
    outcome = run(questions(8), annotating, tmp_path / "a.jsonl", settings={"model": "m"}, parallel=parallel)
    assert (outcome.answered, sum(model.sizes)) == (8, 9), "the caption is written once"
