"""`markwise serve`, `worker` and `migrate`: start the processes; everything they do is elsewhere."""

import ipaddress
import os
import sys

import click
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.keys import KeyRepository
from app.catalog.session import app_engine, transaction
from app.cli import Failure
from app.settings import Settings
from app.stack import migrate as migration
from app.stack.layout import DataFolderUnusable
from app.stack.lock import AlreadyRunning
from app.stack.serve import PortTaken
from app.stack.serve import serve as run_stack
from app.stack.supervisor import ChildKeepsFailing


def settings_or_fail() -> Settings:
    """Read the settings; a wrong one is a sentence that names it."""
    try:
        return Settings()
    except ValidationError as exc:
        found = exc.errors()[0]
        name = "_".join(str(part) for part in found["loc"]).upper() or "settings"
        raise Failure(f"MARKWISE_{name}: {found['msg']}") from None


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Anything but loopback needs API keys.")
def serve(port: int, host: str) -> None:
    r"""Run the whole service on this machine: API, workers, web page.

    Without settings, Postgres and Redis are started too, under MARKWISE_HOME (default ./.markwise). Ctrl-C or SIGTERM
    stops everything.

    \b
    markwise serve
    markwise serve --port 9000
    MARKWISE_REQUIRE_KEYS=true markwise serve --host 0.0.0.0
    """
    settings = settings_or_fail()
    if not is_loopback(host):
        if settings.embedded:
            raise Failure(
                f"listening on {host} needs the production profile and an API key: set MARKWISE_DATABASE_URL and "
                "MARKWISE_REDIS_URL, then run `markwise keys create NAME`."
            )
        settings = settings.model_copy(update={"require_keys": True})
        _refuse_without_keys(settings, host)
    try:
        run_stack(settings, host, port, on_ready=lambda url: click.echo(f"Markwise is ready: {url}"))
    except (AlreadyRunning, PortTaken, DataFolderUnusable, ChildKeepsFailing) as exc:
        raise Failure(str(exc)) from None


def _refuse_without_keys(settings: Settings, host: str) -> None:
    engine = app_engine(settings)
    with transaction(engine, None) as session:
        tenants = KeyRepository(session).tenant_ids()
    for tenant in tenants:
        with transaction(engine, tenant) as session:
            if KeyRepository(session).any_exist():
                return
    raise Failure(f"listening on {host} without a single API key is refused; run `markwise keys create NAME` first.")


@click.command()
@click.option("--queues", default="interactive,batch", show_default=True, help="interactive, batch, train")
@click.option("--concurrency", type=click.IntRange(1), default=1, show_default=True)
def worker(queues: str, concurrency: int) -> None:
    r"""Run one more worker against the databases named by the environment.

    \b
    markwise worker --queues interactive --concurrency 4
    markwise worker --queues batch,train
    """
    settings_or_fail()
    argv = [sys.executable, "-m", "workers.main", "--queues", queues, "--concurrency", str(concurrency)]
    os.execv(sys.executable, argv)  # noqa: S606  # the worker takes this process's place


@click.command()
def migrate() -> None:
    r"""Bring the database named by MARKWISE_DATABASE_URL to the newest schema.

    \b
    MARKWISE_DATABASE_URL=postgresql://postgres:secret@db/markwise markwise migrate
    """
    settings = settings_or_fail()
    if settings.database_url is None:
        raise Failure("set MARKWISE_DATABASE_URL; the embedded database is migrated by `markwise serve` itself.")
    try:
        migration.migrate(settings)
    except SQLAlchemyError as exc:
        raise Failure(f"the database cannot be migrated: {type(exc).__name__}") from None
    click.echo("The database has the newest schema.")
