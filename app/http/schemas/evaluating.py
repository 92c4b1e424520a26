"""How an evaluation is ordered: which models, which benchmarks, asked in which ways."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.http.schemas.free_form import NotTooDeep
from app.http.schemas.images import Strict
from models.evaluation.scores import BENCHMARKS
from models.evaluation.self_annotated import Notes

ModelName = Annotated[str, Field(min_length=1, max_length=200)]
BenchmarkName = Annotated[str, Field(json_schema_extra={"enum": list(BENCHMARKS)})]


class EvaluationMarksIn(Strict):
    """How pictures are marked where the model is asked with tags."""

    segmenter: Annotated[str, Field(max_length=50)] = "auto"
    granularity: Annotated[int, Field(ge=1, le=6)] | None = None
    style: Annotated[str, Field(max_length=50)] | Annotated[dict[str, Any], NotTooDeep] = "markwise"
    max_marks: Annotated[int, Field(ge=1, le=999)] | None = None
    golden: bool = Field(default=True, description="mark the regions that questions bring with them, where they do")


class EvaluationIn(Strict):
    """`POST /v1/evaluations`: measure models by benchmarks, with marks and without.

    `model` and `benchmark` order one, `models` and `benchmarks` several. Every combination is one evaluation; with tags, one
    for each of `marks`.
    """

    benchmark: BenchmarkName | None = None
    benchmarks: Annotated[list[BenchmarkName], Field(min_length=1, max_length=20)] | None = None
    model: ModelName | None = None
    models: Annotated[list[ModelName], Field(min_length=1, max_length=20)] | None = None
    tags: Annotated[list[bool], Field(min_length=1, max_length=2)] | bool = True
    marks: Annotated[list[EvaluationMarksIn], Field(min_length=1, max_length=20)] | None = None
    choose: Literal["text", "likelihood"] | None = None
    decide: Literal["model", "both", "ranker"] = "model"
    judge: ModelName | None = Field(
        default=None, description="grades open answers: a model of MARKWISE_TEACHERS or /v1/models"
    )
    notes: Notes | None = Field(
        default=None, description="the model writes down what it sees before it is asked about the whole picture"
    )
    dataset_id: Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{36}$")] | None = None
    n: Annotated[int, Field(ge=1, le=100_000)] | None = None
    seed: Annotated[int, Field(ge=0, le=10_000)] = 0

    @model_validator(mode="after")
    def _meant(self) -> "EvaluationIn":
        for one, several in (("benchmark", self.benchmarks), ("model", self.models)):
            if getattr(self, one) is not None and several is not None:
                raise ValueError(f"give `{one}` or `{one}s`, not both")
        return self

    def order(self) -> dict[str, Any]:
        """Return the order as the job keeps it: everything in the plural, nothing twice."""
        body = self.model_dump(mode="json", exclude={"benchmark", "model", "tags"})
        return body | {
            "benchmarks": list(dict.fromkeys(self.benchmarks or [self.benchmark or "listing"])),
            "models": list(dict.fromkeys(self.models)) if self.models else [self.model],
            "tags": list(dict.fromkeys(self.tags if isinstance(self.tags, list) else [self.tags])),
            "marks": body["marks"] or [EvaluationMarksIn().model_dump(mode="json")],
        }
