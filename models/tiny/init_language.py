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
COPY_STD: Final = 0.05
MATCH_LAYERS: Final = (1, 2)


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
        spans = [_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS] for _ in range(3)]
        for back, span in enumerate(spans):
            _look_back(language, back, back + 1, _padded(span))
        for layer in MATCH_LAYERS:
            for head, span in enumerate(spans):
                _match(language, layer, head, _padded(span), turned, generator)


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
        table.copy_(torch.randn(table.shape, generator=generator) * WORD_STD * 0.3)
        for row, text in enumerate(texts, start=1):
            token_id = tokenizer.encode(text, add_special_tokens=False)[-1]
            table[row] = turned @ embeddings[token_id]
        if texts:  # background is as long a vector as a word
            table[0] = torch.randn(WIDTH, generator=generator) * WORD_STD
        table[:, 0] = CONSTANT if column == 0 else 0.0


def _look_back(language: nn.Module, head: int, distance: int, span: Tensor) -> None:
    """Head `head` of layer 0 attends `distance` tokens back and copies what it finds there, along `span`."""
    attention = language.get_submodule("layers.0.self_attn")
    start = head * HEAD_DIMS
    query, key = attention.get_parameter("q_proj.weight"), attention.get_parameter("k_proj.weight")
    for pair in range(NEAR_PAIRS):
        angle = distance * ROPE_BASE ** (-pair / PAIRS)
        query[start + pair, 0], query[start + PAIRS + pair, 0] = (
            BACK_GAIN * math.cos(angle),
            -BACK_GAIN * math.sin(angle),
        )
        key[start + pair, 0], key[start + PAIRS + pair, 0] = BACK_GAIN, 0.0
    attention.get_parameter("v_proj.weight")[start : start + HEAD_DIMS] = span
    attention.get_parameter("o_proj.weight")[:, start : start + HEAD_DIMS] = COPY_STD * span.T


def _match(
    language: nn.Module, layer: int, head: int, span: Tensor, turned: Tensor, generator: torch.Generator
) -> None:
    """A head that attends where a picture word equals a word seen earlier along `span`, and copies the words there."""
    attention = language.get_submodule(f"layers.{layer}.self_attn")
    start = head * HEAD_DIMS
    slow = [pair + half for half in (0, PAIRS) for pair in range(FAR_FROM, PAIRS)]
    rows = [start + row for row in slow]
    mix = _orthogonal(HEAD_DIMS, generator)[: len(slow)]
    probe = MATCH_GAIN * mix @ span
    attention.get_parameter("q_proj.weight")[rows] = probe
    attention.get_parameter("k_proj.weight")[rows] = probe @ turned.T
    copied = _padded(_orthogonal(WIDTH - 1, generator)[:HEAD_DIMS])
    attention.get_parameter("v_proj.weight")[start : start + HEAD_DIMS] = copied @ turned.T
    attention.get_parameter("o_proj.weight")[:, start : start + HEAD_DIMS] = COPY_STD * copied.T
