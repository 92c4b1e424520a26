"""`markwise train recipes` teaches what can be trained, to people and to programs."""

import json
from types import SimpleNamespace

from click.testing import CliRunner

from models.training.recipes import RECIPES
from models.training.spec import read_spec
from workers.direct.training import train


def test_recipes_are_listed_with_their_numbers():
    shown = CliRunner().invoke(train, ["recipes"])
    assert shown.exit_code == 0
    line = next(line for line in shown.output.splitlines() if "llava-1.5-lora" in line)
    assert line.split()[:5] == ["llava-1.5-lora", "0.0002", "2e-05", "128/256", "128"]
    assert all(name in shown.output for name in [*RECIPES, "tiny-scratch"])


def test_programs_get_all_numbers():
    told = json.loads(CliRunner().invoke(train, ["recipes", "--json"]).output)
    assert told.keys() == RECIPES.keys()
    assert told["som-llava-7b"]["global_batch"] == 64


def test_what_is_asked_for_reaches_the_trainer(monkeypatch, tmp_path):
    monkeypatch.setattr("subprocess.Popen", lambda *_argv, **_how: SimpleNamespace(stdout=[], returncode=0, wait=int))
    (tmp_path / "data.json").write_text("[]")
    argv = ["run", "--out", str(tmp_path), "--base", str(tmp_path), "--images", str(tmp_path)]
    argv += ["--dataset", str(tmp_path / "data.json"), "--lora-rank", "8", "--max-broken-share", "0"]
    ended = CliRunner().invoke(train, [*argv, "--checkpoint-every", "60", "--stage", "2", "--stage", "3", "--sharded"])
    assert ended.exit_code == 0, ended.output
    spec = read_spec(tmp_path / "spec.json")
    assert (spec.lora_rank, spec.max_broken_share, spec.checkpoint_every_s) == (8, 0.0, 60.0)
    assert (spec.curriculum, spec.sharded, spec.steps) == ((2, 3), True, None)
