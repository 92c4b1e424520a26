"""The named recipes: the numbers with which the papers trained, each a frozen value that a test holds to the digit.

Read by the trainer, the command line and the HTTP API, so it must not load torch. It knows numbers, not how they are used.
Sources: LLaVA-1.5's published fine-tuning scripts; SoM-LLaVA (arXiv 2404.16375, A.1); SVIT (arXiv 2307.04087, 5.1).
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from models.errors import BadInput

# The sentence that every LLaVA-1.5 conversation of the template vicuna_v1 begins with: a checkpoint answers worse without it.
VICUNA_SYSTEM: Final = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
Template = Literal["vicuna_v1", "tiny"]
Schedule = Literal["cosine", "hold"]
Precision = Literal["bf16", "fp32"]
SYSTEM_OF: Final[dict[Template, str]] = {"vicuna_v1": VICUNA_SYSTEM, "tiny": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One way to instruction-tune a LLaVA.

    `learning_rate` is the peak for what trains besides the projector, which has `projector_rate` of its own. LoRA covers
    every linear layer of the language half but the head (`lora_rank` 0: all its weights train); the vision tower is frozen.
    `per_device_batch` x accumulation x processes = `global_batch` samples; `published_world` says on how many devices the
    source did it. `row_tokens` bounds a packed row: memory, never the result. `start` names what the source started from.
    `template` is for checkpoints of others: a model of our own keeps the template it was taught with.
    """

    name: str
    purpose: str
    start: str
    learning_rate: float
    projector_rate: float
    global_batch: int
    per_device_batch: int
    published_world: int
    lora_rank: int = 0
    lora_alpha: int = 0
    lora_dropout: float = 0.0
    trains_projector: bool = True
    epochs: int = 1
    schedule: Schedule = "cosine"
    warmup_ratio: float = 0.03
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip_norm: float = 1.0
    precision: Precision = "bf16"
    gradient_checkpointing: bool = True
    max_tokens: int = 2048
    row_tokens: int = 16_384
    template: Template = "vicuna_v1"

    def accumulation(self, world: int) -> int:
        """How many batches of `per_device_batch` a process adds up for a step; raises BadInput where they do not fit."""
        if world < 1 or self.global_batch % (world * self.per_device_batch):
            raise BadInput(
                f"a batch of {self.global_batch} cannot be shared out among {world} processes in batches of "
                f"{self.per_device_batch}; choose a batch_size or per_device_batch that divides it"
            )
        return self.global_batch // (world * self.per_device_batch)

    def steps(self, records: int) -> int:
        """Optimiser steps of the whole run; the last batch of an epoch is filled from the next."""
        return max(1, -(-self.epochs * records // self.global_batch))


_FULL: Final = Recipe(
    name="llava-1.5-full",
    purpose="LLaVA-1.5's instruction tuning of projector and language model",
    start="vicuna-13b-v1.5 with the pretrained projector",
    learning_rate=2e-5, projector_rate=2e-5, global_batch=128, per_device_batch=16, published_world=8,
)  # fmt: skip
_LORA: Final = replace(
    _FULL,
    name="llava-1.5-lora",
    purpose="the same with LoRA on the language model; the projector trains in full",
    learning_rate=2e-4, projector_rate=2e-5, lora_rank=128, lora_alpha=256, lora_dropout=0.05,
)  # fmt: skip
_TASK_START: Final = "llava-v1.5-13b, already instruction-tuned"
# What `finetune` learns with if nobody says: small data, a small model, minutes on one core.
_SMALL: Final = Recipe(
    name="finetune",
    purpose="small data on any LLaVA; all weights but the vision tower, or a LoRA adapter of rank 16 where one is asked for",
    start="any LLaVA checkpoint; the built-in one by default",
    learning_rate=2e-4, projector_rate=2e-4, global_batch=8, per_device_batch=8, published_world=1, epochs=3,
    schedule="hold", weight_decay=0.05, betas=(0.9, 0.98), gradient_checkpointing=False, max_tokens=1024,
    row_tokens=4096,
)  # fmt: skip

_ALL: Final = (
    _SMALL,
    _FULL,
    _LORA,
    replace(_FULL, name="llava-1.5-task-full", purpose="LLaVA-1.5 taught a task of one's own", start=_TASK_START),
    replace(_LORA, name="llava-1.5-task-lora", purpose="the same with LoRA", start=_TASK_START),
    replace(_FULL, name="svit-full", purpose="LLaVA-1.5 on SVIT-mix-665K (dataset recipe svit-mix-665k)"),
    replace(_LORA, name="svit-lora", purpose="the same with LoRA, as published beside the full run"),
    replace(_FULL, name="som-llava-13b", purpose="SoM-LLaVA on the 695K mixture (dataset recipe som-llava-695k)"),
    replace(
        _FULL,
        name="som-llava-7b",
        purpose="SoM-LLaVA 7B, which was trained with half the batch",
        start="vicuna-7b-v1.5 with the pretrained projector",
        global_batch=64,
        published_world=4,
    ),
)
RECIPES: Final = {recipe.name: recipe for recipe in _ALL}


def recipe_of(name: str) -> Recipe:
    """The recipe called `name`; raises BadInput that lists all."""
    if name not in RECIPES:
        raise BadInput(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
