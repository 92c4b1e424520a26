"""The stages of tiny-v2, which go on where tiny-scratch ends.

`sighting`, `lookup`, `answering`: the language half, two layers deeper, learns mark tables step by step, and letters and
yes-no questions on pretend pictures. `seeing`: tower and projector meet other sizes, styles and letters. `varied` and
`polish`: everything together, `settle`: the same with what came last, yes-no questions and tables of texts alike, and
`focus`: pictures as the service shows them, for the sake of sight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import torch
from torch import Tensor

from models.tiny.config import IMAGE_TOKENS
from models.tiny.grow import LINE_LAYER, MATCH_LAYER, grow
from models.training import forward
from models.training.lookups import SignProbes, alike, lookup_loss, recording
from models.training.packing import Example, Packed, Packer
from models.training.pool import Item, Pool, open_pool
from models.training.stages import (
    DENSE_SHARE,
    KEPT_PATCHES,
    NOISE,
    WORD_RATE,
    Outcome,
    Pictures,
    Tiny,
    align_loss,
    answered,
    scene_batch,
    take,
    thinned,
)
from models.training.tables import random_table, table_questions
from models.vlm.prompts import mark_table

TRAIN_VARIED: Final = 12_000
TRAIN_SERVED: Final = 16_000
FIRST_SERVED: Final = 200_000  # seeds that no other pool draws
OLD_LAYER_RATE: Final = 0.4
PROBE_RATE: Final = 5.0
TOWER_RATE: Final = 0.15  # at 0.6, and without glances, what patches say got worse from .10 to .15 within 100 steps
PROJECTOR_RATE: Final = 0.3
LOOKUP_SHARE: Final = 0.3
ALIGN_SHARE: Final = 0.3
GLANCE: Final = 24  # patches of a picture that a table is mostly learnt with
YES_NO: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What differs between the stages that teach everything: rates, which share of the scenes comes from where, and what is asked.

    The peak rate is held for `hold_until` of the budget. `glances` more pictures a step, each `served`, are only seen: patch labels.
    """

    peak_rate: float
    hold_until: float = 0.15
    tower_rate: float = TOWER_RATE
    plain: float = 0.0
    served: float = 0.0
    yes_no: int = YES_NO
    glances: int = 0
    aligned: bool = True  # pulled to the pretend words


TURNS: Final = {
    "varied": Turn(peak_rate=4e-4),
    "polish": Turn(peak_rate=3e-4, plain=0.5),
    "settle": Turn(peak_rate=3e-4, hold_until=0.4, plain=0.5, yes_no=10),
    "focus": Turn(peak_rate=3e-4, hold_until=0.4, tower_rate=0.6, plain=0.17, served=0.66, glances=12, aligned=False),
}
DOTLESS: Final = 0.3


class GrownTiny(Tiny):
    """The deeper model, with the probes that its table layers are taught by; `same` numbers tokens that are alike."""

    same: Tensor

    def __init__(self, seed: int, dtype: torch.dtype = torch.bfloat16) -> None:
        """Build the small model; `deepen` makes it deeper once its weights are loaded."""
        super().__init__(seed, dtype)
        self.seed = seed
        self.register_buffer("same", alike(self.tokenizer), persistent=False)

    def deepen(self) -> None:
        """Grow the language half; answers stay what they were."""
        dtype = self.llava.dtype
        self.llava = grow(self.llava, self.tokenizer, self.seed)
        forward.use_fast_attention(self.llava)
        torch.manual_seed(self.seed)
        self.probes = SignProbes().to(dtype)


@dataclass(slots=True, kw_only=True)
class Varied:
    """The pools of the second school; `first` are those of tiny-scratch."""

    first: Pictures
    varied: Pool
    served: Pool

    @classmethod
    def open(cls, folder: Path, processes: int, times: int = 1) -> "Varied":
        """Open the pools, `times` as large as usual, drawing them if this is the first use."""
        return cls(
            first=Pictures.open(folder, processes, times),
            varied=open_pool(folder, "varied", times * TRAIN_VARIED, 0, processes),
            served=open_pool(folder, "served", times * TRAIN_SERVED, FIRST_SERVED, processes),
        )


def scenes_batch(
    packer: Packer, items: list[Item], rng: Random, kept: Tensor | None = None, *, yes_no: int = YES_NO
) -> Packed:
    """Scenes with `yes_no` questions of that kind each; `kept` (B, K) thins the pictures."""
    return scene_batch(packer, items, rng, kept, yes_no=yes_no, dotless=DOTLESS)


