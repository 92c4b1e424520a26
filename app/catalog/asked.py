"""What the direct path reads before a question and writes after it: one statement each, without the ORM.

The ids of the answers to come are drawn on the first occasion, so that the second one only writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from app.catalog.session import at_once, of_tenant
from app.errors import NotFound

_READ = """
    SELECT set.image_id, image.sha256, deployed.model_version_id,
        CAST($2 AS uuid) IS NULL OR EXISTS (SELECT FROM mark_sets WHERE id = $2),
        ARRAY(SELECT uuidv7() FROM generate_series(1, CAST($3 AS integer))), clock_timestamp()
    FROM mark_sets AS set JOIN images AS image ON image.id = set.image_id
    LEFT JOIN LATERAL (
        SELECT model_version_id FROM deployments ORDER BY created_at DESC, id DESC LIMIT 1
    ) AS deployed ON true
    WHERE set.id = $1
"""
_COLUMNS = ("id", "created_at", "image_id", "mark_set_id", "model_version_id", "task", "query", "model_name", "body")
_KEEP = """
    INSERT INTO answers (id, created_at, image_id, mark_set_id, model_version_id, task, query, model_name, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of a mark set when a question comes in; `deployed_id` is the tenant's model version, `at` the catalog's clock."""

    image_id: UUID
    image_sha256: str
    deployed_id: UUID | None
    answer_ids: tuple[UUID, ...]
    at: datetime


def read(engine: Engine, tenant_id: UUID, mark_set_id: UUID, target_id: UUID | None, *, answers: int) -> Asked:
    """Return what a question about `mark_set_id` needs, with ids for its answers; raises NotFound, for the target set as well."""
    rows = at_once(engine, of_tenant(tenant_id), _READ, (mark_set_id, target_id, answers))
    if not rows or not rows[0][3]:
        raise NotFound("There is no mark set with this id.")
    image_id, sha256, deployed_id, _, answer_ids, at = rows[0]
    return Asked(image_id=image_id, image_sha256=sha256, deployed_id=deployed_id, answer_ids=tuple(answer_ids), at=at)


def keep(engine: Engine, tenant_id: UUID, answers: Sequence[dict[str, Any]]) -> None:
    """Store answers, given as columns of `answers`; raises NotFound if what they are about was deleted meanwhile.

    Does not wait for the disk, which takes longer than all the rest of a question's way: a question can be asked again. A job's answer
    is durable, and so is one with an idempotency key: the key is committed after it, and waited for.
    """
    rows = ([*(row[name] for name in _COLUMNS[:-1]), Jsonb(row["body"])] for row in answers)
    try:
        at_once(engine, of_tenant(tenant_id), _KEEP, *rows, durable=False)
    except IntegrityError as error:
        raise NotFound("The mark set or the model was deleted while it was asked.") from error
