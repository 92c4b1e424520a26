"""How a request chooses images, labels them, and orders training; keys and deployments."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.http.schemas.images import Label, Strict

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


KeyScope = Literal["mark", "ground", "jobs", "admin"]


def _usual_scopes() -> list[KeyScope]:
    return ["mark", "ground", "jobs"]


class ImagesIn(Strict):
    """Which images a job works on."""

    label: Label | None = None
    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=100_000)
    import_: UUID | None = Field(default=None, alias="import", description="the images of an import, by its job")

    @model_validator(mode="after")
    def _one(self) -> "ImagesIn":
        if sum(given is not None for given in (self.label, self.ids, self.import_)) != 1:
            raise ValueError("give exactly one of `label`, `ids` and `import`")
        return self


class RelabelIn(Strict):
    """`PATCH /v1/images`: labels that images get and lose."""

    images: ImagesIn
    add_labels: list[Label] = Field(default_factory=list, max_length=50)
    remove_labels: list[Label] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _some(self) -> "RelabelIn":
        if not self.add_labels and not self.remove_labels:
            raise ValueError("give `add_labels`, `remove_labels` or both")
        if both := sorted(set(self.add_labels) & set(self.remove_labels)):
            raise ValueError(f"the label `{both[0]}` is in `add_labels` and in `remove_labels`")
        return self


class TrainingIn(Strict):
    """`POST /v1/trainings`: teach a model; a recipe that draws its own data needs no dataset.

    What is left out is as the recipe has it. The recipe `finder` teaches what `POST /v1/findings` searches with; it takes
    `steps` (150) and `seed`.
    """

    name: Name = "som-llava"
    recipe: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,50}$")] = "finetune"
    dataset_id: UUID | None = None
    base: Annotated[str, Field(max_length=500)] = "som-llava-tiny"
    steps: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    budget_s: Annotated[float, Field(gt=0, le=2_592_000)] | None = None
    clock: Literal["wall", "cpu"] | None = None
    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    lora: bool = Field(default=False, description="an adapter with `finetune`, which otherwise trains all weights")
    lora_rank: (
        Annotated[int, Field(ge=1, le=1024, description="of the adapter; a LoRA recipe's own or 16 without")] | None
    ) = None
    max_tokens: Annotated[int, Field(ge=16, le=131_072, description="longer conversations are cut")] | None = None
    precision: Literal["bf16", "fp32"] | None = None
    gradient_checkpointing: Annotated[bool, Field(description="less memory, more time")] | None = None
    seed: int = 0
    licence: (
        Annotated[
            str, Field(max_length=2000, description="a note kept with the model: what its weights may be used for")
        ]
        | None
    ) = None


class GateRuleIn(Strict):
    """A metric on which the new model must not be worse than the one that answers now."""

    benchmark: Annotated[str, Field(max_length=100)]
    metric: Annotated[str, Field(max_length=200, description="as evaluations show it; `a.b` inside another")]
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    lower_is_better: bool = False


class DeployIn(Strict):
    """`POST /v1/models/deploy`: which model version answers from now on."""

    model_version_id: UUID | None = Field(description="null returns to the built-in model")
    gate: list[GateRuleIn] = Field(
        default_factory=list, max_length=20, description="compare evaluations first; 409 if one says it is worse"
    )
    force: bool = Field(default=False, description="deploy although the gate says no; the audit log keeps what it said")


Size = Annotated[int, Field(ge=0, le=2**60)]


class KeyIn(Strict):
    """`POST /v1/keys`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: list[KeyScope] = Field(default_factory=_usual_scopes, min_length=1)
    expires_in_s: Annotated[int, Field(ge=1, le=3_153_600_000, description="a hundred years at most")] | None = None
    max_images: Size | None = None
    max_bytes: Size | None = None


class KeyLimitsIn(Strict):
    """`PATCH /v1/keys/{id}`: how much may be stored through the key; null is no limit, and what is left out stays."""

    max_images: Size | None = None
    max_bytes: Size | None = None
