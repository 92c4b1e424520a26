"""The stages in which the tiny model learns from drawings, each a loss and the weights it trains.

`vision`: patches say what they show. `language`: the tasks, on pretend pictures and mark tables. `bridge`: the
projector learns to turn real patches into those pretend tokens. `joint`: everything on real pictures. `looks` and `tables`: mark tables. The first two
need nothing of each other and can run side by side. The loop that drives them is in `loop`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import LlavaForConditionalGeneration
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.drawings import words
from models.tiny.config import WIDTH, build_model
from models.tiny.dense import PatchHeads, PatchWords
from models.tiny.init_language import init_language
from models.tiny.init_vision import init_vision
from models.tiny.tokenizer import build_tokenizer
from models.training import forward
from models.training.packing import Example, Packed, Packer
from models.training.patches import COLUMNS, LAST_SIGNS
from models.training.pool import Item, Pool, open_pool
from models.training.segments import Scene, fresh_texts, random_rows, scene_segments, table_segments
from models.vlm.prompts import mark_table

TRAIN_SCENES: Final = 16_000
TRAIN_SCREENS: Final = 2_500
DENSE_SHARE: Final = 1.0
ALIGN_SHARE: Final = 0.3
NOISE: Final = 0.25
WORD_RATE: Final = 0.2
SCREEN_STEPS: Final = 0.3
LOOK_SHARE: Final = 0.3
TABLE_STEPS: Final = 0.5  # share of joint steps that add tables alone instead of whole screens
PATCH_DROP: Final = 0.1
KEPT_PATCHES: Final = 72
# The texts that classes 1, 2, ... of each label column stand for; tens and tags mean no word of an answer by themselves.
COLUMN_WORDS: Final = (
    (),
    tuple(LAST_SIGNS),
    tuple(f" {kind}" for kind in words.KINDS),
    tuple(f" {color}" for color in words.COLORS),
    (),
    (),
)


class Tiny(nn.Module):
    """The model and what only training needs, as one tree of named weights."""

    def __init__(self, seed: int, dtype: torch.dtype = torch.bfloat16) -> None:
        """Build everything untrained; the same seed gives the same weights on every rank."""
        super().__init__()
        self.tokenizer: Tokenizer = build_tokenizer()
        self.llava: LlavaForConditionalGeneration = build_model(self.tokenizer, seed)
        init_vision(self.llava.model.vision_tower, seed)
        self.heads = PatchHeads(WIDTH, COLUMNS)
        self.words = PatchWords(WIDTH, COLUMNS)
        init_language(self.llava.model.language_model, self.words, self.tokenizer, COLUMN_WORDS, seed)
        with torch.no_grad():
            self.llava.lm_head.weight.copy_(self.llava.model.language_model.embed_tokens.weight)
        forward.use_fast_attention(self.llava)
        self.to(dtype)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one step measured: the loss to descend, tokens read, and numbers worth a line."""

    loss: Tensor
    tokens: int
    values: dict[str, float] = field(default_factory=dict)
    exact: dict[str, tuple[int, int]] = field(default_factory=dict)


ModelT_contra = TypeVar("ModelT_contra", bound=nn.Module, contravariant=True)


