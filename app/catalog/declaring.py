"""How a table is declared: naming, column types, the tenant's columns, and keys that cannot cross tenants.

The pages of `tables` use it; this module declares none.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The SQL of a CHECK that holds `column` to `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


class Base(DeclarativeBase):
    """Declares the naming convention, so that migrations can name every constraint."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: postgresql.UUID(as_uuid=True),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(String),
    }


class TenantRow(Base):
    """A row that belongs to one tenant; its id is a UUIDv7, so that (created_at, id) is a stable list order."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"),
        server_default=text("current_setting('app.tenant', true)::uuid"),
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def owned(*columns: Any) -> tuple[Any, ...]:
    """Constraints of a tenant table: its own plus the composite key that children point at."""
    return (*columns, UniqueConstraint("tenant_id", "id"), Index(None, "tenant_id", "created_at", "id"))


def same_tenant(column: str, target: str, ondelete: str = "CASCADE") -> ForeignKeyConstraint:
    """A foreign key that cannot cross tenants."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=ondelete)
