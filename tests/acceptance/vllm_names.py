"""Loads what our trainer saved into vLLM's own model class, without a server: run with the Python of an environment with vLLM.

`python tests/acceptance/vllm_names.py CHECKPOINT ADAPTER...` prints one line of JSON: the weights of the model that the checkpoint
left as they were, and per adapter folder what of the language half it changes. vLLM's loaders raise on a name that they do
not know and on a shape that does not fit. Called by `test_vllm_names`.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from vllm.config import set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.engine.arg_utils import EngineArgs
from vllm.lora.lora_model import LoRAModel
from vllm.lora.peft_helper import PEFTHelper
from vllm.model_executor.model_loader.utils import initialize_model

RANK = 16


def main() -> None:
    """Print what the checkpoint and the adapters named on the command line are to vLLM."""
    checkpoint, adapters = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    config = EngineArgs(
        model=str(checkpoint), dtype="float32", enforce_eager=True, max_model_len=2048, enable_lora=True,
        max_lora_rank=RANK,
    ).create_engine_config()  # fmt: skip
    with set_current_vllm_config(config):
        init_distributed_environment(1, 0, f"tcp://127.0.0.1:{free_port()}", 0, "gloo")
        initialize_model_parallel(1, 1)
        model: Any = initialize_model(config)
    loaded = model.load_weights(iter(load_file(checkpoint / "model.safetensors").items()))
    untouched = sorted({name for name, _ in model.named_parameters()} - loaded)
    found = {"untouched": untouched, "adapters": [changed(model, adapter, config) for adapter in adapters]}
    print("\n" + json.dumps(found))


def changed(model: Any, adapter: Path, config: Any) -> list[str]:
    """The modules of vLLM's model that an adapter changes; ValueError on shapes that are not theirs."""
    packed: dict[str, list[str]] = model.packed_modules_mapping
    parts = {part: whole for whole, members in packed.items() for part in members}
    lora = LoRAModel.from_local_checkpoint(
        str(adapter),
        {*parts, "o_proj", "down_proj"},
        PEFTHelper.from_local_dir(str(adapter), max_position_embeddings=2048),
        device="cpu",
        dtype=config.model_config.dtype,
        weights_mapper=model.hf_to_vllm_mapper,
    )
    heights: dict[str, int] = {}
    for name, weights in lora.loras.items():
        parent, last = name.rsplit(".", 1)
        place = f"{parent}.{parts.get(last, last)}"
        if weights.lora_a.shape[1] != model.get_submodule(place).weight.shape[1]:
            raise ValueError(f"{name} reads {weights.lora_a.shape[1]} values")
        heights[place] = heights.get(place, 0) + weights.lora_b.shape[0]
    for place, height in heights.items():
        if height != model.get_submodule(place).weight.shape[0]:
            raise ValueError(f"{place} is given {height} rows")
    return sorted(lora.loras)


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
