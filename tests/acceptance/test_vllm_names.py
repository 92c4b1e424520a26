"""What the trainer saves has the names and shapes that vLLM reads: merged versions, and adapters to be loaded beside a base."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from models.training.run import main
from tests.acceptance.vllm_server import ENVIRONMENT, ROOT, WEIGHTS
from tests.llava_stand import stand_dataset

LAYERS = json.loads((WEIGHTS / "config.json").read_text())["text_config"]["num_hidden_layers"]
LINEAR = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
LINEAR += ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


def trained(folder: Path, **given: object) -> Path:
    """The output folder of a run of two steps from the shipped weights."""
    data = stand_dataset(folder)
    spec = {"base": str(WEIGHTS), "dataset": str(data / "data.json"), "images": str(data), "steps": 2, "batch_size": 1}
    (folder / "spec.json").write_text(json.dumps(spec | given))
    assert main(["--spec", str(folder / "spec.json"), "--out", str(folder / "out")]) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of an environment with vLLM."""
    found = os.environ.get("MARKWISE_TEST_VLLM_PYTHON")
    if not found:
        pytest.skip("no vLLM to load into: make test-vllm builds one and runs these tests")
    return found


def as_vllm_reads(python: str, *folders: Path) -> dict:
    done = subprocess.run(
        [python, str(ROOT / "tests/acceptance/vllm_names.py"), *map(str, folders)],
        env=os.environ | ENVIRONMENT, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(400)
def test_vllm_finds_every_weight_of_a_merged_version_and_every_layer_of_an_adapter(python: str, tmp_path: Path) -> None:
    """The published LoRA recipe trains the projector, so it is served merged; the small one's adapter goes beside its base."""
    (tmp_path / "merged").mkdir()
    (tmp_path / "beside").mkdir()
    merged = trained(tmp_path / "merged", recipe="llava-1.5-lora", lora_rank=4, max_tokens=512)
    beside = trained(tmp_path / "beside", recipe="finetune", lora_rank=16)
    found = as_vllm_reads(python, merged / "model", beside / "adapter")
    assert found["untouched"] == []
    wanted = {f"language_model.model.layers.{layer}.{name}" for layer in range(LAYERS) for name in LINEAR}
    assert set(found["adapters"][0]) == wanted


@pytest.mark.timeout(400)
def test_vllm_refuses_an_adapter_that_holds_the_projector(python: str, tmp_path: Path) -> None:
    """Why versions whose projector was trained are never sent as adapters."""
    run = trained(tmp_path, recipe="llava-1.5-lora", lora_rank=4, max_tokens=512)
    with pytest.raises(AssertionError, match="multi_modal_projector"):
        as_vllm_reads(python, run / "model", run / "adapter")
