"""evaluation.run: model versions x benchmarks x ways of asking, every answer kept, then figures and a comparison.

Every question of every cell is an item of the job, settled in batches: a killed worker goes on behind the last batch, a
question that ends its worker is set aside alone. The model is asked exactly as when it serves. What is ordered is read by
`orders`, where questions come from is `sources`' business, what is made of the answers `closing`'s.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.evaluations import EvaluationRepository
from app.queue import leases
from app.queue.tasks import error_body
from models.errors import ModelError
from models.evaluation.judges import Judge, truths
from models.evaluation.runs import AT_ONCE, AnyQuestion, Ask, asked, together
from models.writers.teachers import BackendTeacher
from workers.batches import Batches, Ended, Ending
from workers.context import JobContext
from workers.evaluating import closing
from workers.evaluating.asking import asking_of, judged
from workers.evaluating.orders import Cell, Order
from workers.evaluating.sources import Source, Sources
from workers.retries import EveryItemFailed

__all__ = ["run"]

STAGE = "evaluate"
# What a killed worker loses at most: with a small model 8 answers, a second or two.
_PER_QUESTION = 4


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `evaluation.run` job; its result names the evaluations, the one with the comparison first."""
    order = Order.read(job.payload["evaluation"])
    with ExitStack() as stack:
        sources = Sources(job, order, Path(stack.enter_context(TemporaryDirectory(prefix="evaluation-"))))
        cells = order.cells()
        counts = [len(sources[cell.benchmark].questions) for cell in cells]
        measured = [
            closing.Measured(
                cell=cell,
                evaluation_id=_measure(job, order, cell, sources, first=sum(counts[: cell.number]), total=sum(counts)),
                source=sources[cell.benchmark],
            )
            for cell in cells
        ]
        tally = Batches(job, STAGE).tally()
        if tally and set(tally) == {"failed"}:
            raise EveryItemFailed
        job.progress(sum(counts), sum(counts), "compare")
        closing.close(job, order, measured, read=sources.read)
    return None


def _measure(job: JobContext, order: Order, cell: Cell, sources: Sources, *, first: int, total: int) -> UUID:
    """Ask what is not asked yet of one cell; returns its evaluation."""
    source = sources[cell.benchmark]
    with job.transaction() as session:
        backend, version = job.resources.models.backend(session, cell.model)
    backend.ready()

    def begin(session: Session) -> UUID:
        return EvaluationRepository(session).begin(
            job.job_id,
            cell.number,
            model_version_id=None if version is None else version.id,
            dataset_id=order.dataset_id if cell.benchmark == "listing" else None,
            benchmark=cell.benchmark,
            settings=cell.settings | {"model": backend.name, "model_version": backend.version, "source": source.kind},
        )

    with job.transaction() as session:
        leases.hold(session, job.claim)
        evaluation_id = begin(session)
    asked_of, parallel = together(backend, remote=job.resources.settings.vlm_concurrency)
    asking = asking_of(job, cell, asked_of, read=sources.read)
    ask = _with_judge(job, order, source, asking)
    batches = Batches(job, STAGE)
    size = AT_ONCE if backend.dialect == "tiny" else max(AT_ONCE, _PER_QUESTION * parallel)
    for start in range(0, len(source.questions), size):
        batch = dict(enumerate(source.questions[start : start + size], first + start))
        opening = batches.open({number: question.key for number, question in batch.items()})
        batches.forget(opening)
        # One of these may have killed the last worker: alone, it takes nobody with it.
        wanted = [number for number in batch if number in opening.todo]
        for part in [wanted] if not opening.suspects else [[number] for number in wanted]:
            _settle(batches, evaluation_id, {n: batch[n] for n in part}, ask, parallel, first=first, total=total)
    return evaluation_id


def _settle(
    batches: Batches,
    evaluation_id: UUID,
    part: Mapping[int, AnyQuestion],
    ask: Ask,
    parallel: int,
    *,
    first: int,
    total: int,
) -> None:
    if not part:
        return
    begun = batches.begin({number: question.key for number, question in part.items()}, total=total)
    numbers = {question.key: number for number, question in part.items() if number in begun}
    endings: list[Ending] = []
    try:
        due = [part[number] for number in numbers.values()]
        for question, outcome in asked(due, ask, parallel):
            number = numbers[question.key]
            endings.append(_ending(evaluation_id, number, number - first, question, outcome))
    except Exception:
        batches.give_back(set(begun) - {ending.number for ending in endings})
        batches.end(endings, total=total)
        raise
    batches.end(endings, total=total)


def _ending(
    evaluation_id: UUID, number: int, position: int, question: AnyQuestion, outcome: dict[str, Any] | ModelError
) -> Ending:
    """Return the ending of an item: the answer's line as a run would write it, or why there is none."""
    if isinstance(outcome, ModelError):
        kept: dict[str, Any] = {"error": str(outcome)}
        why = error_body("question.unanswered", "The question was not answered", status=422, detail=str(outcome))
        ended = Ended(error=why)
    else:
        kept = {"answer": {**question.row, **outcome}}
        result = {"evaluation_id": str(evaluation_id), "question_id": question.key, "outcome": "answered"}
        ended = Ended(result=result)

    def effect(session: Session) -> Ended:
        EvaluationRepository(session).keep(evaluation_id, position, question_id=question.key, **kept)
        return ended

    return Ending(number=number, effect=effect)


def _with_judge(job: JobContext, order: Order, source: Source, asking: Ask) -> Ask:
    if order.judge is None or source.judged is None:
        return asking
    with job.transaction() as session:
        backend, _ = job.resources.models.teacher(session, order.judge)
    known = truths(source.benchmark, list(source.question_rows), [row for rows in source.label_rows for row in rows])
    return judged(asking, Judge(benchmark=source.judged, teacher=BackendTeacher(backend), truths=known))
