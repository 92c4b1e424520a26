"""Many conversations in one row without padding, none of which sees another: attention, row, loss.

Called by the instruction stage and the retention check. Attention runs once per conversation between its borders, which is
the block-diagonal mask without its zeros; positions begin anew with each. Logits are computed where an answer is, not for
the whole row: with LLaVA's 32,000 words they would be the largest tensor of the step. Knows no data and no optimiser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, LlavaForConditionalGeneration

ATTENTION: Final = "markwise_packed"
IGNORED: Final = -100
Encoded = dict[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of L tokens: conversations end to end. `borders` are their N + 1 edges, from 0 to L."""

    ids: Tensor  # (1, L) int64
    positions: Tensor  # (1, L) int64, from 0 in each conversation
    borders: tuple[int, ...]
    answer_at: Tensor  # (A,) int64, positions whose next token is an answer's
    targets: Tensor  # (A,) int64
    pixels: Tensor | None  # (pictures, 3, S, S), in the order of their placeholders

    @property
    def answers(self) -> int:
        """How many tokens the loss is over."""
        return len(self.targets)


def answer_tokens(encoded: Encoded) -> int:
    """Labelled tokens that something precedes: what a conversation adds to the loss."""
    return int((encoded["labels"][1:] != IGNORED).sum())


def plan_rows(lengths: Sequence[int], *, max_tokens: int, max_samples: int) -> list[list[int]]:
    """Indices of samples per row: longest first, each into the first row with room; overlong ones get rows of their own."""
    rows: list[tuple[int, list[int]]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        for r, (used, members) in enumerate(rows):
            if used + lengths[index] <= max_tokens and len(members) < max_samples:
                members.append(index)
                rows[r] = (used + lengths[index], members)
                break
        else:
            rows.append((lengths[index], [index]))
    return [members for _, members in rows]


def pack(samples: Sequence[Encoded]) -> Row:
    """Join encoded conversations (`input_ids`, `labels` (L,), perhaps `pixel_values` (3, S, S)) end to end."""
    lengths = [len(sample["input_ids"]) for sample in samples]
    borders = torch.tensor([0, *lengths]).cumsum(0)
    labels = torch.cat([sample["labels"] for sample in samples])
    labels[borders[:-1]] = IGNORED  # a first token has no predecessor of its own conversation
    taught = (labels != IGNORED).nonzero().squeeze(1)
    pictures = [sample["pixel_values"] for sample in samples if "pixel_values" in sample]
    return Row(
        ids=torch.cat([sample["input_ids"] for sample in samples])[None],
        positions=torch.cat([torch.arange(length) for length in lengths])[None],
        borders=tuple(borders.tolist()),
        answer_at=taught - 1,
        targets=labels[taught],
        pixels=torch.stack(pictures) if pictures else None,
    )


def use_packed_attention(model: LlavaForConditionalGeneration) -> None:
    """Make the language half attend within borders; the vision tower keeps the library's attention."""
    AttentionInterface.register(ATTENTION, _attention)
    model.model.language_model.set_attn_implementation(ATTENTION)


def answer_losses(model: nn.Module, row: Row) -> Tensor:
    """(A,) float32 negative log likelihood of each answer token; `model` is a LLaVA or a LoRA around one."""
    parameter = next(model.parameters())
    device = parameter.device
    pixels = None if row.pixels is None else row.pixels.to(device, parameter.dtype)
    result = model(
        input_ids=row.ids.to(device),
        position_ids=row.positions.to(device),
        pixel_values=pixels,
        attention_mask=None,
        use_cache=False,
        logits_to_keep=row.answer_at.to(device),
        borders=row.borders,
    )
    return functional.cross_entropy(result.logits[0].float(), row.targets.to(device), reduction="none")


def _attention(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    borders: Sequence[int] = (),
    **_others: Any,
) -> tuple[Tensor, None]:
    """(1, heads, L, dim) each -> (1, L, heads, dim); causal between each two borders, nothing across."""
    edges = borders or (0, query.shape[2])
    grouped = query.shape[1] != key.shape[1]
    pieces = [
        functional.scaled_dot_product_attention(
            query[:, :, start:end], key[:, :, start:end], value[:, :, start:end],
            is_causal=True, scale=scaling, dropout_p=dropout, enable_gqa=grouped,
        )
        for start, end in pairwise(edges)
    ]  # fmt: skip
    return torch.cat(pieces, dim=2).transpose(1, 2).contiguous(), None
