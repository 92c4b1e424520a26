"""Ranks start together and end together: by themselves, when one fails, and when they are stopped."""

import json
import os
import signal
import sys
import time

import psutil
import pytest

from models.training import checkpoints
from tests.llava_stand import stand_checkpoint, stand_dataset
from workers.ranks import Ranks

PLACE = "import os, signal, sys, time; rank = os.environ.get('RANK', '-'); print(rank, os.getpid(), flush=True); "


def ranks(tmp_path, code, count=2):
    return Ranks([sys.executable, "-c", PLACE + code], dict(os.environ), count, tmp_path / "ranks.log")


def alive(pids):
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def pids_of(group):
    return [process.pid for process in (group._first, *group._others)]


def test_the_first_is_heard_and_all_are_waited_for(tmp_path):
    group = ranks(tmp_path, "print(os.environ['WORLD_SIZE'], os.environ['MASTER_ADDR'])", 3)
    said = [line for line in group.lines() if line]
    assert said[0].startswith("0 ")
    assert said[1] == "3 127.0.0.1"
    assert group.wait() == 0
    assert {line.split()[0] for line in (tmp_path / "ranks.log").read_text().splitlines()} == {"1", "2", "3"}


def test_one_alone_is_told_nothing_of_ranks(tmp_path):
    group = ranks(tmp_path, "sys.exit('RANK' in os.environ)", 1)
    assert [line.split()[0] for line in group.lines() if line] == ["-"]
    assert group.wait() == 0


def test_when_one_fails_the_others_do_not_wait_for_it(tmp_path):
    group = ranks(tmp_path, "sys.exit(3) if rank == '1' else time.sleep(600)")
    started = time.monotonic()
    for _ in group.lines():
        pass
    assert group.wait() == 3
    assert time.monotonic() - started < 30
    assert alive(pids_of(group)) == []


@pytest.mark.parametrize("deaf", [False, True])
def test_a_stop_reaches_every_rank_within_its_grace(tmp_path, deaf):
    handler = "signal.SIG_IGN" if deaf else "lambda *_: sys.exit(0)"
    code = f"signal.signal(signal.SIGTERM, {handler}); print('ready', flush=True); time.sleep(600)"
    group = ranks(tmp_path, code)
    next(line for line in group.lines() if line == "ready")
    started = time.monotonic()
    group.stop(1.0)
    assert time.monotonic() - started < 10
    assert alive(pids_of(group)) == []


def test_a_killed_rank_ends_the_run(tmp_path):
    group = ranks(tmp_path, "time.sleep(600)")
    lines = group.lines()
    next(lines)
    os.kill(group._others[0].pid, signal.SIGKILL)
    for _ in lines:
        pass
    assert group.wait() == -signal.SIGKILL
    assert alive(pids_of(group)) == []


@pytest.mark.timeout(200)
def test_two_trainers_that_are_stopped_leave_one_checkpoint_that_both_can_take_up(tmp_path):
    base, data = stand_checkpoint(tmp_path / "base"), stand_dataset(tmp_path)
    spec = {"recipe": "finetune", "base": str(base), "dataset": str(data / "data.json"), "images": str(data)}
    (tmp_path / "spec.json").write_text(json.dumps(spec | {"batch_size": 2, "steps": 100_000, "sharded": True}))
    command = [sys.executable, "-m", "models.training.run", "--spec", str(tmp_path / "spec.json")]
    group = Ranks([*command, "--out", str(tmp_path / "out")], dict(os.environ), 2, tmp_path / "ranks.log")
    next(line for line in group.lines() if line and '"metric"' in line)
    group.stop(60.0)  # a worker gives 6 s, which is little on a busy machine
    assert alive(pids_of(group)) == []
    for rank in range(2):
        tensors, state = checkpoints.read(tmp_path / "out" / "stage-finetune", rank, 2)
        assert state["step"] >= 1
        assert not state["done"]
        assert any(name.startswith("exp_avg/") for name in tensors)
