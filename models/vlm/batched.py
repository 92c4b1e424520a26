"""Answers several questions in one pass of a local model. Called by `local`; knows neither prompts' wording nor marks.

Prompts are padded on their left, so that all of them end at the same column and what follows each is read off there.
Padding is never attended to and takes no position, so that a question gets the answer that it gets alone.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from models.vlm.grammar import TokenTrie

Turn = Callable[[], AbstractContextManager[None]]
"""What a pass of the model runs inside of."""

Say = Callable[[int], int]
"""The likeliest next token of an answer -> the token that is said, in the order of the answer."""


def greedy(
    model: Any,
    prompts: Sequence[Sequence[int]],
    pixels: torch.Tensor | None,
    limits: Sequence[int],
    ends: frozenset[int],
    turn: Turn,
    says: Sequence[Say],
) -> list[list[int]]:
    """Return what `says` makes of the likeliest tokens after each of `prompts`, the end token included, at most `limits` of each.

    `pixels` is (N, 3, S, S): the pictures of all prompts in their order. A question that is answered leaves the passes.
    """
    with turn():
        out, seen = _read(model, prompts, pixels)
    positions = seen.sum(1, keepdim=True)
    found: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    while True:
        likeliest = out.logits[:, -1].argmax(-1).tolist()
        tokens = [says[row](token) for row, token in zip(rows, likeliest, strict=True)]
        for row, token in zip(rows, tokens, strict=True):
            found[row].append(token)
        left = [i for i, row in enumerate(rows) if tokens[i] not in ends and len(found[row]) < limits[row]]
        if not left:
            return found
        with turn():
            if len(left) < len(rows):
                out.past_key_values.batch_select_indices(torch.tensor(left, device=seen.device))
                rows, seen, positions = [rows[i] for i in left], seen[left], positions[left]
            seen = torch.cat([seen, seen.new_ones(len(left), 1)], dim=1)
            out = model(
                input_ids=torch.tensor([[tokens[i]] for i in left], device=seen.device),
                attention_mask=seen,
                position_ids=positions,
                past_key_values=out.past_key_values,
                use_cache=True,
            )
        positions = positions + 1


def weigh(
    model: Any,
    prompts: Sequence[Sequence[int]],
    pixels: torch.Tensor | None,
    tries: Sequence[TokenTrie],
    turn: Turn,
) -> list[list[float]]:
    """Return the log probability of every path of each trie behind its prompt: prompts in one pass, then all trees in one.

    Each token of a tree sees its prompt and its own branch only.
    """
    with turn():
        out, seen = _read(model, prompts, pixels)
    with turn():
        logits = out.logits[:, -1:]
        inner = [trie.inner_nodes() for trie in tries]
        if any(inner):
            ids, positions, mask = _trees(tries, seen, model.dtype)
            tree = model(
                input_ids=ids,
                position_ids=positions,
                attention_mask=mask,
                past_key_values=out.past_key_values,
                use_cache=True,
            )
            logits = torch.cat([logits, tree.logits], dim=1)
        logprobs = torch.log_softmax(logits.float().cpu(), dim=-1)
    scores = []
    for trie, nodes, each in zip(tries, inner, logprobs, strict=True):
        row_of = _rows(nodes)
        scores.append([sum(each[row_of[trie.parents[n]], trie.tokens[n]].item() for n in path) for path in trie.paths])
    return scores


def _read(model: Any, prompts: Sequence[Sequence[int]], pixels: torch.Tensor | None) -> tuple[Any, torch.Tensor]:
    """Read the prompts; returns the model's output and which of the (B, L) columns are no padding, as 0 and 1."""
    longest = max(map(len, prompts))
    # Any token will do for padding but a picture's; the last of a prompt never is one.
    ids = [[prompt[-1]] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    seen = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts], device=model.device)
    out = model(
        input_ids=torch.tensor(ids, device=model.device),
        attention_mask=seen,
        position_ids=(seen.cumsum(1) - 1).clamp(min=0),
        pixel_values=pixels,
        use_cache=True,
        logits_to_keep=1,
    )
    return out, seen


def _trees(
    tries: Sequence[TokenTrie], seen: torch.Tensor, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return tokens and positions, (B, N), and the mask to add, (B, 1, N, L + N), of all inner nodes behind the prompts.

    A row that stands for no node sees what is no padding, so that no row of attention is empty.
    """
    inner = [trie.inner_nodes() for trie in tries]
    count, length, width = len(tries), seen.shape[1], max(map(len, inner))
    ids, positions = torch.zeros(count, width, dtype=torch.long), torch.zeros(count, width, dtype=torch.long)
    visible = torch.zeros(count, width, length + width, dtype=torch.bool)
    visible[:, :, :length] = seen.bool().cpu()[:, None]
    starts = seen.sum(1).tolist()
    for number, (trie, nodes) in enumerate(zip(tries, inner, strict=True)):
        row_of = _rows(nodes)
        for row, node in enumerate(nodes):
            ids[number, row] = trie.tokens[node]
            positions[number, row] = starts[number] + trie.depths[node]
            above = node
            while above != -1:
                visible[number, row, length + row_of[above] - 1] = True
                above = trie.parents[above]
    mask = torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)
    return ids.to(seen.device), positions.to(seen.device), mask[:, None].to(seen.device)


def _rows(nodes: Sequence[int]) -> dict[int, int]:
    """Return in which row of the logits stands what follows each node; -1 is the prompt's end."""
    return {-1: 0} | {node: row for row, node in enumerate(nodes, start=1)}
