"""`markwise keys`: make, list and revoke API keys, straight in the catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.catalog.audit import record
from app.catalog.keys import LOCAL_TENANT, KeyRepository
from app.catalog.session import app_engine, transaction
from app.cli import Failure
from app.commands.serve import settings_or_fail
from app.errors import NotFound
from app.services.keys import ALL_SCOPES, issue
from app.stack.embedded import available

_ACTOR = "command line"


@contextmanager
def _tenant(name: str) -> Iterator[Session]:
    with available(settings_or_fail()) as settings:
        engine = app_engine(settings, name="markwise-cli", pool_size=1)
        try:
            with transaction(engine, None) as session:
                tenant_id = KeyRepository(session).tenant_id(name)
            with transaction(engine, tenant_id) as session:
                yield session
        except NotFound as exc:
            raise Failure(exc.detail) from None
        finally:
            engine.dispose()


tenant_option = click.option("--tenant", default=LOCAL_TENANT, show_default=True, help="Whose keys.")


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(ALL_SCOPES),
    default=("mark", "ground", "jobs"),
    show_default=True,
)
@tenant_option
def create(name: str, scopes: tuple[str, ...], tenant: str) -> None:
    """Make a key called NAME and print it, this once."""
    with _tenant(tenant) as session:
        row, key = issue(session, name, list(scopes))
        record(session, "key.created", row.id, actor=_ACTOR, detail={"name": name, "scopes": list(scopes)})
    click.echo(key)


@keys.command("list")
@tenant_option
def list_(tenant: str) -> None:
    """List keys without their secrets."""
    with _tenant(tenant) as session:
        for row in KeyRepository(session).list_after(limit=500, after=None).rows:
            state = "revoked" if row.revoked_at else "live"
            click.echo(f"{row.id}  {row.prefix}…  {state:8}  {','.join(row.scopes):24}  {row.name}")


@keys.command()
@click.argument("key_id", type=click.UUID)
@tenant_option
def revoke(key_id: UUID, tenant: str) -> None:
    """Switch the key KEY_ID off for good."""
    with _tenant(tenant) as session:
        row = KeyRepository(session).revoke(key_id)
        record(session, "key.revoked", key_id, actor=_ACTOR, detail={"name": row.name})
    click.echo("revoked")
