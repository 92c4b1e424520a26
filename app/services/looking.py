"""Order a look inside a model: where it looks in a marked picture. A worker that has its weights does it."""

from typing import Any

from sqlalchemy.orm import Session

from app.catalog.mark_sets import MarkSetRepository
from app.catalog.tables import JobRow
from app.errors import Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import grounding


def order(session: Session, look: dict[str, Any], *, remote_model: str | None, idempotency_key: str | None) -> JobRow:
    """Queue a look; raises NotFound, UnknownModel, and Unprocessable for a model of the server, whose weights are not here."""
    MarkSetRepository(session).get(look["mark_set_id"])
    grounding.check_model(session, look["model"], remote_model)
    if look["model"] is not None and look["model"] == remote_model:
        raise Unprocessable(
            f"`{remote_model}` is served elsewhere; only a model whose weights are here can be looked into."
        )
    return enqueue(
        session,
        kind="look.create",
        queue=Queue.INTERACTIVE,
        payload={"look": {**look, "mark_set_id": str(look["mark_set_id"])}},
        idempotency_key=idempotency_key,
    )
