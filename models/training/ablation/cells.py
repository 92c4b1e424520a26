"""Trains one cell: batches of an arm's mixture from the common start, by the same loop as every other training.

Every row of a batch counts alike, and within it every segment, however long its answer: listings neither drown questions nor
drown among them. Cells of a grid read the same number of tokens. The tower stays as it is, as in LLaVA's instruction tuning.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

import torch
from torch import Tensor
from transformers import AutoTokenizer, LlavaForConditionalGeneration
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.training import forward
from models.training.ablation import talk
from models.training.ablation.arms import ARMS, TAGGED, Cell, Kind
from models.training.ablation.talk import Facts
from models.training.ablation.views import Views
from models.training.events import Reporter
from models.training.loop import LoopSettings, StopFlag, run_stage
from models.training.packing import HINT_SHARE, Example, Packed, Packer
from models.training.schedule import Budget
from models.training.segments import Segment
from models.training.stages import Outcome

ROWS: Final = 12  # divides by the shares of every arm
SAMPLED_STEPS: Final = 40
WORD_RATE: Final = 0.2
TURNS: Final[dict[Kind, Callable[[Facts, Random], list[Segment]]]] = {
    "base": talk.base_turns,
    "list": talk.listing_turns,
    "qa": talk.question_turns,
    "dense": talk.dense_turns,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """A trained cell and what it took."""

    model: LlavaForConditionalGeneration
    packer: Packer
    steps: int
    tokens: int


class MixtureStage:
    """Answer loss on an arm's mixture."""

    name = "cell"
    peak_rate = 1e-3
    hold_until = 0.5

    def __init__(self, cell: Cell, views: Views, packer: Packer) -> None:
        """Keep the pictures; the first `cell.listing_pictures` of them are listed."""
        self.cell, self.views, self.packer = cell, views, packer

    def scale_of(self, name: str) -> float:
        """Projector and language half train; words move slowly, or the matches they start with are lost."""
        if "vision_tower" in name:
            return 0.0
        return WORD_RATE if "embed_tokens" in name else 1.0

    def losses(self, model: LlavaForConditionalGeneration, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """One batch."""
        packed, features = self.batch(rng)
        packed = packed.to(model.device)
        logits = forward.answer_logits(model, packed, project(model, features))
        exact = forward.exact_share(logits, packed) if measure else {}
        yield Outcome(loss=forward.answer_loss(logits, packed), tokens=tokens_of(packed), exact=exact)

    def batch(self, rng: Random) -> tuple[Packed, Tensor]:
        """ROWS rows in the arm's shares, and what the tower makes of their pictures."""
        told, chosen = [], []
        for kind, share in ARMS[self.cell.arm].items():
            pool = min(self.cell.listing_pictures, len(self.views)) if kind == "list" else len(self.views)
            for _ in range(round(share * ROWS)):
                i = rng.randrange(pool)
                turns = TURNS[kind](self.views.facts[i], rng)
                # What a hint asks for once more counts too: rows with hints must not outweigh listings, which have none.
                even = 1 / sum(1 + HINT_SHARE * (turn.hint is not None) for turn in turns)
                told.append([replace(turn, weight=even) for turn in turns])
                chosen.append((i, kind in TAGGED))
        features, kept = self.views.take(chosen, rng)
        return packed_about(self.packer, told, kept), features

    def tokens_per_step(self) -> float:
        """How many tokens a batch of this arm has in the mean."""
        rng = Random("sample")
        return sum(tokens_of(self.batch(rng)[0]) for _ in range(SAMPLED_STEPS)) / SAMPLED_STEPS


def teach(cell: Cell, start: Path, views: Views, folder: Path, reporter: Reporter, stop: StopFlag) -> Taught | None:
    """Train a cell in `folder`, going on from a checkpoint that lies there; None if stopped."""
    model, packer = open_start(start)
    stage = MixtureStage(cell, views, packer)
    mean = stage.tokens_per_step()
    budget = Budget(steps=max(1, round(cell.tokens / mean)), clock="cpu")
    settings = LoopSettings(out=folder, seed=cell.seed, warmup_steps=50)
    if not run_stage(model, stage, budget, settings, reporter, stop):
        return None
    shutil.rmtree(folder / f"stage-{stage.name}")
    return Taught(model=model.eval(), packer=packer, steps=budget.step, tokens=round(mean * budget.step))


def open_start(folder: Path) -> tuple[LlavaForConditionalGeneration, Packer]:
    """The common start in bfloat16, and a packer with its tokenizer."""
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16)
    forward.use_fast_attention(model)
    tokenizer: Tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.to("cuda" if torch.cuda.is_available() else "cpu").train(), Packer(tokenizer)


def packed_about(packer: Packer, told: Sequence[Sequence[Segment]], kept: Sequence[Sequence[int]]) -> Packed:
    """Rows of segments about pictures of which these patches are kept."""
    rows = [Example(table="", segments=some, patches=patches) for some, patches in zip(told, kept, strict=True)]
    return packer.pack(rows, dtype=torch.bfloat16)


def project(model: LlavaForConditionalGeneration, features: Tensor) -> Tensor:
    """(B, patches, width) of the tower -> (B, patches, width) of the language half."""
    projected: Tensor = model.model.multi_modal_projector(features.to(model.device, model.dtype))
    return projected


def tokens_of(packed: Packed) -> int:
    """Tokens that are not padding."""
    return int((packed.ids != 0).sum())
