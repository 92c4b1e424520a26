"""Gives two heads that already look at the right tokens of a mark table something to carry: the digit of the mark.

Once the first looks from a table line to its id and the second from a question to its line, answers still stayed at
chance: nothing passed along. Here the first head is fitted to read the digit and to write it where no other digit is
written, the second to read it there and to write the answer's digit. Run once, between the stages `looks` and `tables`.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from models.tiny import grow
from models.training.lookups import ANSWER_LAYER, SECOND_HEAD, SIGNS
from models.training.packing import Packed
from models.training.stages import Tiny

DIGITS: Final = "0123456789"
CARRY: Final = 0.3  # of the length of the tokens' own vectors
ANSWER: Final = 0.9
OTHERS: Final = 0.3  # what the heads did before is turned down to this
RIDGE: Final = 1e-2


def graft_digits(tiny: Tiny, batch: Packed, line_head: tuple[int, int], mark_head: tuple[int, int]) -> None:
    """Overwrite values and outputs of the two (layer, head) in place; `batch` is some dozens of mark tables."""
    ids = [tiny.tokenizer.encode(digit, add_special_tokens=False)[-1] for digit in DIGITS]
    lines = batch.line_looks
    first_digit = torch.tensor([ids.index(token) for token in batch.ids[lines[:, 0], lines[:, 2]].tolist()])
    wanted = functional.one_hot(first_digit, len(DIGITS)).float()
    with torch.no_grad():
        plain, normed = _inputs(tiny, batch, line_head[0])
        read = _fitted(normed[lines[:, 0], lines[:, 2]], wanted)
        generator = torch.Generator().manual_seed(0)
        carried = torch.linalg.qr(torch.randn(read.shape[1], len(DIGITS), generator=generator))[0].T
        length = plain[lines[:, 0], lines[:, 1]].norm(dim=1).mean()
        _write(tiny, line_head, read, CARRY * length * carried)
        plain, normed = _inputs(tiny, batch, mark_head[0])
        read = _fitted(normed[lines[:, 0], lines[:, 1]], wanted)
        answers = tiny.llava.lm_head.weight[ids].float()
        answers = functional.normalize(answers - answers.mean(0), dim=1)
        length = plain.flatten(0, 1)[batch.answer_at].norm(dim=1).mean()
        _write(tiny, mark_head, read, ANSWER * length * answers)


def graft_signs(tiny: Tiny, batch: Packed) -> None:
    """Let the deeper model's table layers carry both signs of an id, once their heads look at the right tokens."""
    line, match = grow.LINE_LAYER, grow.MATCH_LAYER
    lines = batch.line_looks
    at = batch.line_signs[:, 0]
    wanted = torch.cat(
        [functional.one_hot(batch.line_signs[:, 1 + k], size).float() for k, size in enumerate(SIGNS)], dim=1
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        plain, normed = _inputs(tiny, batch, line)
        read = _fitted(normed[lines[:, 0], at], wanted)
        carried = torch.linalg.qr(torch.randn(read.shape[1], len(read), generator=generator))[0].T
        length = plain[lines[:, 0], lines[:, 1]].norm(dim=1).mean()
        _write(tiny, (line, 0), read, CARRY * length * carried)
        plain, normed = _inputs(tiny, batch, match)
        read = _fitted(normed[lines[:, 0], lines[:, 1]], wanted)
        length = plain[lines[:, 0], lines[:, 1]].norm(dim=1).mean()
        found = torch.linalg.qr(torch.randn(read.shape[1], len(read), generator=generator))[0].T
        for head in range(3):
            _write(tiny, (match, head), read, CARRY * length * found)


def graft_second_sign(tiny: Tiny, batch: Packed) -> None:
    """Let a head of the last layer say an id's second sign, or the full stop, from the words that found the line."""
    phrases = batch.phrase_looks
    single = (phrases[:, 4] == 1).float()[:, None]
    ones = functional.one_hot(phrases[:, 5], SIGNS[1])[:, 1 : 1 + len(DIGITS)].float()
    wanted = torch.cat([ones * (1 - single), single], dim=1)
    tokens = [tiny.tokenizer.encode(sign, add_special_tokens=False)[-1] for sign in f"{DIGITS}."]
    with torch.no_grad():
        plain, normed = _inputs(tiny, batch, ANSWER_LAYER)
        read = _fitted(normed[phrases[:, 0], phrases[:, 1]], wanted)
        answers = tiny.llava.lm_head.weight[tokens].float()
        answers = functional.normalize(answers - answers.mean(0), dim=1)
        length = plain.flatten(0, 1)[batch.answer_at].norm(dim=1).mean()
        _write(tiny, (ANSWER_LAYER, SECOND_HEAD), read, ANSWER * length * answers)


def _inputs(tiny: Tiny, batch: Packed, layer: int) -> tuple[Tensor, Tensor]:
    """What enters a layer, (B, L, width), before and after its norm."""
    language = tiny.llava.model.language_model
    embedded = language.embed_tokens(batch.ids)
    states = language(
        inputs_embeds=embedded,
        attention_mask=batch.mask.to(embedded.dtype),
        position_ids=batch.positions,
        use_cache=False,
        output_hidden_states=True,
    ).hidden_states
    return states[layer].float(), language.layers[layer].input_layernorm(states[layer]).float()


def _fitted(inputs: Tensor, wanted: Tensor) -> Tensor:
    """(N, width), (N, 10) -> (10, width): ridge regression without an offset."""
    square = inputs.T @ inputs / len(inputs)
    square += RIDGE * square.diagonal().mean() * torch.eye(len(square))
    return torch.linalg.solve(square, inputs.T @ wanted / len(inputs)).T


def _write(tiny: Tiny, place: tuple[int, int], read: Tensor, written: Tensor) -> None:
    attention = tiny.llava.model.language_model.layers[place[0]].self_attn
    start = place[1] * attention.head_dim
    rest = slice(start + len(read), start + attention.head_dim)
    values, outputs = attention.v_proj.weight, attention.o_proj.weight
    values[start : start + len(read)] = read.to(values.dtype)
    outputs[:, start : start + len(read)] = written.T.to(outputs.dtype)
    values[rest] *= OTHERS
    outputs[:, rest] *= OTHERS
