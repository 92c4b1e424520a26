"""`markwise sweep`: delete what is past its time and blobs without a row, now instead of at night."""

import json
from dataclasses import asdict
from datetime import timedelta

import click

from app.catalog.keys import KeyRepository
from app.catalog.session import app_engine, transaction
from app.commands.serve import settings_or_fail
from app.services.forgetting import GRACE, Forgetting, Swept, keep_times
from app.stack.embedded import available
from app.storage.blobs import open_blobs


@click.command()
@click.option("--dry-run", is_flag=True, help="Count the files that nothing names, delete nothing.")
@click.option(
    "--grace-hours",
    type=click.FloatRange(min=1),
    default=GRACE / timedelta(hours=1),
    show_default=True,
    help="Leave files alone that are younger: what they belong to may not be written yet.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def sweep(dry_run: bool, grace_hours: float, as_json: bool) -> None:
    r"""Delete what is past its time, and stored files that nothing names.

    How long things are kept is set in days: MARKWISE_KEEP_IMAGES_DAYS (images of which nothing was made: no label, no facts, no
    texts), MARKWISE_KEEP_ANSWERS_DAYS, MARKWISE_KEEP_JOBS_DAYS (finished ones that nothing comes from),
    MARKWISE_KEEP_DELIVERIES_DAYS (the log of webhooks, 30), MARKWISE_KEEP_IDEMPOTENCY_KEYS_DAYS (remembered POSTs, 1).

    The service does the same by itself, every hour and every night.

    \b
    markwise sweep --dry-run
    MARKWISE_KEEP_ANSWERS_DAYS=90 markwise sweep
    """
    total = Swept()
    with available(settings_or_fail()) as settings:
        engine, blobs = app_engine(settings, name="markwise-sweep", pool_size=2), open_blobs(settings.blobs_place)
        try:
            with transaction(engine, None) as session:
                tenants = KeyRepository(session).tenant_ids()
            for tenant_id in tenants:
                forgetting = Forgetting(engine=engine, blobs=blobs, tenant_id=tenant_id)
                if not dry_run:
                    for kind, gone in forgetting.expire(keep_times(settings)).items():
                        total.rows[kind] = total.rows.get(kind, 0) + gone
                swept = forgetting.sweep(older_than=timedelta(hours=grace_hours), dry_run=dry_run)
                total.blobs, total.blob_bytes = total.blobs + swept.blobs, total.blob_bytes + swept.blob_bytes
        finally:
            engine.dispose()
            blobs.close()
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, **asdict(total)}))
        return
    verb = "would be deleted" if dry_run else "deleted"
    for kind, gone in total.rows.items():
        click.echo(f"{gone:8}  {kind.replace('_', ' ')} deleted")
    click.echo(f"{total.blobs:8}  files without a row {verb}, {total.blob_bytes / 1e6:.1f} MB")
