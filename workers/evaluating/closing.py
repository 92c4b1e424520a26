"""What is made of the answers of an order: figures, grades, the worst with their marked pictures, and the comparison.

All of it becomes real in one transaction with the end of the job; until then nobody sees an evaluation.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.evaluations import EvaluationRepository, Grade
from models.errors import ModelError
from models.evaluation.reports import Run, categories, compare
from models.evaluation.runs.tags import Picture
from models.evaluation.scores import Matched, Sheets, benchmark
from workers.context import JobContext
from workers.evaluating.asking import tags_of
from workers.evaluating.orders import Cell, Order
from workers.evaluating.pictures import thumbnail
from workers.evaluating.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell whose questions are asked."""

    cell: Cell
    evaluation_id: UUID
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    measured: Measured
    matched: Matched[Any, Any]
    title: str
    settings: Mapping[str, Any]
    answers: tuple[Mapping[str, Any], ...]
    positions: tuple[int, ...]  # of each answer
    failed: int

    @property
    def grades(self) -> dict[int, float]:
        """How good each answer is, by its position; answers without a label have no grade."""
        grade, places = benchmark(self.measured.source.benchmark).grade, self.matched.places
        return {self.positions[places[key]]: grade(label, said) for key, label, said in self.matched.pairs}


def close(job: JobContext, order: Order, measured: Sequence[Measured], *, read: Callable[[Any], Picture]) -> None:
    """Compute everything, then commit it with the end of the job."""
    closed = [_closed(job, one, _title(order, one.cell)) for one in measured]
    sections = [
        compare(name, [_run(one) for one in closed if one.measured.source.benchmark == name])
        for name in dict.fromkeys(order.benchmarks)
    ]
    rows = {id(one): _row(sections, one) for one in closed}
    pictures = {id(one): _pictures(job, one, rows[id(one)], read) for one in closed}

    def effect(session: Session) -> dict[str, Any]:
        repository = EvaluationRepository(session)
        for number, one in enumerate(closed):
            row, shown = rows[id(one)], pictures[id(one)]
            grades = [
                Grade(position=position, grade=grade, picture=shown.get(position))
                for position, grade in one.grades.items()
            ]
            repository.grade(one.measured.evaluation_id, grades)
            report = {"source": one.measured.source.kind, **_told(one), **row}
            repository.finish(
                one.measured.evaluation_id,
                metrics=row["metrics"] | {"n": row["n"]},
                report=report | ({"comparison": sections} if number == 0 else {}),
            )
        ids = [str(one.measured.evaluation_id) for one in closed]
        return {"evaluation_id": ids[0], "evaluation_ids": ids}

    job.finish(effect)


def _closed(job: JobContext, one: Measured, title: str) -> _Closed:
    with job.transaction() as session:
        items = EvaluationRepository(session).items(one.evaluation_id)
        settings = EvaluationRepository(session).settings(one.evaluation_id)
    chosen, source = benchmark(one.source.benchmark), one.source
    answered = [(item.position, item.answer) for item in items if item.answer is not None]
    answers = tuple(answer for _, answer in answered)
    return _Closed(
        measured=one,
        matched=chosen.pair(Sheets(questions=source.question_rows, labels=source.label_rows, answers=(answers,))),
        title=title,
        settings=settings,
        answers=answers,
        positions=tuple(position for position, _ in answered),
        failed=len(items) - len(answered),
    )


def _run(one: _Closed) -> Run:
    source = one.measured.source
    labelled = [row for rows in source.label_rows for row in rows]
    return Run(
        title=one.title,
        matched=one.matched,
        answers=one.answers,
        about={**one.settings, "evaluation_id": str(one.measured.evaluation_id)},
        categories=categories([*labelled, *source.question_rows]),
    )


def _row(sections: Sequence[Mapping[str, Any]], one: _Closed) -> dict[str, Any]:
    """Return the section's figures of this run, with the positions of its worst answers."""
    wanted = str(one.measured.evaluation_id)
    row: dict[str, Any] = next(
        row for section in sections for row in section["runs"] if row["about"].get("evaluation_id") == wanted
    )
    for worst in row["worst"]:
        worst["position"] = one.positions[worst.pop("place")]
    return row


def _told(one: _Closed) -> dict[str, Any]:
    return {
        "model": one.settings.get("model"),
        "model_version": one.settings.get("model_version"),
        "settings": dict(one.settings),
        "failed": one.failed,
    }


def _pictures(
    job: JobContext, one: _Closed, row: Mapping[str, Any], read: Callable[[Any], Picture]
) -> dict[int, bytes]:
    """Return what the model was shown of the worst answers, small."""
    tags = tags_of(one.measured.cell.marks)
    found = {}
    for worst in row["worst"]:
        job.checkpoint()
        question = one.measured.source.questions[worst["position"]]
        try:
            picture = read(question.image)
            found[worst["position"]] = thumbnail(picture if tags is None else tags.marked(picture, question.regions))
        except ModelError:
            continue  # a picture that cannot be shown is why the answer is bad
    return found


def _title(order: Order, cell: Cell) -> str:
    """Name a cell by what sets it apart from the others of its order."""
    parts = [cell.model or "deployed"] if len(order.models) > 1 else []
    if len(order.tags) > 1 or not parts:
        parts.append("plain" if cell.marks is None else "tags")
    if cell.marks is not None and len(order.marks) > 1:
        parts.append(_differences(order, cell))
    return " ".join(parts)


def _differences(order: Order, cell: Cell) -> str:
    values: dict[str, set[str]] = defaultdict(set)
    for marks in order.marks:
        for name, value in asdict(marks).items():
            values[name].add(str(value))
    mine = {} if cell.marks is None else asdict(cell.marks)
    return ", ".join(f"{name} {mine[name]}" for name, seen in values.items() if len(seen) > 1)
