"""A run answers every question once, goes on after a cut, and never mixes two models' answers in one file."""

import json

import numpy as np
import pytest

from models.errors import BackendDown, BadEvaluation, BadImage
from models.evaluation.runs import Asking, Question, Tags, run
from models.regions import Regions
from models.vlm.fake import FakeBackend

SETTINGS = {"benchmark": "gqa", "model": "fake 1", "tags": None, "choose": "text"}
PIXELS = np.full((60, 80, 3), 200, np.uint8)


def asked(count):
    return [Question(key=str(i), image=b"", prompt=f"What is {i}?", row={"question_id": i}) for i in range(count)]


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("parallel", [1, 4])
def test_every_question_is_answered_once(tmp_path, parallel):
    out = tmp_path / "a.jsonl"
    told = []
    outcome = run(
        asked(20), lambda q: {"text": f"a{q.key}"}, out, settings=SETTINGS, parallel=parallel, told=told.append
    )
    assert (outcome.answered, outcome.reused, outcome.failed) == (20, 0, {})
    assert sorted((row["question_id"], row["text"]) for row in rows(out)) == [(i, f"a{i}") for i in range(20)]
    assert told == list(range(21))


def test_a_cut_run_goes_on_and_drops_a_torn_line(tmp_path):
    out = tmp_path / "a.jsonl"

    def dies(question):
        if question.key == "7":
            raise BackendDown("gone")
        return {"text": "yes"}

    with pytest.raises(BackendDown):
        run(asked(10), dies, out, settings=SETTINGS)
    assert len(rows(out)) == 7
    with out.open("a") as file:
        file.write('{"question_id": 7, "te')
    later = []
    outcome = run(asked(10), lambda q: later.append(q.key) or {"text": "no"}, out, settings=SETTINGS)
    assert later == ["7", "8", "9"]
    assert (outcome.answered, outcome.reused) == (10, 7)
    assert [row["question_id"] for row in rows(out)] == list(range(10))


def test_a_failed_question_stays_unanswered_and_is_asked_again(tmp_path):
    out = tmp_path / "a.jsonl"

    def broken(question):
        if question.key == "1":
            raise BadImage("torn")
        return {"text": "yes"}

    assert run(asked(3), broken, out, settings=SETTINGS).failed == {"1": "torn"}
    assert [row["question_id"] for row in rows(out)] == [0, 2]
    assert run(asked(3), lambda _: {"text": "yes"}, out, settings=SETTINGS).answered == 3


def test_another_models_answers_do_not_mix(tmp_path):
    out = tmp_path / "a.jsonl"
    run(asked(2), lambda _: {"text": "yes"}, out, settings=SETTINGS)
    with pytest.raises(BadEvaluation, match="model"):
        run(asked(3), lambda _: {"text": "yes"}, out, settings=SETTINGS | {"model": "other"})
    stray = tmp_path / "b.jsonl"
    stray.write_text("{}\n")
    with pytest.raises(BadEvaluation, match="not written by a run"):
        run(asked(1), lambda _: {"text": "yes"}, stray, settings=SETTINGS)


def test_no_more_than_parallel_are_under_way(tmp_path):
    import threading

    gate, under_way, most = threading.Semaphore(0), [0], [0]
    lock = threading.Lock()

    def slow(_question):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            if under_way[0] == 3:
                gate.release(100)
        gate.acquire()
        with lock:
            under_way[0] -= 1
        return {"text": "yes"}

    run(asked(12), slow, tmp_path / "a.jsonl", settings=SETTINGS, parallel=3)
    assert most[0] == 3


def boxes(pixels):
    return Regions.from_boxes(pixels.shape[:2], [[5, 5, 35, 35], [40, 20, 75, 55]])


@pytest.mark.parametrize("input_px", [None, 64])
def test_tags_change_the_picture_and_nothing_else(input_px):
    backend = FakeBackend(answer="Yes", input_px=input_px)
    question = asked(1)[0]
    Asking(backend=backend, read=lambda _: PIXELS)(question)
    Asking(backend=backend, read=lambda _: PIXELS, tags=Tags(segment=boxes))(question)
    plain, tagged = backend.requests
    assert plain.prompt == tagged.prompt == question.prompt
    assert np.array_equal(plain.images[0], PIXELS)
    size = (60, 80) if input_px is None else (64, 64)
    assert tagged.images[0].shape[:2] == size
    assert len(np.unique(tagged.images[0].reshape(-1, 3), axis=0)) > 1


def test_the_likeliest_option_is_one_of_the_options():
    backend = FakeBackend(favourite="No")
    question = Question(key="1", image=b"", prompt="Is it a cat?", options={"Yes": "Yes", "No": "No"})
    assert Asking(backend=backend, read=lambda _: PIXELS, choosing="likelihood")(question)["text"] in question.options
    with pytest.raises(BadEvaluation, match="without options"):
        Asking(backend=backend, read=lambda _: PIXELS, choosing="likelihood")(asked(1)[0])
