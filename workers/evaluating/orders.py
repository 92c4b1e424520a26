"""What an evaluation was ordered to do: its cells, one per model, benchmark and way of asking. Values only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from models.evaluation.runs.marked import Choosing
from models.evaluation.runs.tasks import TASKS
from models.evaluation.self_annotated import Notes
from models.grounding import Decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How pictures are marked in the cells with tags."""

    segmenter: str = "auto"
    granularity: int | None = None
    style: str | Mapping[str, Any] = "markwise"
    max_marks: int | None = None
    golden: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One model asked one benchmark in one way; `marks` None means without tags."""

    number: int
    model: str | None
    benchmark: str
    marks: Marks | None
    choosing: Choosing
    decide: Decide
    notes: Notes | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What distinguishes the cell, as the catalog keeps it."""
        return {
            "tags": None if self.marks is None else asdict(self.marks),
            "choose": self.choosing,
            "decide": self.decide,
            # Only where there are any: the gate compares settings, also with those of evaluations from before notes.
            **({} if self.notes is None else {"notes": self.notes}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A whole order; `n` None means all questions of a benchmark's files, and as many drawings as drawn ones have."""

    models: tuple[str | None, ...]
    benchmarks: tuple[str, ...]
    tags: tuple[bool, ...]
    marks: tuple[Marks, ...]
    choose: Choosing | None = None
    decide: Decide = "model"
    judge: str | None = None
    notes: Notes | None = None
    dataset_id: UUID | None = None
    n: int | None = None
    seed: int = 0

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """Read a job's payload; those that the release before wrote name one model and one benchmark."""
        return cls(
            models=tuple(body.get("models") or [body.get("model")]),
            benchmarks=tuple(body.get("benchmarks") or [body["benchmark"]]),
            tags=tuple(body.get("tags") or [True]),
            marks=tuple(Marks(**one) for one in body.get("marks") or [{}]),
            choose=body.get("choose"),
            decide=body.get("decide") or "model",
            judge=body.get("judge"),
            notes=body.get("notes"),
            dataset_id=None if body.get("dataset_id") is None else UUID(body["dataset_id"]),
            n=body.get("n"),
            seed=body.get("seed", 0),
        )

    def cells(self) -> list[Cell]:
        """Return the cells in their order: model by model, so that each is loaded once."""
        ways = [(tags, marks) for tags in self.tags for marks in (self.marks if tags else (None,))]
        combined = [
            (model, benchmark, marks) for model in self.models for benchmark in self.benchmarks for _, marks in ways
        ]
        return [
            Cell(
                number=number,
                model=model,
                benchmark=benchmark,
                marks=marks,
                choosing=self.choose or usual_choosing(benchmark),
                decide=self.decide,
                notes=self.notes,
            )
            for number, (model, benchmark, marks) in enumerate(combined)
        ]


def usual_choosing(benchmark: str) -> Choosing:
    """Return how a benchmark is answered unless the order says: marks are chosen, all else is said."""
    chosen = benchmark in TASKS and benchmark != "listing"
    return "likelihood" if chosen else "text"
