"""Model versions, and which of them is deployed."""

from collections.abc import Collection
from contextlib import suppress
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import DeploymentRow, ModelVersionRow
from app.errors import NotFound

ANSWERING: Final = ("checkpoint", "adapter")
"""Kinds of version that answer questions; a finder ranks pictures."""


class ModelVersionRepository:
    """All SQL about model versions and deployments."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, model_version_id: UUID) -> ModelVersionRow:
        """Return one model version; raises NotFound."""
        row = self.session.get(ModelVersionRow, model_version_id)
        if row is None:
            raise NotFound("There is no model version with this id.")
        return row

    def find_by_name(self, name: str, kinds: Collection[str] = ANSWERING) -> ModelVersionRow | None:
        """Return the newest version of a name, the one that `name@version` says, or the one with this id, of these kinds."""
        query = select(ModelVersionRow).where(ModelVersionRow.kind.in_(kinds))
        with suppress(ValueError):
            return self.session.scalar(query.where(ModelVersionRow.id == UUID(name)))
        stem, _, version = name.partition("@")
        query = query.where(ModelVersionRow.name == stem)
        if version:
            if not version.isdigit():
                return None
            query = query.where(ModelVersionRow.version == int(version))
        return self.session.scalar(query.order_by(ModelVersionRow.version.desc()).limit(1))

    def next_version(self, name: str) -> int:
        """Return the version that the next model of this name gets."""
        newest = self.session.scalar(select(func.max(ModelVersionRow.version)).where(ModelVersionRow.name == name))
        return (newest or 0) + 1

    def add(self, row: ModelVersionRow) -> ModelVersionRow:
        """Insert a model version and return it with its id."""
        self.session.add(row)
        self.session.flush()
        return row

    def list_after(self, *, limit: int, after: str | None) -> Page[ModelVersionRow]:
        """Return a page of model versions, newest first."""
        return page_after(self.session, select(ModelVersionRow), ModelVersionRow, limit=limit, after=after)

    def deployed(self) -> ModelVersionRow | None:
        """Return the version that answers now; None means the built-in default."""
        newest = self.session.scalar(
            select(DeploymentRow).order_by(DeploymentRow.created_at.desc(), DeploymentRow.id.desc()).limit(1)
        )
        if newest is None or newest.model_version_id is None:
            return None
        return self.get(newest.model_version_id)

    def deploy(self, model_version_id: UUID | None) -> None:
        """Append to the deployment log; None returns to the built-in default."""
        if model_version_id is not None:
            self.get(model_version_id)
        self.session.add(DeploymentRow(model_version_id=model_version_id))
        self.session.flush()

    def previously_deployed(self) -> UUID | None:
        """Return what answered before the present deployment (None: the built-in default); raises NotFound."""
        log = list(
            self.session.scalars(
                select(DeploymentRow).order_by(DeploymentRow.created_at.desc(), DeploymentRow.id.desc()).limit(2)
            )
        )
        if not log:
            raise NotFound("Nothing was deployed, so there is nothing to roll back.")
        return log[1].model_version_id if len(log) > 1 else None
