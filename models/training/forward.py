"""Forward passes of the tiny model during training: attention, vision, language and the answer loss.

The modules are the library's own; only the attention function is replaced, because its generic ones are a third
slower here, and logits are computed for answer tokens alone. The tests compare with the library's whole forward pass.
"""

from collections import defaultdict
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, LlavaForConditionalGeneration

from models.tiny.config import PIXEL_MEAN, PIXEL_STD
from models.training.packing import Packed

ATTENTION: Final = "markwise_matmul"
# While a layer's number is a key here, its attention (B, heads, L, L) is kept for a loss on where heads look.
recorded: dict[int, Tensor] = {}


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float, **_others: Any
) -> tuple[Tensor, None]:
    """(B, heads, L, dim) each -> (B, L, heads, dim); two matmuls and a softmax in the weights' own dtype."""
    scores = torch.matmul(query * scaling, key.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask
    shares = torch.softmax(scores, -1)
    layer = getattr(module, "layer_idx", None)
    if layer in recorded:
        recorded[layer] = shares
    mixed = torch.matmul(shares, value)
    return mixed.transpose(1, 2).contiguous(), None


def use_fast_attention(model: LlavaForConditionalGeneration) -> None:
    """Make both towers use `_attention`; masks must then be additive and whole."""
    AttentionInterface.register(ATTENTION, _attention)
    set_attention(model, ATTENTION)


def set_attention(model: LlavaForConditionalGeneration, name: str) -> None:
    """Choose one of the library's attention functions for both towers."""
    model.model.vision_tower.set_attn_implementation(name)
    model.model.language_model.set_attn_implementation(name)


def pixels(images: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 224, 224, 3) uint8 -> (B, 3, 224, 224) normalised as the processor does."""
    scaled = images.permute(0, 3, 1, 2).float().div_(255).sub_(PIXEL_MEAN).div_(PIXEL_STD)
    return scaled.to(dtype)


def see(model: LlavaForConditionalGeneration, images: Tensor) -> Tensor:
    """(B, 224, 224, 3) uint8 -> (B, 196, width) patch features, before the projector."""
    values = pixels(images.to(model.device), model.dtype)
    features: Tensor = model.model.vision_tower(pixel_values=values).last_hidden_state[:, 1:]
    return features


def answer_logits(model: LlavaForConditionalGeneration, batch: Packed, picture: Tensor | None) -> Tensor:
    """(A, vocabulary) float32 logits at the answers; `picture` (B, 196 or as many as kept, width) replaces the image tokens."""
    return answer_logits_and_states(model, batch, picture, states=False)[0]


def answer_logits_and_states(
    model: LlavaForConditionalGeneration, batch: Packed, picture: Tensor | None, *, states: bool = True
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The same logits, and what enters each layer of the language model: layers + 1 times (B, L, width)."""
    language = model.model.language_model
    inputs = language.embed_tokens(batch.ids)
    if picture is not None:
        at = batch.picture_at
        inputs = torch.cat([inputs[:, :at], picture.to(inputs.dtype), inputs[:, at + picture.shape[1] :]], dim=1)
    found = language(
        inputs_embeds=inputs, attention_mask=batch.mask.to(inputs.dtype), position_ids=batch.positions, use_cache=False,
        output_hidden_states=states,
    )  # fmt: skip
    answers = found.last_hidden_state.flatten(0, 1)[batch.answer_at]
    logits: Tensor = model.lm_head(answers).float()
    return logits, found.hidden_states if states else ()


def answer_loss(logits: Tensor, batch: Packed) -> Tensor:
    """Weighted mean cross entropy; every segment counts by its weight, however long its answer."""
    return (functional.cross_entropy(logits, batch.targets, reduction="none") * batch.weights).sum()


def exact_share(logits: Tensor, batch: Packed) -> dict[str, tuple[int, int]]:
    """Per task: answers with every token right (given the right ones before it), and all answers."""
    right = (logits.argmax(-1) == batch.targets).float()
    wrong_tokens = torch.zeros(len(batch.tasks), device=right.device).index_add_(0, batch.segment_of, 1 - right)
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for task, wrong in zip(batch.tasks, wrong_tokens.tolist(), strict=True):
        tally[task][0] += wrong == 0
        tally[task][1] += 1
    return {task: (hit, count) for task, (hit, count) in tally.items()}


def look_loss(batch: Packed, line_head: tuple[int, int], mark_head: tuple[int, int]) -> Tensor:
    """How far two (layer, head) are from looking where the table's answers are; uses `recorded`.

    The first should look from every token of a table line at the line's start, the second from the end of the sought
    phrase at any token of the line that is meant.
    """
    lines, marks = batch.line_looks, batch.mark_looks
    share = recorded[line_head[0]][lines[:, 0], line_head[1], lines[:, 1], lines[:, 2]].float()
    loss = -(share + 1e-4).log().mean()
    if len(marks):
        spread = recorded[mark_head[0]][marks[:, 0], mark_head[1], marks[:, 1]].float()  # (M, L)
        at = torch.arange(spread.shape[1], device=spread.device)
        inside = (at >= marks[:, 2:3]) & (at < marks[:, 3:4])
        loss = loss - ((spread * inside).sum(1) + 1e-4).log().mean()
    return loss
