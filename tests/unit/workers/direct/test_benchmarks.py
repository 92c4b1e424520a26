"""`markwise evaluate run`: what a run writes is what `score` reads; a judge's verdicts stand in the answers; usage is checked."""

import json
from contextlib import contextmanager

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from app.cli import main
from app.http.schemas.evaluating import EvaluationIn, EvaluationMarksIn
from models.vlm.fake import FakeBackend
from models.writers.types import Reply
from workers.direct import benchmarks


class Judging:
    """A teacher that grades every answer 0.5, and counts."""

    name, version, dialect, input_px, backend = "judge", "1", "general", None, None
    asked = 0

    def ask(self, messages, **_how):
        Judging.asked += 1
        return Reply(text="0.5", prompt_tokens=1, completion_tokens=1, finish_reason="stop", latency_s=0.0)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch, tmp_path):
    @contextmanager
    def backend(_settings, _folder):
        yield FakeBackend(answer="a boat", dialect="tiny")

    @contextmanager
    def teacher(_settings, _name):
        yield Judging()

    monkeypatch.setattr(benchmarks, "open_backend", backend)
    monkeypatch.setattr(benchmarks, "open_teacher", teacher)
    monkeypatch.setenv("MARKWISE_BENCHMARKS", str(tmp_path / "suites"))


def invoke(*argv):
    return CliRunner().invoke(main, ["evaluate", *map(str, argv)])


def test_drawings_are_asked_where_no_file_is_named(tmp_path):
    out = tmp_path / "refer.jsonl"
    result = invoke("run", "refer", "--tags", "--limit", 3, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["answered"] == 3
    scored = invoke("score", "refer", "--labels", tmp_path / "refer-drawn" / "labels.jsonl", "--answers", out, "--json")
    assert json.loads(scored.stdout)["n"] == 3
    again = json.loads(invoke("run", "refer", "--tags", "--limit", 3, "--out", out, "--json").stdout)
    assert again["reused"] == 3
    assert again["score"] == json.loads(scored.stdout)
    shown = invoke("run", "refer", "--tags", "--limit", 3, "--out", out)
    assert "refer, 3 answers" in shown.stdout
    assert all(name in shown.stdout for name in again["score"]["metrics"])


def test_open_answers_are_judged_as_they_come(tmp_path):
    suite = tmp_path / "suites" / "mmvet"
    (suite / "images").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(suite / "images" / "a.png")
    asked = [{"question_id": i, "image": "a.png", "text": f"What is it, {i}?"} for i in range(2)]
    (suite / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    truth = {f"v1_{i}": {"answer": "a boat", "capability": ["rec"]} for i in range(2)}
    (suite / "labels.json").write_text(json.dumps(truth))
    out = tmp_path / "mmvet.jsonl"
    Judging.asked = 0
    assert invoke("run", "mmvet", "--judge", "gpt", "--out", out).exit_code == 0
    scored = invoke("score", "mmvet", "--labels", suite / "labels.json", "--answers", out, "--json")
    assert json.loads(scored.stdout)["metrics"] == {"total": 50, "rec": 50}
    out.unlink()
    judged = invoke("run", "mmvet", "--judge", "gpt", "--out", out, "--json")
    assert json.loads(judged.stdout)["score"]["metrics"] == {"total": 50, "rec": 50}
    unjudged = invoke("run", "mmvet", "--out", tmp_path / "words.jsonl", "--json")
    assert json.loads(unjudged.stdout)["score"] is None
    assert Judging.asked == 2, "the verdicts beside the answers are used again"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["run", "refer"], "--out"),
        (["run", "refer", "click", "--out", "x"], "--server"),
        (["run", "refer", "--both", "--out", "x"], "--server"),
        (["report", "pope"], "at least one --run"),
    ],
)
def test_usage_is_told(argv, words):
    result = invoke(*argv)
    assert result.exit_code == 2
    assert words in result.stderr


def test_files_that_are_not_there_are_named(tmp_path):
    result = invoke("run", "mme", "--out", tmp_path / "x")
    assert result.exit_code == 1
    assert "its files are needed" in result.stderr


def test_a_service_is_told_all_that_was_asked_for(monkeypatch):
    ordered = []
    monkeypatch.setattr(benchmarks, "order", lambda server, body, out, as_json: ordered.append((server, body)))
    argv = ["run", "pope", "--no-tags", "--notes", "both", "--limit", 7, "--server", "http://127.0.0.1:9"]
    assert invoke(*argv).exit_code == 0
    ((server, body),) = ordered
    assert server == "http://127.0.0.1:9"
    assert (
        EvaluationIn.model_validate(body).order()
        == EvaluationIn(
            benchmark="pope", tags=False, notes="both", n=7, marks=[EvaluationMarksIn(style="som-llava")]
        ).order()
    )
