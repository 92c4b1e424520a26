"""Orders of evaluations against a real catalog: every answer is kept, nothing is asked twice, and the comparison is right."""

import json
import time

import pytest

from app.errors import Unprocessable
from models.evaluation.drawn import draw
from tests.integration.evaluating.conftest import Killed
from workers.runner import Outcome


def test_every_cell_is_measured_and_compared(desk, runner, model) -> None:
    job_id = desk.order(benchmarks=["listing", "refer"], tags=[True, False], n=5)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    rows = desk.evaluations()
    assert [(row.benchmark, row.settings["tags"] is not None) for row in rows] == [
        ("listing", True), ("listing", False), ("refer", True), ("refer", False)
    ]  # fmt: skip
    job = desk.job(job_id)
    assert job.result["evaluation_ids"] == [str(row.id) for row in rows]
    assert (job.progress_done, job.progress_total, job.progress_failed) == (20, 20, 0)
    for row in rows:
        items = desk.items(row)
        assert [item.position for item in items] == list(range(5))
        assert all(item.answer is not None and 0 <= item.grade <= 1 for item in items)
        assert row.metrics["n"] == 5
    sections = rows[0].report["comparison"]
    assert [[run["run"] for run in section["runs"]] for section in sections] == [["tags", "plain"]] * 2
    assert sections[1]["runs"][1]["difference"]["n"] == 5
    assert "comparison" not in rows[1].report


def test_the_worst_answers_are_shown_with_their_marked_pictures(desk, runner) -> None:
    runner.run(desk.order(benchmark="listing", n=3))
    (row,) = desk.evaluations()
    worst = row.report["worst"]
    assert [one["position"] for one in worst] == [0, 1, 2]
    assert all(item.picture[:4] == b"RIFF" for item in desk.items(row))
    page = desk.page(row)
    assert page.count("data:image/webp;base64,") == 3


def test_a_grid_of_markings_names_what_differs(desk, runner) -> None:
    marks = [{"max_marks": 2}, {"max_marks": 4}, {"style": {"name": "som", "draw": ["box", "mask", "mark"]}}]
    runner.run(desk.order(benchmark="refer", marks=marks, n=2))
    titles = [run["run"] for run in desk.evaluations()[0].report["comparison"][0]["runs"]]
    assert len(set(titles)) == 3
    assert "max_marks 2" in titles[0]
    assert "segmenter" not in titles[0]


@pytest.mark.parametrize("died_at", [1, 9, 17])
def test_a_killed_worker_goes_on_behind_its_last_batch(desk, runner, model, died_at) -> None:
    job_id = desk.order(benchmark="pope", tags=False, n=6)
    model.killed_at = died_at
    with pytest.raises(Killed):
        runner.run(job_id)
    assert desk.evaluations() == [], "what is under way is nobody's to see"
    assert _resumed(runner, job_id) is Outcome.SUCCEEDED
    total = desk.job(job_id).progress_total
    assert model.asked <= total + 8, "at most one batch is asked again"
    (row,) = desk.evaluations()
    assert row.metrics["n"] == total
    assert desk.job(job_id).progress_done == total


def test_a_model_that_is_away_is_waited_for_and_nothing_is_asked_twice(desk, runner, model) -> None:
    job_id = desk.order(benchmark="refer", n=12)
    model.gone_at = 6
    assert runner.run(job_id) is Outcome.RELEASED
    assert desk.job(job_id).progress_done == 5
    assert _resumed(runner, job_id) is Outcome.SUCCEEDED
    assert model.asked == 13


def test_a_question_that_fails_is_told_and_asked_again_by_a_retry(desk, runner, model) -> None:
    job_id = desk.order(benchmark="refer", n=4)
    model.broken_at = 2
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (row,) = desk.evaluations()
    assert [item.error for item in desk.items(row)] == [None, "the model stammers", None, None]
    assert (row.metrics["n"], row.report["missing"], row.report["failed"]) == (3, 1, 1)
    assert desk.job(job_id).progress_failed == 1
    desk.retry(job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (again,) = desk.evaluations()
    assert (again.id, again.metrics["n"], again.report["missing"]) == (row.id, 4, 0)
    assert model.asked == 5


def test_the_operators_files_come_before_drawings(desk, runner, resources) -> None:
    made = draw("pope", resources.settings.benchmarks_folder / "pope", n=3)
    asked = len(made.asked())
    runner.run(desk.order(benchmark="pope", tags=False, n=4))
    (row,) = desk.evaluations()
    assert (row.settings["source"], row.metrics["n"], row.report["missing"]) == ("files", 4, asked - 4)


def test_notes_are_written_once_a_picture_and_kept_with_the_answers(desk, runner, model) -> None:
    runner.run(desk.order(benchmark="pope", tags=False, n=2))
    plain = model.asked
    runner.run(desk.order(benchmark="pope", tags=False, n=2, notes="caption"))
    noted, without = desk.evaluations()
    assert "notes" not in without.settings, "what was measured before notes stays comparable"
    assert noted.settings["notes"] == "caption"
    assert plain > 2, "several questions about each of the two drawings"
    assert model.asked - plain == plain + 2
    assert all(set(item.answer["self_annotations"]) == {"caption"} for item in desk.items(noted))


def test_what_cannot_be_measured_is_refused_in_words(desk, runner) -> None:
    for order, words in (
        ({"benchmark": "popo"}, "There is no benchmark"),
        ({"benchmark": "mmvet"}, "judge"),
        ({"benchmark": "refer", "marks": [{"style": "none"}]}, "style must be one of"),
        ({"benchmarks": ["pope", "refer"], "notes": "both"}, "refer is answered by marks"),
        ({"benchmarks": ["refer", "pope", "click", "video"], "marks": [{}] * 17}, "68 evaluations"),
        ({"benchmark": "pope", "dataset_id": "00000000-0000-0000-0000-000000000000"}, "listing"),
    ):
        with pytest.raises(Unprocessable, match=words):
            desk.order(**order)
    job_id = desk.order(benchmark="mme")
    assert runner.run(job_id) is Outcome.FAILED
    assert "MARKWISE_BENCHMARKS" in json.dumps(desk.job(job_id).error)


def _resumed(runner, job_id) -> Outcome:
    """Run again once the dead attempt's lease is over."""
    deadline = time.monotonic() + 20
    while (outcome := runner.run(job_id)) is Outcome.NOT_OURS:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return outcome
