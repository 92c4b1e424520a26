"""/v1/trainings, /v1/evaluations: teach a model and measure it."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.catalog.model_versions import EvaluationRepository
from app.formats.bodies import EvaluationBody, JobBody, evaluation_body
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, list_body
from app.http.schemas.learning import EvaluationIn, TrainingIn
from app.http.waiting import accepted
from app.services import learning

router = APIRouter(tags=["learning"])


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
