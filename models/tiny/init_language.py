"""Initialises the language model with the two habits its tasks need: look a few tokens back, and find what matches.

Layer 0 gets heads that look exactly 1, 2 and 3 tokens back. Layers 1 and 2 get heads that compare those earlier tokens
with the words a picture token stands for and copy the words found there. From random weights the model spent 400 steps
guessing which mark is meant; all of this is an init only, and trains like the rest.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.tiny.config import WIDTH
from models.tiny.dense import PatchWords

WORD_STD: Final = 0.04
CONSTANT: Final = 0.08  # dimension 0 of every token: what a head that goes by distance alone reads
HEAD_DIMS: Final = 64
PAIRS: Final = HEAD_DIMS // 2
ROPE_BASE: Final = 1e4
NEAR_PAIRS: Final = 18  # fast pairs tell neighbours apart
FAR_FROM: Final = 21  # slow pairs hardly turn within 400 tokens, so a match counts at any distance
BACK_GAIN: Final = 2.35
MATCH_GAIN: Final = 2.4
APART_GAIN: Final = 1.5
LINE_GAIN: Final = 2.0
LINE_PAIRS: Final = 17
GATHER_GAIN: Final = 1.0
COPY_STD: Final = 0.05
Place = tuple[int, int]  # layer, head


def init_language(
    language: nn.Module, words: PatchWords, tokenizer: Tokenizer, vocabulary: Sequence[Sequence[str]], seed: int
) -> None:
    """Overwrite embeddings, pretend words and some heads in place.

    `vocabulary[column]` are the texts of classes 1, 2, ... of a label column, or () for a column without words.
    """
    generator = torch.Generator().manual_seed(seed)
    turn = _orthogonal(WIDTH - 1, generator)
    turned = torch.eye(WIDTH)
    turned[1:, 1:] = turn  # picture words are the text words turned, so that no token matches itself
    with torch.no_grad():
        embeddings = language.get_parameter("embed_tokens.weight")
        _init_words(embeddings, tokenizer, generator)
        _init_patch_words(words, embeddings, tokenizer, vocabulary, turned, generator)
        spans = [_padded(_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS]) for _ in range(3)]
        for back, span in enumerate(spans):
            _look_back(language, back, back + 1, span)
        line_end = embeddings[tokenizer.encode("\n", add_special_tokens=False)[-1]]
        _match(language, (1, 0), spans[0], turned, generator)
        _match(language, (1, 1), spans[2], turned, generator)
        _to_line_start(language, (1, 2), spans[0].T @ (spans[0] @ line_end), generator)
        _match(language, (2, 0), spans[1], turned, generator)
        for head in (1, 2):
            _match(language, (2, head), _padded(_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS]), None, generator)
            _apart(language, (2, head))
        for head in range(3):
            _gather(language, (3, head), generator)


def _padded(rows: Tensor) -> Tensor:
    """Rows over dimensions 1.. as rows over all dimensions; the constant is no word."""
    return torch.cat([torch.zeros(rows.shape[0], 1), rows], dim=1)


def _orthogonal(size: int, generator: torch.Generator) -> Tensor:
    return torch.linalg.qr(torch.randn(size, size, generator=generator))[0]


def _init_words(weight: Tensor, tokenizer: Tokenizer, generator: torch.Generator) -> None:
    """Start `Save`, ` Save` and ` save` near each other, so that a question's word already resembles the table's."""
    shared: dict[str, Tensor] = {}
    for token_id in range(weight.shape[0]):
        text = tokenizer.decode([token_id]).strip().lower() or f"token {token_id}"
        if text not in shared:
            shared[text] = torch.randn(weight.shape[1], generator=generator)
        own = torch.randn(weight.shape[1], generator=generator)
        weight[token_id] = WORD_STD * (0.87 * shared[text] + 0.5 * own)
    weight[:, 0] = CONSTANT


def _init_patch_words(
    words: PatchWords,
    embeddings: Tensor,
    tokenizer: Tokenizer,
    vocabulary: Sequence[Sequence[str]],
    turned: Tensor,
    generator: torch.Generator,
) -> None:
    for column, texts in enumerate(vocabulary):
        table = words.tables[column].get_parameter("weight")
        own = torch.Generator().manual_seed(column)  # a longer column must not change how the rest starts
        table.copy_(torch.randn(table.shape, generator=own) * WORD_STD * 0.3)
        for row, text in enumerate(texts, start=1):
            token_id = tokenizer.encode(text, add_special_tokens=False)[-1]
            table[row] = turned @ embeddings[token_id]
        if texts:  # background is as long a vector as a word
            table[0] = torch.randn(WIDTH, generator=generator) * WORD_STD
        table[:, 0] = CONSTANT if column == 0 else 0.0


def _look_back(language: nn.Module, head: int, distance: int, span: Tensor) -> None:
    """Head `head` of layer 0 attends `distance` tokens back and copies what it finds there, along `span`."""
    _by_distance(language, (0, head), distance, BACK_GAIN, range(NEAR_PAIRS))
    _copy(language, (0, head), span, span)


def _by_distance(language: nn.Module, place: Place, distance: int, gain: float, pairs: range) -> None:
    """Scores that depend on the distance alone, highest at `distance`; a negative gain makes it lowest there."""
    query, key, rows = _maps(language, place)
    for pair in pairs:
        angle = distance * ROPE_BASE ** (-pair / PAIRS)
        query[rows[pair], 0], query[rows[PAIRS + pair], 0] = gain * math.cos(angle), -gain * math.sin(angle)
        key[rows[pair], 0], key[rows[PAIRS + pair], 0] = abs(gain), 0.0


def _apart(language: nn.Module, place: Place) -> None:
    """Keep a matching head from finding the asking token itself and its neighbours."""
    _by_distance(language, place, 0, -APART_GAIN, range(2, FAR_FROM - 4))


def _to_line_start(language: nn.Module, place: Place, line_end: Tensor, generator: torch.Generator) -> None:
    """A head that attends to the latest token behind a line end (a mark's id in the table) and copies it."""
    query, key, rows = _maps(language, place)
    sought = LINE_GAIN * line_end / line_end.norm()
    for pair in range(LINE_PAIRS, PAIRS):  # slow pairs: they prefer the latest line a little
        query[rows[pair], 0] = LINE_GAIN
        key[rows[pair]] = sought
    span = _padded(_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS])
    _copy(language, place, span, span)


