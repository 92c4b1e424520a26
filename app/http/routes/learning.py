"""/v1/annotations, /v1/texts, /v1/datasets, /v1/trainings, /v1/evaluations: teach a model and measure it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse

from app.catalog.model_versions import EvaluationRepository
from app.catalog.texts import DatasetRepository, TextRepository
from app.formats.bodies import (
    DatasetBody,
    EvaluationBody,
    JobBody,
    TextBody,
    dataset_body,
    evaluation_body,
    text_body,
)
from app.formats.llava import jsonl_lines, llava_document
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, list_body
from app.http.schemas.learning import AnnotationIn, DatasetIn, EvaluationIn, ReviewIn, TrainingIn
from app.http.waiting import accepted
from app.services import learning

router = APIRouter(tags=["learning"])


@router.post("/v1/annotations", status_code=202, response_model=JobBody)
def create_annotation(request: Request, web: WebPart, tx: Tx, _: JobsCaller, body: AnnotationIn) -> JSONResponse:
    """Have texts written about marked images, one job item per image."""
    job = learning.annotate(
        tx,
        body.model_dump(mode="json"),
        remote_model=web.settings.vlm_model,
        idempotency_key=getattr(request.state, "idempotency_key", None),
    )
    return accepted(job)


@router.get("/v1/texts")
def list_texts(
    tx: Tx,
    _: AnyCaller,
    page: PageOf,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    review: Annotated[str | None, Query(max_length=100)] = None,
    job_id: Annotated[UUID | None, Query()] = None,
) -> ListBody[TextBody]:
    """List texts, newest first."""
    rows = TextRepository(tx).list_after(limit=page.limit, after=page.after, kind=kind, review=review, job_id=job_id)
    return list_body(rows, text_body)


@router.get("/v1/texts/{text_id}")
def get_text(tx: Tx, _: AnyCaller, text_id: UUID) -> TextBody:
    """Show one text with its provenance."""
    return text_body(TextRepository(tx).get(text_id))


@router.patch("/v1/texts/{text_id}")
def review_text(tx: Tx, _: JobsCaller, text_id: UUID, body: ReviewIn) -> TextBody:
    """Accept, edit or reject a text."""
    return text_body(TextRepository(tx).review(text_id, body.review, body.conversations))


@router.post("/v1/datasets", status_code=201)
def create_dataset(tx: Tx, _: JobsCaller, body: DatasetIn) -> DatasetBody:
    """Freeze a mixture of texts under the next version of its name."""
    return dataset_body(learning.build_dataset(tx, body.model_dump(mode="json")))


@router.get("/v1/datasets")
def list_datasets(tx: Tx, _: AnyCaller, page: PageOf) -> ListBody[DatasetBody]:
    """List datasets, newest first."""
    return list_body(DatasetRepository(tx).list_after(limit=page.limit, after=page.after), dataset_body)


@router.get("/v1/datasets/{dataset_id}")
def get_dataset(tx: Tx, _: AnyCaller, dataset_id: UUID) -> DatasetBody:
    """Show one dataset with its statistics."""
    return dataset_body(DatasetRepository(tx).get(dataset_id))


@router.get("/v1/datasets/{dataset_id}/export", response_class=StreamingResponse)
def export_dataset(tx: Tx, _: AnyCaller, dataset_id: UUID, format: Literal["llava", "jsonl"] = "llava") -> Any:
    """Export as LLaVA JSON or as JSON lines; pictures are named by what `/v1/images/{id}/content` serves."""
    datasets = DatasetRepository(tx)
    datasets.get(dataset_id)
    items = list(datasets.items(dataset_id))
    if format == "llava":
        return JSONResponse(llava_document(items))
    return StreamingResponse(iter(jsonl_lines(items)), media_type="application/jsonl")


@router.post("/v1/trainings", status_code=202, response_model=JobBody)
def create_training(request: Request, tx: Tx, _: JobsCaller, body: TrainingIn) -> JSONResponse:
    """Teach a model; it is registered as a model version when it is done."""
    key = getattr(request.state, "idempotency_key", None)
    return accepted(learning.train(tx, body.model_dump(mode="json"), idempotency_key=key))


@router.post("/v1/evaluations", status_code=202, response_model=JobBody)
def create_evaluation(request: Request, web: WebPart, tx: Tx, _: JobsCaller, body: EvaluationIn) -> JSONResponse:
    """Measure a model."""
    job = learning.evaluate(
        tx,
        body.model_dump(mode="json"),
        remote_model=web.settings.vlm_model,
        idempotency_key=getattr(request.state, "idempotency_key", None),
    )
    return accepted(job)


@router.get("/v1/evaluations")
def list_evaluations(tx: Tx, _: AnyCaller, page: PageOf) -> ListBody[EvaluationBody]:
    """List evaluations, newest first."""
    return list_body(EvaluationRepository(tx).list_after(limit=page.limit, after=page.after), evaluation_body)


@router.get("/v1/evaluations/{evaluation_id}")
def get_evaluation(tx: Tx, _: AnyCaller, evaluation_id: UUID) -> EvaluationBody:
    """Show one evaluation with its report."""
    return evaluation_body(EvaluationRepository(tx).get(evaluation_id))
