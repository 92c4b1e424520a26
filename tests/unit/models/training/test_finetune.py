"""Finetuning on conversations yields a checkpoint that loads, learns, stops on SIGTERM and goes on afterwards."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models.errors import BadInput
from models.tiny.config import build_model
from models.tiny.export import save
from models.tiny.tokenizer import build_tokenizer
from models.training import checkpoints
from models.training.run import main
from models.training.spec import Spec, read_spec

COLORS = {"red": (200, 0, 0), "blue": (0, 0, 200)}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    save(build_model(build_tokenizer(), seed=5), build_tokenizer(), folder)
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    records = []
    for name, rgb in COLORS.items():
        Image.fromarray(np.full((40, 40, 3), rgb, np.uint8)).save(folder / f"{name}.png")
        turns = [{"from": "human", "value": "<image>\nWhich color?"}, {"from": "gpt", "value": f"{name}."}]
        records.append({"id": name, "image": f"{name}.png", "conversations": turns})
    (folder / "data.json").write_text(json.dumps(records))
    return folder


def spec(base, dataset, path, **changes):
    given = {"recipe": "finetune", "base": str(base), "dataset": str(dataset / "data.json"), "images": str(dataset)}
    path.write_text(json.dumps(given | {"steps": 4, "batch_size": 2} | changes))
    return ["--spec", str(path), "--out", str(path.parent / "out")]


def events(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_all_weights_but_the_vision_tower_are_trained_and_saved(base, dataset, tmp_path, capsys):
    assert main(spec(base, dataset, tmp_path / "spec.json", steps=30, learning_rate=3e-3)) == 0
    seen = events(capsys)
    losses = [event["loss"] for event in seen if event["event"] == "metric"]
    assert losses[-1] < losses[0] / 2
    assert seen[-1]["message"] == "finished"
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "out" / "model"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not any("vision_tower" in name for name in changed)
    LlavaForConditionalGeneration.from_pretrained(tmp_path / "out" / "model")
    AutoProcessor.from_pretrained(tmp_path / "out" / "model")


def test_lora_leaves_an_adapter_and_a_merged_checkpoint(base, dataset, tmp_path):
    assert main(spec(base, dataset, tmp_path / "spec.json", lora_rank=4, learning_rate=1e-2)) == 0
    adapter = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    assert adapter
    assert all("lora_" in name and "language_model" in name for name in adapter)
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "out" / "model"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("language_model" in name and "proj" in name for name in changed)


def test_sigterm_saves_and_a_resumed_run_ends(base, dataset, tmp_path):
    options = spec(base, dataset, tmp_path / "spec.json", steps=5000)
    command = [sys.executable, "-m", "models.training.run", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if json.loads(line)["event"] == "metric":
                child.send_signal(signal.SIGTERM)
                break
        said = [json.loads(line) for line in child.stdout.read().splitlines()]
        assert child.wait(timeout=60) == 0
    assert "--resume" in said[-1]["message"]
    step = json.loads((tmp_path / "out" / "stage-finetune" / "state.json").read_text())["step"]
    assert step >= 1
    spec(base, dataset, tmp_path / "spec.json", steps=step + 2)
    assert main([*options, "--resume"]) == 0
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()


def test_a_killed_run_goes_on_from_its_last_checkpoint(base, dataset, tmp_path, capsys):
    options = spec(base, dataset, tmp_path / "spec.json", steps=100_000, checkpoint_every_s=0.01)
    saved = tmp_path / "out" / "stage-finetune" / "state.json"
    with subprocess.Popen([sys.executable, "-m", "models.training.run", *options], stdout=subprocess.DEVNULL) as child:
        while not saved.exists():
            assert child.poll() is None
            time.sleep(0.02)
        child.kill()
    # Killed while it replaced a checkpoint it leaves the one before, or the new one under its own name.
    step = checkpoints.read(saved.parent)[1]["step"]
    spec(base, dataset, tmp_path / "spec.json", steps=step + 2)
    assert main([*options, "--resume"]) == 0
    told = [event for event in events(capsys) if event.get("message") == "resumed"]
    assert [event["step"] for event in told] == [step]


def test_a_run_that_cannot_work_fails_with_a_sentence(base, dataset, tmp_path, capsys):
    options = spec(tmp_path / "nowhere", dataset, tmp_path / "spec.json")
    assert main(options) == 1
    assert "base must be a checkpoint folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "JSON object"),
        ("{", "readable JSON"),
        ('{"recipe": "tiny-scratch", "epoch": 3}', "no field epoch"),
        ('{"recipe": "magic"}', "recipe must be one of"),
        ('{"recipe": "finetune"}', "needs base, dataset and images"),
        ('{"recipe": "tiny-scratch", "steps": 1, "budget_s": 1}', "not both"),
        ('{"recipe": "tiny-scratch", "stages": ["sleep"]}', "no stage sleep"),
        ('{"recipe": "tiny-scratch", "learning_rate": -1}', "learning_rate must be positive"),
        ("{}", "lacks recipe"),
    ],
)
def test_a_spec_that_says_nothing_sensible_is_refused(tmp_path, content, message):
    path = tmp_path / "spec.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        read_spec(path)


def test_defaults_of_a_spec():
    assert Spec(recipe="tiny-scratch").stages == ("vision", "language", "bridge", "joint", "looks", "tables")
