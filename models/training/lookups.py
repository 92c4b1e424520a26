"""What a mark table's answer is made of, told to the model step by step: the losses that only tables have.

A line's tokens should look at the line's id and then know it; the words of a question should look at the same words in the
line that is meant and then know its id, too; where the answer says the id it should look at those words. From answers
alone, and from being told where to look alone, tables stayed at chance for thousands of steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.tiny.config import WIDTH
from models.tiny.grow import LINE_LAYER, MATCH_LAYER
from models.training import forward
from models.training.packing import Packed
from models.training.patches import COLUMNS

SIGNS: Final = (COLUMNS["tens"], COLUMNS["ones"])
LINE_HEAD: Final = 0
MATCH_HEADS: Final = (0, 1, 2)
ANSWER_LAYER: Final = 5
ANSWER_HEAD: Final = 2
SECOND_HEAD: Final = 1  # looks at the words only once the first sign is said


class SignProbes(nn.Module):
    """Read a mark's two signs off what a layer leaves at a token; not saved with the model."""

    def __init__(self) -> None:
        """One linear classifier after each of the two table layers."""
        super().__init__()
        self.line = nn.Linear(WIDTH, sum(SIGNS))
        self.match = nn.Linear(WIDTH, sum(SIGNS))

    def loss(self, probe: nn.Linear, states: Tensor, classes: Tensor) -> Tensor:
        """Mean cross entropy of both signs; states (N, width), classes (N, 2)."""
        tens, ones = probe(functional.rms_norm(states, (WIDTH,))).float().split(SIGNS, dim=-1)
        return functional.cross_entropy(tens, classes[:, 0]) + functional.cross_entropy(ones, classes[:, 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupLoss:
    """The five parts, each a mean over the tokens it is about."""

    line_look: Tensor
    line_sign: Tensor
    match_look: Tensor
    match_sign: Tensor
    answer_look: Tensor

    def total(self) -> Tensor:
        """Looks count a third: they show the way, the signs are what is wanted."""
        return (self.line_look + self.match_look + self.answer_look) / 3 + (self.line_sign + self.match_sign) / 2


def alike(tokenizer: Tokenizer) -> Tensor:
    """(V,) int64: tokens that differ only in case or in a blank before them share a number; 0 without letter or digit."""
    texts = [tokenizer.decode([token]).strip().lower() for token in range(len(tokenizer))]
    numbers: dict[str, int] = {}
    return torch.tensor(
        [numbers.setdefault(text, len(numbers) + 1) if any(map(str.isalnum, text)) else 0 for text in texts]
    )


def recording() -> None:
    """Ask for the attention of the layers that look things up in the next forward pass."""
    forward.recorded.update({layer: torch.empty(0) for layer in (LINE_LAYER, MATCH_LAYER, ANSWER_LAYER)})


def lookup_loss(batch: Packed, states: Sequence[Tensor], probes: SignProbes, same: Tensor) -> LookupLoss:
    """The losses of a batch of tables, from the recorded attention and what entered the layers; forgets the record."""
    lines, line_signs = batch.line_looks, batch.line_signs
    own = lines[:, 1] > line_signs[:, 0]  # the id's own tokens need not look, and the first cannot
    lines, line_signs = lines[own], line_signs[own]
    look = forward.recorded[LINE_LAYER][lines[:, 0], LINE_HEAD, lines[:, 1], line_signs[:, 0]]
    after_line = states[LINE_LAYER + 1][lines[:, 0], lines[:, 1]]
    phrases, inside = _matches(batch, same)
    spread = forward.recorded[MATCH_LAYER][phrases[:, 0], :, phrases[:, 1]].float()  # (P, heads, L)
    found = (spread[:, list(MATCH_HEADS)] * inside[:, None]).sum(-1)
    after_match = states[MATCH_LAYER + 1][phrases[:, 0], phrases[:, 1]]
    gathered = _gathered(batch, phrases)
    forward.recorded.clear()
    return LookupLoss(
        line_look=-(look.float() + 1e-4).log().mean(),
        line_sign=probes.loss(probes.line, after_line, line_signs[:, 1:]),
        match_look=-(found + 1e-4).log().mean(),
        match_sign=probes.loss(probes.match, after_match, phrases[:, 4:6]),
        answer_look=-(gathered + 1e-4).log().mean(),
    )


def _gathered(batch: Packed, phrases: Tensor) -> Tensor:
    """(G * 4,) how much of the answer's attention is where it should be, before each sign of the id, for both heads."""
    count, length = int(batch.phrase_looks[:, 6].max()) + 1, batch.ids.shape[1]
    words = torch.zeros(count, length, device=phrases.device)
    words[phrases[:, 6], phrases[:, 1]] = 1.0
    place = torch.zeros(count, 2, dtype=torch.int64, device=phrases.device)
    place[phrases[:, 6]] = phrases[:, [0, 7]]
    found = words.any(1)
    place, words = place[found], words[found]
    start = torch.zeros_like(words)
    start[:, 0] = 1.0
    shares = forward.recorded[ANSWER_LAYER]
    wanted = ((ANSWER_HEAD, 0, words), (ANSWER_HEAD, 1, words), (SECOND_HEAD, 0, start), (SECOND_HEAD, 1, words))
    return torch.cat(
        [(shares[place[:, 0], head, place[:, 1] + step].float() * where).sum(1) for head, step, where in wanted]
    )


def _matches(batch: Packed, same: Tensor) -> tuple[Tensor, Tensor]:
    """The phrase tokens that their line holds, (P, 8), and where it does, (P, L)."""
    phrases = batch.phrase_looks
    words = same[batch.ids]
    at = torch.arange(batch.ids.shape[1], device=batch.ids.device)
    inside = (at >= phrases[:, 2:3]) & (at < phrases[:, 3:4])
    inside = inside & (words[phrases[:, 0]] == words[phrases[:, 0], phrases[:, 1]][:, None])
    held = inside.any(1) & (words[phrases[:, 0], phrases[:, 1]] > 0)
    return phrases[held], inside[held]
