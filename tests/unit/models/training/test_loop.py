"""The loop resumes exactly, stops when asked, and refuses a loss that is not a number."""

import io
import json

import pytest
import torch
from torch import nn

from models.training import checkpoints
from models.training.events import Reporter
from models.training.loop import Diverged, LoopSettings, StopFlag, is_done, load_stage, run_stage
from models.training.schedule import Budget
from models.training.stages import Outcome


class Fit:
    """A line fitted to random points; `broken_at` spoils one step's loss, `stop_at` asks to stop."""

    name = "fit"
    peak_rate = 1e-2
    hold_until = 0.5

    def __init__(self, *, broken_at=None, value=float("nan"), stop_at=None, stop=None):
        self.broken_at, self.value, self.stop_at, self.stop, self.calls = broken_at, value, stop_at, stop, 0

    def scale_of(self, name):
        return 1.0

    def losses(self, model, rng, *, measure):
        self.calls += 1
        if self.stop and self.calls == self.stop_at:
            self.stop.asked = True
        points = torch.tensor([[rng.random()] for _ in range(16)])
        loss = (model(points) - 3 * points).pow(2).mean() + torch.randn(()) * 1e-3
        if self.calls == self.broken_at:
            loss = loss * 0 + self.value
        yield Outcome(loss=loss, tokens=16, exact={"line": (1, 2)})


def model():
    torch.manual_seed(0)
    return nn.Linear(1, 1)


def run(line, stage, out, steps=40, stop=None):
    reporter = Reporter(out=io.StringIO())
    settings = LoopSettings(out=out, seed=0, warmup_steps=1)
    finished = run_stage(line, stage, Budget(steps=steps), settings, reporter, stop or StopFlag())
    return finished, [json.loads(text) for text in reporter.out.getvalue().splitlines()]


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(tmp_path):
    whole, halves = model(), model()
    run(whole, Fit(), tmp_path / "whole")
    stop = StopFlag()
    finished, _ = run(halves, Fit(stop_at=17, stop=stop), tmp_path / "halves", stop=stop)
    assert not finished
    assert not is_done(tmp_path / "halves", "fit")
    finished, events = run(halves, Fit(), tmp_path / "halves")
    assert finished
    assert events[0]["message"] == "resumed"
    assert events[0]["step"] == 17
    assert torch.equal(whole.weight, halves.weight)


def test_a_finished_stage_is_done_and_its_weights_load(tmp_path):
    line = model()
    run(line, Fit(), tmp_path)
    assert is_done(tmp_path, "fit")
    other = nn.Linear(1, 1)
    assert load_stage(other, tmp_path, "fit")
    assert torch.equal(other.weight, line.weight)
    assert not load_stage(other, tmp_path, "absent")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_an_impossible_loss_stops_the_run(tmp_path, value):
    with pytest.raises(Diverged, match="step 2 in stage fit"):
        run(model(), Fit(broken_at=3, value=value), tmp_path)


def test_a_gradient_that_is_not_a_number_stops_the_run_and_spoils_no_checkpoint(tmp_path):
    class Poisoned(Fit):
        def losses(self, model, rng, *, measure):
            for outcome in super().losses(model, rng, measure=measure):
                if self.calls == 3:
                    outcome.loss.register_hook(lambda grad: grad * float("nan"))
                yield outcome

    line, reporter = model(), Reporter(out=io.StringIO())
    settings = LoopSettings(out=tmp_path, seed=0, warmup_steps=1, checkpoint_every_s=0.0)
    with pytest.raises(Diverged, match="gradient of step 2 in stage fit is nan"):
        run_stage(line, Poisoned(), Budget(steps=40), settings, reporter, StopFlag())
    tensors, state = checkpoints.read(tmp_path / "stage-fit")
    assert state["step"] == 2
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_metrics_and_progress_are_reported(tmp_path):
    _, events = run(model(), Fit(), tmp_path)
    metrics = [event for event in events if event["event"] == "metric"]
    progress = [event for event in events if event["event"] == "progress"]
    assert [event["step"] for event in metrics] == [1, 20, 40]
    metric = metrics[1]
    assert metric["line"] == 0.5
    assert metric["tokens_per_s"] > 0
    assert [(event["done"], event["total"], event["stage"]) for event in progress] == [
        (1, 40, "fit"),
        (20, 40, "fit"),
        (40, 40, "fit"),
    ]


def test_only_the_first_rank_speaks():
    reporter = Reporter(rank=1, out=io.StringIO())
    reporter.log("hello")
    assert reporter.out.getvalue() == ""


def test_a_kill_between_the_renames_leaves_the_old_checkpoint(tmp_path):
    folder = tmp_path / "stage-a"
    checkpoints.write(folder, {"x": torch.ones(2)}, {"step": 1})
    folder.rename(tmp_path / "stage-a.old")
    (tmp_path / "stage-a.new").mkdir()
    tensors, state = checkpoints.read(folder)
    assert state == {"step": 1}
    assert torch.equal(tensors["x"], torch.ones(2))
    checkpoints.write(folder, {"x": torch.zeros(2)}, {"step": 2})
    assert checkpoints.read(folder)[1] == {"step": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["stage-a"]


def test_a_second_kill_while_the_next_checkpoint_is_written_loses_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "stage-s"
    checkpoints.write(folder, {"x": torch.ones(2)}, {"step": 1})
    folder.rename(tmp_path / "stage-s.old")  # as a kill between the renames leaves it

    def killed(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.write(folder, {"x": torch.zeros(2)}, {"step": 2})
    tensors, state = checkpoints.read(folder)
    assert (tensors["x"].tolist(), state) == ([1.0, 1.0], {"step": 1})
