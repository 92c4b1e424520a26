"""`markwise backup` and `markwise restore`: the whole installation into a folder and back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from app.cli import Failure
from app.commands.serve import settings_or_fail
from app.stack import backup as backups
from app.stack.embedded import available
from app.stack.postgres_server import ClientFailed
from app.storage.blobs import BlobError

_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@contextmanager
def _told(what: str, total: int | None) -> Iterator[backups.Progress]:
    """A bar of bytes on stderr; errors become one sentence."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda n: bar.update(task, advance=n)
    except (backups.BadBackup, ClientFailed, BlobError) as exc:
        raise Failure(str(exc)) from None


@click.command()
@_folder
@_json
def backup(folder: Path, as_json: bool) -> None:
    r"""Write everything into FOLDER: a dump of the catalog and every stored file.

    The service may go on meanwhile. Into the folder of an earlier backup only new files are copied, so a backup every night is cheap.
    API keys are kept as hashes, webhooks with their secrets: keep the folder as safe as the service.

    \b
    markwise backup /backups/markwise
    """
    with available(settings_or_fail()) as settings, _told("files", None) as progress:
        manifest = backups.back_up(settings, folder, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(manifest)))
    else:
        click.echo(f"{folder}: schema {manifest.revision}, {manifest.blobs} files, {manifest.blob_bytes / 1e6:.1f} MB")


@click.command()
@_folder
@_json
def restore(folder: Path, as_json: bool) -> None:
    r"""Fill an empty installation from the backup in FOLDER, also one of an older version.

    Jobs that ran when the backup was taken begin again. Stop the service first; name a new MARKWISE_HOME (or database) to try it out.

    \b
    MARKWISE_HOME=restored markwise restore /backups/markwise
    """
    with available(settings_or_fail()) as settings:
        try:
            manifest = backups.manifest_of(folder)
        except backups.BadBackup as exc:
            raise Failure(str(exc)) from None
        with _told("files", manifest.blob_bytes) as progress:
            copied = backups.restore(settings, folder, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(copied)))
    else:
        click.echo(f"restored from {manifest.created_at}: {copied.blobs} files, {copied.missing} pictures missing")
    if copied.missing:
        raise Failure(
            f"{copied.missing} pictures of the catalog are not in the backup: they were deleted while it was written"
        )
