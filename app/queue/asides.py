"""What a running job says before it is done: pieces of an answer, told to whoever listens now and kept nowhere.

An aside is a Postgres NOTIFY: it may be lost (nobody listens, a connection breaks) and proves nothing. The job's result, committed
once, is the truth. Sent by workers, received by `listener`.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

ASIDES_CHANNEL = "markwise_asides"
# Postgres takes payloads below 8,000 bytes.
_MOST_BYTES = 7_900


def send(session: Session, job_id: UUID, asides: Sequence[dict[str, Any]]) -> None:
    """Tell `asides` in order when this transaction commits; one that is too long for a notice is left out."""
    for aside in asides:
        payload = json.dumps({"job": str(job_id), "aside": aside}, ensure_ascii=False, separators=(",", ":"))
        if len(payload.encode()) <= _MOST_BYTES:
            session.execute(select(func.pg_notify(ASIDES_CHANNEL, payload)))


def read(payload: str) -> tuple[str, dict[str, Any]] | None:
    """Return the job's id and the aside of a notice, None for one that is not ours."""
    try:
        found = json.loads(payload)
        return str(found["job"]), dict(found["aside"])
    except (ValueError, TypeError, KeyError):
        return None
