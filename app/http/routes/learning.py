"""/v1/trainings: teach a model."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.formats.bodies import JobBody
from app.http.deps import JobsCaller, Tx
from app.http.schemas.learning import TrainingIn
from app.http.waiting import accepted
from app.services import learning

router = APIRouter(tags=["learning"])


@router.post("/v1/trainings", status_code=202, response_model=JobBody)
def create_training(request: Request, tx: Tx, _: JobsCaller, body: TrainingIn) -> JSONResponse:
    """Teach a model; it is registered as a model version when it is done."""
    key = getattr(request.state, "idempotency_key", None)
    return accepted(learning.train(tx, body.model_dump(mode="json"), idempotency_key=key))
