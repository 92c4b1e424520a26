"""`markwise forget`: delete all that a tenant has, for good."""

import json
from dataclasses import asdict

import click

from app.catalog.emptying import tenant_named
from app.catalog.session import app_engine, owner_engine
from app.cli import Failure
from app.commands.serve import settings_or_fail
from app.errors import NotFound
from app.services.forgetting import Forgetting
from app.stack.embedded import available
from app.storage.blobs import BlobError, open_blobs


@click.command()
@click.argument("tenant")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def forget(tenant: str, yes: bool, as_json: bool) -> None:
    r"""Delete all that TENANT has: pictures, marks, answers, texts, sealed datasets, models, jobs, webhooks and keys, rows and files.

    The audit log stays, and the tenant itself, without anything. What is in backups stays there for as long as they are kept. Needs the
    owner's URL (MARKWISE_DATABASE_URL), as migrations do. Whoever stops it in between calls it again.

    \b
    markwise forget shop
    markwise forget shop --yes --json
    """
    with available(settings_or_fail()) as settings:
        if settings.database_url is None:
            raise Failure("deleting a tenant needs the owner's URL: set MARKWISE_DATABASE_URL")
        owner, blobs = owner_engine(settings.database_url), open_blobs(settings.blobs_place)
        engine = app_engine(settings, name="markwise-forget", pool_size=1)
        try:
            tenant_id = tenant_named(owner, tenant)
            if not yes:
                click.confirm(f"Delete all that the tenant {tenant} has? Nothing brings it back", abort=True, err=True)
            forgetting = Forgetting(engine=engine, blobs=blobs, tenant_id=tenant_id)
            gone = forgetting.everything(owner, actor="command line")
        except (NotFound, BlobError) as exc:
            raise Failure(str(exc)) from None
        finally:
            owner.dispose()
            engine.dispose()
            blobs.close()
    if as_json:
        click.echo(json.dumps(asdict(gone)))
        return
    for table, count in gone.rows.items():
        click.echo(f"{count:8}  {table.replace('_', ' ')} deleted")
    click.echo(f"{gone.blobs:8}  files deleted, {gone.blob_bytes / 1e6:.1f} MB")
