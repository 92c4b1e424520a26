"""Which worker processes report: how long one may be silent and still counts. `workers.presence` reports; knows no work."""

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, func

from app.catalog.tables import WorkerProcessRow

WORKER_SILENT_S: Final = 15
"""Three missed reports."""


def reporting() -> ColumnElement[bool]:
    """The rows of worker processes that have reported lately, as a condition."""
    return WorkerProcessRow.last_seen_at > func.clock_timestamp() - timedelta(seconds=WORKER_SILENT_S)
