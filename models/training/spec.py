"""What a training run is asked to do, read from a JSON file and checked before anything is loaded.

Written by whoever starts the run (a person or the training job), read by `run`. Unknown fields are refused, because
a misspelt setting would otherwise train for hours with its default.
"""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from models.errors import BadInput
from models.finder import RECIPE as FINDER
from models.training.recipes import RECIPES, Precision, Recipe, recipe_of

FROM_SCRATCH: Final = "tiny-scratch"
DEEPER: Final = "tiny-v2"
Clock = Literal["wall", "cpu"]
# Seconds of CPU time per stage of the small model's two recipes, of which the second goes on where the first ends. The
# language stage names .87 after 80 steps; seeing takes most of the time.
_FIRST_S: Final = {
    "vision": 1728.0, "language": 504.0, "bridge": 216.0, "joint": 3168.0, "looks": 360.0, "tables": 1224.0,
}  # fmt: skip
_SECOND_S: Final = {
    "sighting": 48.0, "lookup": 720.0, "answering": 120.0, "seeing": 900.0, "varied": 1060.0, "polish": 600.0,
    "settle": 4500.0, "focus": 8000.0,
}  # fmt: skip
STAGES: Final = {FROM_SCRATCH: _FIRST_S, DEEPER: _FIRST_S | _SECOND_S}
SMALL_LORA_RATE: Final = 1e-3
_POSITIVE: Final = (
    "steps", "budget_s", "batch_size", "learning_rate", "max_tokens", "per_device_batch", "row_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One run. `budget_s` and `steps` exclude each other; with neither, a recipe's own default applies.

    `clock` says what seconds of the budget are: of the wall, or of this process's CPU time; the recipe's own without.
    `base` is a checkpoint folder (a finder starts from its vision tower), `dataset` a LLaVA JSON file and `images` the folder
    its pictures lie in (finetune).
    `batch_size`, `learning_rate` (the projector's moves with it), `max_tokens` and the next ones replace the recipe's own
    numbers where they are given. `sharded` spreads the language layers over the processes of the run.
    `curriculum` says how many records of the file each stage of a curriculum has, in their order. `retention` is a text-only LLaVA JSON file that is measured before and after.
    `stages` limits tiny-scratch or tiny-v2 to some of its stages; `pool` is where their drawings are kept.
    """

    recipe: str
    base: str | None = None
    dataset: str | None = None
    images: str | None = None
    seed: int = 0
    steps: int | None = None
    budget_s: float | None = None
    clock: Clock | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    lora_rank: int = 0
    max_tokens: int | None = None
    per_device_batch: int | None = None
    row_tokens: int | None = None
    precision: Precision | None = None
    gradient_checkpointing: bool | None = None
    retention: str | None = None
    sharded: bool = False
    curriculum: tuple[int, ...] = ()
    max_broken_share: float = 0.05
    checkpoint_every_s: float = 180.0
    stages: tuple[str, ...] = ()
    pool: str | None = None
    processes: int = 1
    held_out: str | None = None

    def __post_init__(self) -> None:
        """Raise BadInput on values that no run can have."""
        known = (*STAGES, *RECIPES, FINDER)
        if self.recipe not in known:
            raise BadInput(f"recipe must be one of {', '.join(known)}; got {self.recipe!r}")
        if self.steps is not None and self.budget_s is not None:
            raise BadInput("give steps or budget_s, not both")
        if self.clock is not None and self.clock not in get_args(Clock):
            raise BadInput(f"clock must be one of {', '.join(get_args(Clock))}; got {self.clock!r}")
        if self.recipe in RECIPES and not (self.base and self.dataset and self.images):
            raise BadInput(f"{self.recipe} needs base, dataset and images")
        if self.precision is not None and self.precision not in get_args(Precision):
            raise BadInput(f"precision must be one of {', '.join(get_args(Precision))}; got {self.precision!r}")
        stages = STAGES.get(self.recipe, _FIRST_S)
        object.__setattr__(self, "stages", self.stages or tuple(stages))
        unknown = set(self.stages) - set(stages)
        if unknown:
            raise BadInput(f"there is no stage {', '.join(sorted(unknown))}; there are {', '.join(stages)}")
        if any(size < 1 for size in self.curriculum):
            raise BadInput(f"every stage of a curriculum needs records; got {list(self.curriculum)}")
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise BadInput(f"{name} must be positive; got {value}")


def read_spec(path: Path) -> Spec:
    """The spec in a JSON file; raises BadInput when it is not an object of known fields."""
    try:
        given = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not a readable JSON file") from error
    if not isinstance(given, dict):
        raise BadInput("the spec must be a JSON object")
    unknown = set(given) - {field.name for field in fields(Spec)}
    if unknown:
        raise BadInput(f"the spec has no field {', '.join(sorted(unknown))}")
    given |= {name: tuple(given[name]) for name in ("stages", "curriculum") if name in given}
    try:
        return Spec(**given)
    except TypeError as error:
        raise BadInput("the spec lacks recipe or has a field of the wrong type") from error


def resolved(spec: Spec, world: int) -> Recipe:
    """The recipe of a run with the spec's own numbers in it, its batch shared out among `world` processes.

    Raises BadInput where the batch cannot be shared out, and where LoRA is asked of a recipe that trains all weights.
    """
    recipe = recipe_of(spec.recipe)
    given: dict[str, Any] = {
        name: getattr(spec, name)
        for name in ("max_tokens", "row_tokens", "precision", "gradient_checkpointing", "per_device_batch")
        if getattr(spec, name) is not None
    }
    if spec.lora_rank:
        given |= _with_lora(recipe, spec.lora_rank)
    recipe = replace(recipe, **given)
    if spec.learning_rate is not None:
        share = recipe.projector_rate / recipe.learning_rate
        recipe = replace(recipe, learning_rate=spec.learning_rate, projector_rate=share * spec.learning_rate)
    whole = spec.batch_size or recipe.global_batch
    if whole % world:
        raise BadInput(f"a batch of {whole} cannot be shared out among {world} processes")
    mine = whole // world
    fitting = max(size for size in range(1, min(recipe.per_device_batch, mine) + 1) if mine % size == 0)
    return replace(recipe, global_batch=whole, per_device_batch=fitting)


def _with_lora(recipe: Recipe, rank: int) -> dict[str, Any]:
    if recipe.lora_rank:
        return {"lora_rank": rank, "lora_alpha": 2 * rank}
    if recipe.name != "finetune":
        raise BadInput(f"{recipe.name} trains all weights; take its LoRA variant, or finetune")
    # The adapter alone, so that a server which holds the base can load it.
    small = {"lora_rank": rank, "lora_alpha": 2 * rank, "trains_projector": False}
    return small | {"learning_rate": SMALL_LORA_RATE, "projector_rate": SMALL_LORA_RATE}
