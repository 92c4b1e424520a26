"""Every table of the catalog: the schema on four pages, by what the rows are about.

Migrations build it, repositories read and write it; nothing outside this folder and `declaring` defines a column. Rules that must
hold are constraints here. Tenant tables carry `tenant_id` and point at each other through `(tenant_id, id)`, so that a child can
never belong to a parent of another tenant; row-level security is switched on by the migration.
"""

from app.catalog.declaring import Base
from app.catalog.tables.access import (
    DELIVERY_STATUSES,
    AuditEntryRow,
    IdempotencyRow,
    KeyRow,
    StorageUseRow,
    TenantTableRow,
    WebhookDeliveryRow,
    WebhookRow,
)
from app.catalog.tables.learning import (
    MODEL_KINDS,
    REVIEW_REASONS,
    REVIEW_STATES,
    TEXT_KINDS,
    CandidateRow,
    DatasetItemRow,
    DatasetRow,
    DeploymentRow,
    EvaluationItemRow,
    EvaluationRow,
    LedgerEntryRow,
    ModelVersionRow,
    TextRevisionRow,
    TextRow,
)
from app.catalog.tables.pictures import AnswerRow, ImageFactsRow, ImageRow, MarkRow, MarkSetRow
from app.catalog.tables.work import (
    ITEM_STATUSES,
    JOB_STATUSES,
    JobEventRow,
    JobItemRow,
    JobRow,
    OutboxRow,
    WorkerProcessRow,
)

TENANT_TABLES: tuple[str, ...] = tuple(
    table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.columns
)

__all__ = [
    "DELIVERY_STATUSES",
    "ITEM_STATUSES",
    "JOB_STATUSES",
    "MODEL_KINDS",
    "REVIEW_REASONS",
    "REVIEW_STATES",
    "TENANT_TABLES",
    "TEXT_KINDS",
    "AnswerRow",
    "AuditEntryRow",
    "Base",
    "CandidateRow",
    "DatasetItemRow",
    "DatasetRow",
    "DeploymentRow",
    "EvaluationItemRow",
    "EvaluationRow",
    "IdempotencyRow",
    "ImageFactsRow",
    "ImageRow",
    "JobEventRow",
    "JobItemRow",
    "JobRow",
    "KeyRow",
    "LedgerEntryRow",
    "MarkRow",
    "MarkSetRow",
    "ModelVersionRow",
    "OutboxRow",
    "StorageUseRow",
    "TenantTableRow",
    "TextRevisionRow",
    "TextRow",
    "WebhookDeliveryRow",
    "WebhookRow",
    "WorkerProcessRow",
]
