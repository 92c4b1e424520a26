"""annotation.create and annotation.help: a writer and perhaps a teacher, images -> texts, each item committed once.

`run` owns an order and asks idle workers to help; `help_out` is what those run. `factory` is the loop of both. Which
writers exist is `models.writers.registry`'s business, where marks come from is `subjects`'.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from app.catalog.jobs import JobRepository
from app.catalog.writings import WritingRepository
from app.errors import NotFound
from workers.annotating.factory import Factory
from workers.annotating.orders import Order
from workers.context import JobContext
from workers.sharing import OrderOver

__all__ = ["help_out", "run"]


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `annotation.create` job: work until every item is done, wherever it is done."""
    Factory(job, Order.read(job.job_id, job.payload)).run()
    with job.transaction() as session:
        return {"texts": WritingRepository(session).count(job.job_id)}


def help_out(job: JobContext) -> dict[str, Any] | None:
    """Handle one `annotation.help` job: take items of another job as long as there are any and nothing else waits."""
    order_id = UUID(job.payload["order_id"])
    with job.transaction() as session:
        try:
            payload = JobRepository(session).get(order_id).payload
        except NotFound:
            return {"items": 0}
    factory = Factory(job, Order.read(order_id, payload), job.payload.get("slots"))
    with suppress(OrderOver):
        factory.run()
    return {"items": factory.done}