def tables_batch(packer: Packer, rng: Random, count: int, patches: list[list[int]] | None) -> Packed:
    """`count` tables, mostly as long as the service's shortlists; now and then one long one instead."""
    if rng.random() < 0.08:
        sizes = [rng.randint(20, 99)] + [rng.randint(20, 40)] * (count > 4)
    else:
        sizes = [rng.randint(2, 18) if rng.random() < 0.6 else 16 for _ in range(count)]
    examples = []
    for number, size in enumerate(sizes):
        table = random_table(rng, size)
        questions = table_questions(table, rng, 9)
        while not questions:
            questions = table_questions(table, rng, 9)
        shown = None if patches is None else patches[number]
        examples.append(
            Example(table=mark_table(table.rows), segments=questions, picture=patches is not None, patches=shown)
        )
    return packer.pack(examples, dtype=torch.bfloat16)


def tables_outcome(tiny: GrownTiny, packer: Packer, pool: Pool, rng: Random, count: int, *, measure: bool) -> Outcome:
    """Tables behind no picture, a glance at one, or a whole one, with the losses on how they are looked up."""
    draw = rng.random()
    kept = None if draw < 0.45 else GLANCE if draw < 0.85 else IMAGE_TOKENS
    picture, patches = None, None
    if kept is not None:
        patches = [sorted(rng.sample(range(IMAGE_TOKENS), kept)) for _ in range(count)]
        images, _, _ = take(pool, rng, max(1, count // 2))
        with torch.no_grad():
            seen = tiny.llava.model.multi_modal_projector(forward.see(tiny.llava, images))
        picture = torch.stack([seen[i % len(seen)][some] for i, some in enumerate(patches)])
    packed = tables_batch(packer, rng, count, patches)
    if picture is not None:
        picture = picture[: packed.ids.shape[0]]
    packed = packed.to(tiny.llava.device)
    recording()
    logits, states = forward.answer_logits_and_states(tiny.llava, packed, picture)
    lookups = lookup_loss(packed, states, tiny.probes, tiny.same)
    return Outcome(
        loss=forward.answer_loss(logits, packed) + LOOKUP_SHARE * lookups.total(),
        tokens=packed.ids.numel(),
        values={
            "line_look": float(lookups.line_look.detach()), "line_sign": float(lookups.line_sign.detach()),
            "match_look": float(lookups.match_look.detach()), "match_sign": float(lookups.match_sign.detach()),
            "answer_look": float(lookups.answer_look.detach()),
        },
        exact=forward.exact_share(logits, packed) if measure else {},
    )  # fmt: skip


class SightingStage:
    """Tables alone, until the heads look at the right tokens; `graft_signs` then gives them something to carry."""

    name = "sighting"
    peak_rate = 1e-3
    hold_until = 1.0

    def __init__(self, pools: Varied, packer: Packer, tables: int = 6) -> None:
        """`tables` tables per step."""
        self.pools, self.packer, self.tables = pools, packer, tables

    def scale_of(self, name: str) -> float:
        """As in `lookup`."""
        return language_rate(name)

    def losses(self, tiny: GrownTiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Tables with the losses on how they are looked up."""
        yield tables_outcome(tiny, self.packer, self.pools.first.screens, rng, self.tables, measure=measure)


def language_rate(name: str) -> float:
    """The new layers at the full rate, the rest of the language half slower; tower and projector rest."""
    if name.startswith("probes."):
        return PROBE_RATE
    if any(f"language_model.layers.{at}." in name for at in (LINE_LAYER, MATCH_LAYER)):
        return 1.0
    if "embed_tokens" in name:
        return WORD_RATE * OLD_LAYER_RATE
    return OLD_LAYER_RATE if "language_model" in name or "lm_head" in name else 0.0


class LookupStage:
    """Tables for the two new layers; scenes real and pretend beside them, so that nothing is unlearnt."""

    peak_rate = 1e-3
    hold_until = 0.5

    def __init__(
        self, name: str, pools: Varied, packer: Packer, scenes: int = 2, pretend: int = 3, tables: int = 6
    ) -> None:
        """`scenes` pictures, `pretend` pictures of labels and `tables` tables per step."""
        self.name = name
        self.pools, self.packer, self.scenes, self.pretend, self.tables = pools, packer, scenes, pretend, tables

    def scale_of(self, name: str) -> float:
        """Tower and projector rest."""
        return language_rate(name)

    def losses(self, tiny: GrownTiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Scenes as seen, scenes as told, tables."""
        images, _, items = take(self.pools.first.scenes, rng, self.scenes)
        with torch.no_grad():
            seen = tiny.llava.model.multi_modal_projector(forward.see(tiny.llava, images))
        yield answered(tiny, scenes_batch(self.packer, items, rng), seen, 0.4, measure=measure)
        _, labels, items = take(self.pools.varied, rng, self.pretend)
        kept = thinned(labels, KEPT_PATCHES)
        told = tiny.words(labels.gather(1, kept[..., None].expand(-1, -1, labels.shape[-1])))
        told = told + torch.randn_like(told) * NOISE * told.detach().float().std().to(told.dtype)
        yield answered(tiny, scenes_batch(self.packer, items, rng, kept), told, 0.4, measure=measure)
        yield tables_outcome(tiny, self.packer, self.pools.first.screens, rng, self.tables, measure=measure)


class SeeingStage:
    """Tower and projector on varied pictures: what patches show, and the pretend words they should become."""

    name = "seeing"
    peak_rate = 6e-4
    hold_until = 0.4

    def __init__(self, pools: Varied, batch: int = 12) -> None:
        """Keep the pools."""
        self.pools, self.batch = pools, batch

    def scale_of(self, name: str) -> float:
        """The language half rests."""
        return 1.0 if "vision_tower" in name or "multi_modal_projector" in name or name.startswith("heads.") else 0.0

    def losses(self, tiny: GrownTiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Patch labels and the pull towards the pretend words."""
        images, labels, _ = take(self.pools.varied, rng, self.batch)
        features = forward.see(tiny.llava, images)
        dense, align = tiny.heads.loss(features, labels), align_loss(tiny, features, labels)
        values = {"dense": float(dense.detach()), "align": float(align.detach())}
        yield Outcome(
            loss=DENSE_SHARE * dense + ALIGN_SHARE * align,
            tokens=labels.shape[0] * labels.shape[1],
            values=values | (tiny.heads.accuracy(features, labels) if measure else {}),
        )


class VariedStage:
    """Everything on varied pictures and tables, at a low rate that falls most of the time; each of `TURNS` is a stage."""

    def __init__(self, name: str, pools: Varied, packer: Packer, batch: int = 6, tables: int = 3) -> None:
        """`batch` scenes and `tables` tables per step."""
        self.name, self.turn = name, TURNS[name]
        self.peak_rate, self.hold_until = self.turn.peak_rate, self.turn.hold_until
        self.pools, self.packer, self.tables = pools, packer, tables
        plain, served = round(self.turn.plain * batch), round(self.turn.served * batch)
        shares = (pools.varied, batch - plain - served), (pools.first.scenes, plain), (pools.served, served)
        self.shares = tuple((pool, count) for pool, count in shares if count)

    def scale_of(self, name: str) -> float:
        """The pretend words rest; words move slowly, tower and projector too, lest they forget what they saw."""
        if name.startswith("words."):
            return 0.0
        if "vision_tower" in name:
            return self.turn.tower_rate
        if "multi_modal_projector" in name:
            return PROJECTOR_RATE
        return WORD_RATE if "embed_tokens" in name else 1.0

    def losses(self, tiny: GrownTiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Scenes with answers, patch labels and pretend words; glances; then tables."""
        images, labels, items = self._pictures(rng)
        features = forward.see(tiny.llava, images)
        picture = tiny.llava.model.multi_modal_projector(features)
        packed = scenes_batch(self.packer, items, rng, yes_no=self.turn.yes_no)
        outcome = answered(tiny, packed, picture, 1.0, measure=measure)
        dense = tiny.heads.loss(features, labels)
        outcome.loss = outcome.loss + DENSE_SHARE * dense
        outcome.values = {"dense": float(dense.detach())}
        if self.turn.aligned:
            align = align_loss(tiny, features, labels)
            outcome.loss = outcome.loss + ALIGN_SHARE * align
            outcome.values["align"] = float(align.detach())
        yield outcome
        if self.turn.glances:
            yield self._glances(tiny, rng, measure=measure)
        tables = tables_outcome(tiny, self.packer, self.pools.first.screens, rng, self.tables, measure=measure)
        tables.loss = 0.7 * tables.loss
        yield tables

    def _glances(self, tiny: GrownTiny, rng: Random, *, measure: bool) -> Outcome:
        images, labels, _ = take(self.pools.served, rng, self.turn.glances)
        features = forward.see(tiny.llava, images)
        dense = tiny.heads.loss(features, labels)
        values = {"glance": float(dense.detach())} | (tiny.heads.accuracy(features, labels) if measure else {})
        return Outcome(loss=DENSE_SHARE * dense, tokens=labels.shape[0] * labels.shape[1], values=values)

    def _pictures(self, rng: Random) -> tuple[Tensor, Tensor, list[Item]]:
        taken = [take(pool, rng, count) for pool, count in self.shares]
        images, labels, items = zip(*taken, strict=True)
        return torch.cat(images), torch.cat(labels), [item for some in items for item in some]
