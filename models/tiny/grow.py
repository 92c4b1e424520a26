"""Makes the language half two layers deeper without changing a single answer, for the mark tables.

The four layers it has learnt scenes with stay as they are. Between them come a layer in which every token of a table line
looks for its line's id, and one in which the words of a question look for the same words in the table. Both write
nothing at first (zero output maps), so the grown model says what the small one said; training opens them.
"""

from typing import Final

import torch
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.tiny.config import WIDTH, build_model
from models.tiny.init_language import HEAD_DIMS, MATCH_GAIN, PAIRS

OLD_LAYERS_AT: Final = (0, 2, 4, 5)
LINE_LAYER: Final = 1  # every token of a line finds the line's id
MATCH_LAYER: Final = 3  # every word asked for finds itself in the table
SLOW_FROM: Final = 22  # rotary pairs that turn by less than half a radian over a table of 16 lines
STD: Final = 0.05


def grow(small: LlavaForConditionalGeneration, tokenizer: Tokenizer, seed: int) -> LlavaForConditionalGeneration:
    """A model of six language layers in the dtype of `small`, which it equals in every answer."""
    large = build_model(tokenizer, seed, len(OLD_LAYERS_AT) + 2).to(small.dtype)
    generator = torch.Generator().manual_seed(seed)
    prefix = "model.language_model.layers."
    weights = {}
    for name, tensor in small.state_dict().items():
        if not name.startswith(prefix):
            weights[name] = tensor
            continue
        number, rest = name.removeprefix(prefix).split(".", 1)
        weights[f"{prefix}{OLD_LAYERS_AT[int(number)]}.{rest}"] = tensor
    large.load_state_dict(weights, strict=False)
    layers = large.model.language_model.layers
    with torch.no_grad():
        for place in (LINE_LAYER, MATCH_LAYER):
            # The norms of the layer before, so that a new layer reads what its neighbour reads.
            for norm in ("input_layernorm", "post_attention_layernorm"):
                getattr(layers[place], norm).weight.copy_(getattr(layers[place + 1], norm).weight)
            layers[place].self_attn.o_proj.weight.zero_()
            layers[place].mlp.down_proj.weight.zero_()
        # Head 2 of the old second layer looks for the start of a line already.
        for part in ("q_proj", "k_proj", "v_proj"):
            rows = slice(2 * HEAD_DIMS, 3 * HEAD_DIMS)
            old = getattr(layers[LINE_LAYER + 1].self_attn, part).weight[rows]
            getattr(layers[LINE_LAYER].self_attn, part).weight[:HEAD_DIMS].copy_(old)
        for head in range(3):
            _match(layers[MATCH_LAYER].self_attn, head, generator)
    return large


def _match(attention: nn.Module, head: int, generator: torch.Generator) -> None:
    """Queries and keys of a head that attends to tokens like the asking one: a random projection of both, in slow pairs."""
    start = head * HEAD_DIMS
    slow = [start + pair + half for half in (0, PAIRS) for pair in range(SLOW_FROM, PAIRS)]
    probe = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=generator))[0][: len(slow)]
    rows = slice(start, start + HEAD_DIMS)
    for part in ("q_proj", "k_proj"):
        weight: Tensor = attention.get_parameter(f"{part}.weight")
        weight[rows] = torch.randn(weight[rows].shape, generator=generator).to(weight.dtype) * STD * 0.2
        weight[slow] = (MATCH_GAIN * probe).to(weight.dtype)
    values: Tensor = attention.get_parameter("v_proj.weight")
    values[rows] = (torch.randn(values[rows].shape, generator=generator) * STD).to(values.dtype)