def _gather(language: nn.Module, place: Place, generator: torch.Generator) -> None:
    """A head that averages over the last dozen tokens and copies what was found there."""
    _by_distance(language, place, 5, GATHER_GAIN, range(6, NEAR_PAIRS))
    span = _padded(_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS])
    _copy(language, place, span, span)


def _match(language: nn.Module, place: Place, span: Tensor, turned: Tensor | None, generator: torch.Generator) -> None:
    """A head that attends where words equal those along `span`, and copies the words there.

    With `turned` it looks among picture words, without it among text.
    """
    query, key, rows = _maps(language, place)
    slow = [rows[pair + half] for half in (0, PAIRS) for pair in range(FAR_FROM, PAIRS)]
    probe = MATCH_GAIN * _orthogonal(HEAD_DIMS, generator)[: len(slow)] @ span
    query[slow] = probe
    key[slow] = probe if turned is None else probe @ turned.T
    copied = _padded(_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS])
    _copy(language, place, copied if turned is None else copied @ turned.T, copied)


def _maps(language: nn.Module, place: Place) -> tuple[Tensor, Tensor, range]:
    layer, head = place
    attention = language.get_submodule(f"layers.{layer}.self_attn")
    rows = range(head * HEAD_DIMS, (head + 1) * HEAD_DIMS)
    return attention.get_parameter("q_proj.weight"), attention.get_parameter("k_proj.weight"), rows


def _copy(language: nn.Module, place: Place, read: Tensor, write: Tensor) -> None:
    """Values read along the rows of `read` (64, width) are written along those of `write`."""
    layer, head = place
    attention = language.get_submodule(f"layers.{layer}.self_attn")
    rows = slice(head * HEAD_DIMS, (head + 1) * HEAD_DIMS)
    attention.get_parameter("v_proj.weight")[rows] = read
    attention.get_parameter("o_proj.weight")[:, rows] = COPY_STD * write.T
