"""LoRA adapters on a running vLLM: load one under a name, and make sure that it has an effect.

vLLM answers 200 for an adapter whose tensors fit no layer, and then serves the bare model under its name. So a load counts only when
the log probabilities of fixed questions have changed. Called when a model version is deployed or first asked; knows no catalog.
"""

from pathlib import Path

import numpy as np

from models.errors import BackendUnfit, BadInput, ModelMissing
from models.vlm.logprobs import difference
from models.vlm.openai import OpenAiBackend
from models.vlm.transport import Transport
from models.vlm.types import VlmRequest

# The same request twice differs by 0 on vLLM's CPU build; one optimiser step at the usual rate moves it by more than 0.01.
LEAST_CHANGE = 1e-4
_PROMPTS = ("List the marked items one by one.", "Which mark is the red circle?", "What is mark 1?")
_LOAD_S = 60.0


def load_adapter(transport: Transport, base: OpenAiBackend, model: str, folder: Path) -> None:
    """Load the adapter in `folder`, a path that the server sees too, to be asked for as `model`.

    Raises BackendUnfit if the server does not take it or if it changes nothing; then it is unloaded again. Raises BackendDown.
    """
    order = {"lora_name": model, "lora_path": str(folder), "load_inplace": True}
    try:
        transport.tell("load_lora_adapter", order, deadline_s=_LOAD_S)
    except (ModelMissing, BadInput) as refused:
        raise BackendUnfit(
            "the model server does not load this adapter: start it with --enable-lora, a sufficient --max-lora-rank and "
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and let it read the folder of MARKWISE_VLM_ADAPTERS under the same path"
        ) from refused
    if effect(base, base.adapter(model, model)) < LEAST_CHANGE:
        transport.tell("unload_lora_adapter", {"lora_name": model}, deadline_s=_LOAD_S)
        raise BackendUnfit("the adapter changes no answer of the served model: it was trained for another one")


def effect(base: OpenAiBackend, adapted: OpenAiBackend) -> float:
    """Return the largest change of a log probability over the fixed questions; 0 where the server shows none."""
    picture = np.full((base.input_px or 224, base.input_px or 224, 3), 127, np.uint8)
    largest = 0.0
    for prompt in _PROMPTS:
        request = VlmRequest(images=(picture,), prompt=prompt, max_tokens=1, deadline_s=_LOAD_S)
        before, after = base.first_token(request), adapted.first_token(request)
        if before is not None and after is not None:
            largest = max(largest, difference(before, after))
    return largest
