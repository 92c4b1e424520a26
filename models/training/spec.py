"""What a training run is asked to do, read from a JSON file and checked before anything is loaded.

Written by whoever starts the run (a person or the training job), read by `run`. Unknown fields are refused, because
a misspelt setting would otherwise train for hours with its default.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal, get_args

from models.errors import BadInput

Recipe = Literal["tiny-scratch", "finetune"]
Clock = Literal["wall", "cpu"]
# Shares of the budget per stage. The language stage names .87 after 80 steps; seeing takes most of the time.
STAGE_SHARES: Final = {"vision": 0.24, "language": 0.07, "bridge": 0.03, "joint": 0.44, "looks": 0.05, "tables": 0.17}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One run. `budget_s` and `steps` exclude each other; with neither, a recipe's own default applies.

    `clock` says what seconds of the budget are: of the wall, or of this process's CPU time; the recipe's own without.
    `base` is a checkpoint folder, `dataset` a LLaVA JSON file and `images` the folder its pictures lie in (finetune).
    `stages` limits tiny-scratch to some of its stages; `pool` is where its drawings are kept.
    """

    recipe: Recipe
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
    max_tokens: int = 1024
    max_broken_share: float = 0.05
    checkpoint_every_s: float = 180.0
    stages: tuple[str, ...] = tuple(STAGE_SHARES)
    pool: str | None = None
    processes: int = 1
    held_out: str | None = None

    def __post_init__(self) -> None:
        """Raise BadInput on values that no run can have."""
        if self.recipe not in get_args(Recipe):
            raise BadInput(f"recipe must be one of {', '.join(get_args(Recipe))}; got {self.recipe!r}")
        if self.steps is not None and self.budget_s is not None:
            raise BadInput("give steps or budget_s, not both")
        if self.clock is not None and self.clock not in get_args(Clock):
            raise BadInput(f"clock must be one of {', '.join(get_args(Clock))}; got {self.clock!r}")
        if self.recipe == "finetune" and not (self.base and self.dataset and self.images):
            raise BadInput("finetune needs base, dataset and images")
        unknown = set(self.stages) - set(STAGE_SHARES)
        if unknown:
            raise BadInput(f"there is no stage {', '.join(sorted(unknown))}; there are {', '.join(STAGE_SHARES)}")
        for name in ("steps", "budget_s", "batch_size", "learning_rate"):
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
    if "stages" in given:
        given["stages"] = tuple(given["stages"])
    try:
        return Spec(**given)
    except TypeError as error:
        raise BadInput("the spec lacks recipe or has a field of the wrong type") from error
