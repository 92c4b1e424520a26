"""Weights spread over two processes (gloo, CPU) train as whole ones do, are stopped, taken up and saved whole."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

from models.errors import BadInput
from models.training import checkpoints
from tests.llava_stand import stand_checkpoint, stand_dataset

TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def spec_of(folder, **given):
    base, data = stand_checkpoint(folder / "base"), stand_dataset(folder)
    spec = {
        "recipe": "llava-1.5-full", "precision": "fp32", "batch_size": 4, "steps": 4, "learning_rate": 1e-3,
        "base": str(base), "dataset": str(data / "data.json"), "images": str(data), "gradient_checkpointing": False,
        "row_tokens": 64,
    }  # fmt: skip
    (folder / "spec.json").write_text(json.dumps(spec | given))
    return ["-m", "models.training.run", "--spec", str(folder / "spec.json"), "--out"]


def run(*argv, **given):
    return subprocess.run([sys.executable, *argv], check=True, capture_output=True, text=True, timeout=180, **given)


def test_sharded_processes_end_where_one_process_with_whole_weights_ends(tmp_path):
    command = spec_of(tmp_path)
    run(*command, str(tmp_path / "alone"))
    spec = json.loads((tmp_path / "spec.json").read_text())
    (tmp_path / "spec.json").write_text(json.dumps(spec | {"sharded": True}))
    run(*TWO, *command, str(tmp_path / "sharded"))
    one, two = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("alone", "sharded"))
    before = load_file(tmp_path / "base" / "model.safetensors")
    assert one.keys() == two.keys()
    name = next(key for key in one if key.endswith("layers.0.mlp.up_proj.weight"))
    moved = float(
        (one[name] - before[next(k for k in before if k.endswith("layers.0.mlp.up_proj.weight"))]).abs().mean()
    )
    assert moved > 1e-4
    for key in one:
        torch.testing.assert_close(two[key].mean(), one[key].mean(), atol=1e-5, rtol=0, msg=key)
    assert float((one[name] - two[name]).abs().mean()) < 0.01 * moved
    LlavaForConditionalGeneration.from_pretrained(tmp_path / "sharded" / "model")


def test_a_stop_reaches_both_processes_and_the_run_goes_on_from_there(tmp_path):
    command = spec_of(tmp_path, sharded=True, steps=24, lora_rank=4, recipe="llava-1.5-lora")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(*TWO, *command, str(whole))
    child = subprocess.Popen(
        [sys.executable, *TWO, *command, str(cut)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in child.stdout:
        if '"metric"' in line:
            break
    os.killpg(child.pid, signal.SIGTERM)
    child.communicate(timeout=30)
    state = json.loads((cut / "stage-finetune" / "state.json").read_text())
    assert 0 < state["step"] < 24
    assert len(list((cut / "stage-finetune").glob("tensors-*.safetensors"))) == 2
    run(*TWO, *command, str(cut), "--resume")
    for part in ("model/model.safetensors", "adapter/adapter_model.safetensors"):
        ended, again = load_file(whole / part), load_file(cut / part)
        assert all(torch.equal(ended[key], again[key]) for key in ended), part


def test_pieces_are_taken_up_by_as_many_processes_only(tmp_path):
    both = Barrier(2)

    def write(rank):
        piece = {"a": torch.full((2,), float(rank))}
        checkpoints.write_shards(tmp_path / "stage", piece, {"step": 1}, rank, 2, both.wait)

    with ThreadPoolExecutor(2) as processes:
        list(processes.map(write, range(2)))
    assert checkpoints.read(tmp_path / "stage", 1, 2)[0]["a"][0] == 1
    with pytest.raises(BadInput, match="by 2 processes"):
        checkpoints.read(tmp_path / "stage", 0, 3)
