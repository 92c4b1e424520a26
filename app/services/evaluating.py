"""Order evaluations, and show what came out: as JSON and as a page."""

import base64
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.datasets import DatasetRepository
from app.catalog.evaluations import EvaluationRepository
from app.catalog.tables import EvaluationRow, JobRow
from app.errors import Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import grounding
from models.errors import BadInput
from models.evaluation.compare import ROUNDS
from models.evaluation.drawn import DRAWABLE
from models.evaluation.judges import JUDGED
from models.evaluation.pages import page
from models.evaluation.runs.tasks import TASKS
from models.evaluation.scores import BENCHMARKS
from models.marks import style_of

CELLS_AT_MOST = 64


def evaluate(
    session: Session,
    order: dict[str, Any],
    *,
    remote_model: str | None,
    teachers: Collection[str],
    idempotency_key: str | None,
) -> JobRow:
    """Queue an evaluation; raises NotFound and Unprocessable."""
    unknown = [name for name in order["benchmarks"] if name not in BENCHMARKS]
    if unknown:
        raise Unprocessable(f"There is no benchmark `{unknown[0]}`; known are {', '.join(BENCHMARKS)}.")
    for name in order["models"]:
        grounding.check_model(session, name, remote_model)
    _check_judge(session, order, remote_model, teachers)
    _check_marks(order)
    _check_notes(order)
    ways = sum(len(order["marks"]) if tags else 1 for tags in order["tags"])
    cells = len(order["models"]) * len(order["benchmarks"]) * ways
    if cells > CELLS_AT_MOST:
        raise Unprocessable(f"This is {cells} evaluations; at most {CELLS_AT_MOST} can be ordered at once.")
    if order.get("dataset_id") is not None:
        if "listing" not in order["benchmarks"]:
            raise Unprocessable("A dataset is measured by its listings; order the benchmark `listing`.")
        DatasetRepository(session).get(UUID(order["dataset_id"]))
    return enqueue(
        session,
        kind="evaluation.run",
        queue=Queue.BATCH,
        payload={"evaluation": order},
        idempotency_key=idempotency_key,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A benchmark: its chief metric, whether a judge grades it, and where its questions would come from now, if anywhere."""

    name: str
    chief: str
    judged: bool
    source: Literal["files", "drawings"] | None


def benchmarks(folder: Path) -> list[Known]:
    """Return all benchmarks; `folder` is where the operator keeps their files."""
    return [
        Known(name=name, chief=one.chief, judged=name in JUDGED, source=_source(folder, name))
        for name, one in BENCHMARKS.items()
    ]


def _source(folder: Path, name: str) -> Literal["files", "drawings"] | None:
    if (folder / name).is_dir():
        return "files"
    return "drawings" if name in DRAWABLE else None


def html_page(session: Session, row: EvaluationRow) -> str:
    """Return the report of an evaluation as a page that fetches nothing: the comparison where it holds one."""
    report = row.report
    # Evaluations of the release before have no figures that could be shown.
    sections = report.get("comparison") or ([_alone(row)] if "categories" in report else [])
    ids = {run["about"]["evaluation_id"] for section in sections for run in section["runs"]}
    pictures = EvaluationRepository(session).pictures([UUID(one) for one in ids])
    notes = [
        f"Evaluation {row.id}, {row.created_at:%Y-%m-%d %H:%M} UTC. Answers come from {report.get('source', '?')}."
    ]
    return page(
        ", ".join(section["benchmark"] for section in sections) or row.benchmark, _shown(sections, pictures), notes
    )


def _alone(row: EvaluationRow) -> Mapping[str, Any]:
    """Return an evaluation that is no comparison as a section of its own."""
    chief = BENCHMARKS[row.benchmark].chief
    return {"benchmark": row.benchmark, "chief": chief, "bootstrap_rounds": ROUNDS, "runs": [row.report]}


def _shown(sections: Iterable[Mapping[str, Any]], pictures: Mapping[tuple[str, int], bytes]) -> list[dict[str, Any]]:
    """Return the sections with the pictures that are kept of their worst answers."""
    return [
        {
            **section,
            "runs": [
                {**run, "worst": [_pictured(run, one, pictures) for one in run["worst"]]} for run in section["runs"]
            ],
        }
        for section in sections
    ]


def _pictured(
    run: Mapping[str, Any], worst: Mapping[str, Any], pictures: Mapping[tuple[str, int], bytes]
) -> dict[str, Any]:
    picture = pictures.get((run["about"]["evaluation_id"], worst["position"]))
    encoded = None if picture is None else base64.b64encode(picture).decode("ascii")
    return {**worst, "picture": None if encoded is None else f"data:image/webp;base64,{encoded}"}


def _check_judge(
    session: Session, order: Mapping[str, Any], remote_model: str | None, teachers: Collection[str]
) -> None:
    judged = [name for name in order["benchmarks"] if name in JUDGED]
    if judged and order.get("judge") is None:
        raise Unprocessable(f"The answers to {judged[0]} are judged by a model; name it in `judge`.")
    if order.get("judge") is not None and order["judge"] not in teachers:
        grounding.check_model(session, order["judge"], remote_model)


def _check_notes(order: Mapping[str, Any]) -> None:
    about_marks = [name for name in order["benchmarks"] if name in TASKS]
    if order.get("notes") is not None and about_marks:
        raise Unprocessable(
            f"{about_marks[0]} is answered by marks and takes no `notes`; POPE, GQA, SEED-Bench and the like do."
        )


def _check_marks(order: Mapping[str, Any]) -> None:
    for marks in order["marks"]:
        try:
            style_of(marks["style"])
        except BadInput as exc:
            raise Unprocessable(f"{exc}.") from None