class Stage(Protocol[ModelT_contra]):
    """A loss over the weights of a model, in several parts."""

    name: str
    peak_rate: float
    hold_until: float

    def scale_of(self, name: str) -> float:
        """Learning-rate factor of a weight; 0 freezes it."""

    def losses(self, model: ModelT_contra, /, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """The losses of one step, to be descended together; one at a time, so that their graphs need not coexist."""


@dataclass(slots=True, kw_only=True)
class Pictures:
    """The pools on disk, opened once per process."""

    scenes: Pool
    screens: Pool

    @classmethod
    def open(cls, folder: Path, processes: int, times: int = 1) -> "Pictures":
        """Open the training pools, `times` as large as usual, drawing them if this is the first use."""
        return cls(
            scenes=open_pool(folder, "scene", times * TRAIN_SCENES, 0, processes),
            screens=open_pool(folder, "screen", times * TRAIN_SCREENS, 0, processes),
        )


def take(pool: Pool, rng: Random, count: int) -> tuple[Tensor, Tensor, list[Item]]:
    """`count` random pictures of a pool: images (B, 224, 224, 3) uint8, labels (B, 196, columns) int64, items."""
    chosen = [rng.randrange(len(pool)) for _ in range(count)]
    images = torch.from_numpy(np.stack([pool.images[i] for i in chosen]))
    labels = torch.from_numpy(np.stack([pool.labels[i] for i in chosen])).long()
    return images, labels, [pool.items[i] for i in chosen]


def thinned(labels: Tensor, count: int) -> Tensor:
    """(B, 196, columns) -> (B, count) indices of the patches to keep, in order: objects' first, then background.

    A pretend picture is mostly background, and a third of an object's patches say the same as all of them.
    """
    covered = (labels[..., 0] > 0) & (torch.rand(labels.shape[:2]) > PATCH_DROP)
    urgency = covered.float() * 0.6 + torch.rand(labels.shape[:2])
    return urgency.topk(count, dim=1).indices.sort(dim=1).values


def scene_batch(
    packer: Packer,
    items: list[Item],
    rng: Random,
    kept: Tensor | None = None,
    *,
    yes_no: int = 1,
    dotless: float = 0.0,
) -> Packed:
    """Scenes as one batch of listing and question segments, worded by `scene_segments`; `kept` (B, K) thins the pictures."""
    patches = [None] * len(items) if kept is None else kept.tolist()
    examples = [
        Example(
            table="",
            segments=scene_segments(Scene(ids=item.ids, names=item.names), rng, yes_no=yes_no, dotless=dotless),
            patches=some,
        )
        for item, some in zip(items, patches, strict=True)
    ]
    return packer.pack(examples, dtype=torch.bfloat16)


def table_batch(packer: Packer, rng: Random, count: int) -> Packed:
    """`count` mark tables nobody drew, without pictures; now and then two long ones instead."""
    long = rng.random() < 0.06
    examples = []
    for _ in range(2 if long else count):
        rows = random_rows(rng, rng.randint(17, 60) if long else rng.randint(2, 14))
        examples.append(Example(table=mark_table(rows), segments=table_segments(rows, rng), picture=False))
    return packer.pack(examples, dtype=torch.bfloat16)


def screen_batch(packer: Packer, items: list[Item], rng: Random) -> Packed:
    """Screens with their pictures and mark tables; the texts are new every time."""
    examples = []
    for item in items:
        rows = fresh_texts(item.rows, rng)
        examples.append(Example(table=mark_table(rows), segments=table_segments(rows, rng)))
    return packer.pack(examples, dtype=torch.bfloat16)


class VisionStage:
    """Dense warm-up of the vision tower."""

    name = "vision"
    peak_rate = 1e-3
    hold_until = 0.6

    def __init__(self, pictures: Pictures, batch: int = 12) -> None:
        """Keep the pools."""
        self.pictures, self.batch = pictures, batch

    def scale_of(self, name: str) -> float:
        """Only the tower and the heads train."""
        return 1.0 if "vision_tower" in name or name.startswith("heads.") else 0.0

    def losses(self, tiny: Tiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Cross entropy of every patch's labels."""
        images, labels, _ = take(self.pictures.scenes, rng, self.batch)
        features = forward.see(tiny.llava, images)
        values = tiny.heads.accuracy(features, labels) if measure else {}
        yield Outcome(
            loss=tiny.heads.loss(features, labels), tokens=features.shape[0] * features.shape[1], values=values
        )


class LanguageStage:
    """The tasks without pixels: pretend pictures made of their labels, and mark tables nobody drew."""

    name = "language"
    peak_rate = 1e-3
    hold_until = 0.6

    def __init__(self, pictures: Pictures, packer: Packer, batch: int = 8, tables: int = 6) -> None:
        """`batch` scenes and `tables` tables per step."""
        self.pictures, self.packer, self.batch, self.tables = pictures, packer, batch, tables

    def scale_of(self, name: str) -> float:
        """The language model and the pretend words train; words move slowly, or the matches they start with are lost."""
        if "embed_tokens" in name or name.startswith("words."):
            return WORD_RATE
        return 1.0 if "language_model" in name or "lm_head" in name else 0.0

    def losses(self, tiny: Tiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Answer loss on thinned pretend pictures, then on tables."""
        _, labels, items = take(self.pictures.scenes, rng, self.batch)
        kept = thinned(labels, KEPT_PATCHES)
        packed = scene_batch(self.packer, items, rng, kept)
        picture = tiny.words(labels.gather(1, kept[..., None].expand(-1, -1, labels.shape[-1])))
        picture = picture + torch.randn_like(picture) * NOISE * picture.detach().float().std().to(picture.dtype)
        yield answered(tiny, packed, picture, 0.5, measure=measure)
        yield answered(tiny, table_batch(self.packer, rng, self.tables), None, 0.5, measure=measure)


class BridgeStage:
    """The projector learns to say what the pretend words say; the tower stays as it is."""

    name = "bridge"
    peak_rate = 2e-3
    hold_until = 0.45

    def __init__(self, pictures: Pictures, batch: int = 24) -> None:
        """Keep the pools."""
        self.pictures, self.batch = pictures, batch

    def scale_of(self, name: str) -> float:
        """Only the projector trains."""
        return 1.0 if "multi_modal_projector" in name else 0.0

    def losses(self, tiny: Tiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Squared error to the pretend tokens."""
        images, labels, _ = take(self.pictures.scenes, rng, self.batch)
        with torch.no_grad():
            features = forward.see(tiny.llava, images)
        loss = align_loss(tiny, features, labels)
        yield Outcome(loss=loss, tokens=features.shape[0] * features.shape[1])


class JointStage:
    """Everything on real pictures: answers, patch labels, and a pull towards the pretend tokens."""

    name = "joint"
    peak_rate = 6e-4
    hold_until = 0.35

    def __init__(self, pictures: Pictures, packer: Packer, batch: int = 8, screens: int = 2) -> None:
        """`batch` scenes and `screens` interface screens per step."""
        self.pictures, self.packer, self.batch, self.screens = pictures, packer, batch, screens

    def scale_of(self, name: str) -> float:
        """The tower keeps the full rate: at a fifth of it, it stopped learning (dense loss .17 for 600 steps)."""
        if name.startswith("words."):
            return 0.0
        if "embed_tokens" in name:
            return WORD_RATE
        return 1.0

    def losses(self, tiny: Tiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Scenes with all three losses, scenes with patch labels only (seeing is the bottleneck), then screens or tables."""
        images, labels, items = take(self.pictures.scenes, rng, self.batch)
        features = forward.see(tiny.llava, images)
        outcome = answered(
            tiny,
            scene_batch(self.packer, items, rng),
            tiny.llava.model.multi_modal_projector(features),
            1.0,
            measure=measure,
        )
        dense, align = tiny.heads.loss(features, labels), align_loss(tiny, features, labels)
        outcome.loss = outcome.loss + DENSE_SHARE * dense + ALIGN_SHARE * align
        outcome.values = {"dense": float(dense.detach()), "align": float(align.detach())}
        yield outcome
        images, labels, _ = take(self.pictures.scenes, rng, 2 * self.batch)
        dense = tiny.heads.loss(forward.see(tiny.llava, images), labels)
        yield Outcome(loss=DENSE_SHARE * dense, tokens=labels.shape[0] * labels.shape[1])
        if rng.random() < TABLE_STEPS:
            yield answered(tiny, table_batch(self.packer, rng, 2 * self.screens), None, 0.5, measure=measure)
        else:
            images, _, items = take(self.pictures.screens, rng, self.screens)
            picture = tiny.llava.model.multi_modal_projector(forward.see(tiny.llava, images))
            yield answered(tiny, screen_batch(self.packer, items, rng), picture, 0.5, measure=measure)


class TableStage:
    """Mark tables, with the tower at rest; scenes go on beside them, so that nothing is unlearnt.

    From answers alone the tables stayed at chance for 2,000 steps. So two heads that the scenes hardly use (found by
    taking out each head in turn) are told where to look: from a line to its id, from a question to its line. Run twice:
    as `looks`, and as `tables` after `graft` has given the two heads something to carry.
    """

    peak_rate = 8e-4
    hold_until = 0.45
    line_head = (1, 2)
    mark_head = (2, 1)

    def __init__(self, name: str, pictures: Pictures, packer: Packer, batch: int = 6, tables: int = 8) -> None:
        """`batch` scenes and `tables` tables (or a quarter as many screens) per step."""
        self.name = name
        self.pictures, self.packer, self.batch, self.tables = pictures, packer, batch, tables

    def scale_of(self, name: str) -> float:
        """Only the language model trains."""
        if "embed_tokens" in name:
            return WORD_RATE
        return 1.0 if "language_model" in name or "lm_head" in name else 0.0

    def losses(self, tiny: Tiny, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """Scenes, then tables or screens with the two heads' looks."""
        images, _, items = take(self.pictures.scenes, rng, self.batch)
        yield answered(tiny, scene_batch(self.packer, items, rng), self._seen(tiny, images), 0.5, measure=measure)
        picture = None
        if rng.random() < SCREEN_STEPS:
            images, _, items = take(self.pictures.screens, rng, self.tables // 4)
            packed, picture = screen_batch(self.packer, items, rng), self._seen(tiny, images)
        else:
            packed = table_batch(self.packer, rng, self.tables)
        forward.recorded.update({layer: torch.empty(0) for layer, _ in (self.line_head, self.mark_head)})
        outcome = answered(tiny, packed, picture, 1.0, measure=measure)
        looks = forward.look_loss(packed, self.line_head, self.mark_head)
        forward.recorded.clear()
        outcome.loss = outcome.loss + LOOK_SHARE * looks
        outcome.values = {"looks": float(looks.detach())}
        yield outcome

    def _seen(self, tiny: Tiny, images: Tensor) -> Tensor:
        with torch.no_grad():
            picture: Tensor = tiny.llava.model.multi_modal_projector(forward.see(tiny.llava, images))
        return picture


def align_loss(tiny: Tiny, features: Tensor, labels: Tensor) -> Tensor:
    """Squared error between projected patches and pretend tokens, relative to their spread; background counts less."""
    labels = labels.to(features.device)
    wanted = tiny.words(labels).detach().float()
    got = tiny.llava.model.multi_modal_projector(features).float()
    weight = torch.where(labels[..., 0] > 0, 1.0, 0.15)
    error = (functional.mse_loss(got, wanted, reduction="none").mean(-1) * weight).sum() / weight.sum()
    return error / wanted.var()


def answered(tiny: Tiny, packed: Packed, picture: Tensor | None, share: float, *, measure: bool) -> Outcome:
    """The answer loss of a batch, counted `share`; `picture` as `forward.answer_logits` takes it."""
    packed = packed.to(tiny.llava.device)
    logits = forward.answer_logits(tiny.llava, packed, picture)
    exact = forward.exact_share(logits, packed) if measure else {}
    return Outcome(loss=share * forward.answer_loss(logits, packed), tokens=packed.ids.numel(), exact=exact)


def merged(tallies: list[dict[str, tuple[int, int]]]) -> dict[str, float]:
    """Tallies of several batches as one share per task."""
    hits: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for tally in tallies:
        for task, (hit, count) in tally.items():
            hits[task][0] += hit
            hits[task][1] += count
    return {task: hit / count for task, (hit, count) in hits.items() if count}
