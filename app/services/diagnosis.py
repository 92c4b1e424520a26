"""What is wrong with a deployment and what to do about it: everything that `/readyz` asks, and what it cannot.

Called by `markwise doctor`, on any machine that has the service's settings. Changes nothing.
"""

from collections.abc import Callable

import redis
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.keys import KeyRepository
from app.catalog.session import app_engine, queue_engine, queue_transaction, transaction
from app.catalog.tables import JobRow, OutboxRow, WorkerProcessRow
from app.catalog.worker_processes import reporting
from app.services.remote import RemoteModel, open_remote
from app.settings import Settings
from app.storage.blobs import BlobCorrupt, BlobError, BlobMissing, BlobStore, open_blobs
from models.errors import BackendUnfit, ModelError

NOW = func.clock_timestamp()
_OLD_JOB_S = {"interactive": 30.0, "batch": 3_600.0, "train": 86_400.0}
_OLD_HINT_S = 30.0
_EVICTING = "noeviction"
Finding = str | None
"""None is good; else a sentence that says what is wrong and what to do."""


def examine(settings: Settings, newest_revision: str, *, files: bool = False) -> dict[str, Finding]:
    """Look at every part of the deployment that these settings name; each finding stands for itself.

    With `files` every stored file is read and held to its sum, which takes as long as reading all of them does.
    """
    found: dict[str, Finding] = {}
    engine, queue = app_engine(settings, name="markwise-doctor", pool_size=1), queue_engine(settings, pool_size=1)
    blobs, remote = open_blobs(settings.blobs_place), open_remote(settings)
    try:
        found["database"] = _asked(lambda: _database(engine), "Postgres does not answer; check MARKWISE_DATABASE_URL")
        if found["database"] is None:
            away = "the catalog broke off; look at Postgres' log"
            found["schema"] = _asked(lambda: _schema(engine, newest_revision), away)
            found["row security"] = _asked(lambda: _row_security(engine), away)
            found["keys"] = _asked(lambda: _keys(engine, settings), away)
            found["workers"] = _asked(lambda: _workers(engine), away)
            found["queues"] = _asked(lambda: _queues(queue), away)
        found["redis"] = _redis(settings)
        found["blobs"] = _blobs(blobs)
        if files and found["blobs"] is None:
            found["stored files"] = _files(blobs)
        if remote is not None:
            found["model server"] = _model(remote)
    finally:
        if remote is not None:
            remote.close()
        blobs.close()
        for each in (engine, queue):
            each.dispose()
    return found


def _asked(ask: Callable[[], Finding], down: str) -> Finding:
    try:
        return ask()
    except SQLAlchemyError:
        return down


def _database(engine: Engine) -> Finding:
    with transaction(engine, None) as session:
        version = int(session.scalar(text("SHOW server_version_num")) or 0) // 10_000
    return None if version >= 18 else f"Postgres {version} has no uuidv7(); use Postgres 18 or newer"


def _schema(engine: Engine, newest: str) -> Finding:
    with transaction(engine, None) as session:
        if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return "there is no schema; run `markwise migrate`"
        revision = session.scalar(text("SELECT version_num FROM alembic_version"))
    return (
        None if revision == newest else f"the schema is {revision}, this version needs {newest}; run `markwise migrate`"
    )


def _row_security(engine: Engine) -> Finding:
    unforced = text(
        "SELECT string_agg(c.relname, ', ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'tenant_id' AND c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    )
    stepping_around = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    with transaction(engine, None) as session:
        if session.scalar(stepping_around):
            return "the service connects with a role that row security does not bind; let MARKWISE_APP_DATABASE_URL name markwise_app"
        tables = session.scalar(unforced)
    return None if tables is None else f"row security is not forced on {tables}; run `markwise migrate`"


def _keys(engine: Engine, settings: Settings) -> Finding:
    if not settings.require_keys:
        return None
    with transaction(engine, None) as session:
        tenants = KeyRepository(session).tenant_ids()
    for tenant_id in tenants:
        with transaction(engine, tenant_id) as session:
            if KeyRepository(session).any_exist():
                return None
    return "keys are required and there is none; make one with `markwise keys create NAME`"


def _workers(engine: Engine) -> Finding:
    with transaction(engine, None) as session:
        served = {name for row in session.scalars(select(WorkerProcessRow.queues).where(reporting())) for name in row}
    missing = sorted({"interactive", "batch", "train"} - served)
    return (
        f"no worker serves {', '.join(missing)}; start one with `markwise worker --queues {','.join(missing)}`"
        if missing
        else None
    )


def _queues(engine: Engine) -> Finding:
    waiting = select(JobRow.queue, func.extract("epoch", NOW - func.min(JobRow.run_at)))
    due = waiting.where(JobRow.status == "queued", JobRow.run_at <= NOW).group_by(JobRow.queue)
    with queue_transaction(engine, durable=False) as session:
        for queue, seconds in session.execute(due):
            if float(seconds) > _OLD_JOB_S[queue]:
                return f"the oldest {queue} job has waited {float(seconds):.0f} s; add workers for this queue"
        unsent = session.scalar(select(func.extract("epoch", NOW - func.min(OutboxRow.due_at))))
    if unsent is not None and float(unsent) > _OLD_HINT_S:
        return f"hints have waited {float(unsent):.0f} s to be sent; is `python -m workers.housekeeping` running?"
    return None


def _redis(settings: Settings) -> Finding:
    try:
        with redis.Redis.from_url(settings.hints_url, socket_timeout=2.0, socket_connect_timeout=2.0) as client:
            policy = dict(client.config_get("maxmemory-policy")).get("maxmemory-policy", _EVICTING)
    except redis.ResponseError:
        return None  # a hosted Redis that keeps its settings to itself
    except (redis.RedisError, OSError):
        return "Redis does not answer; check MARKWISE_REDIS_URL. Orders are taken meanwhile and begin when it is back"
    return (
        None if policy == _EVICTING else f"Redis evicts ({policy}), which delays jobs; set maxmemory-policy {_EVICTING}"
    )


def _blobs(blobs: BlobStore) -> Finding:
    try:
        blobs.check()
    except BlobError as exc:
        return f"the blob store cannot be used: {exc}; check MARKWISE_BLOBS and its credentials"
    return None


def _files(blobs: BlobStore) -> Finding:
    read, damaged = 0, []
    try:
        for stat in blobs.list():
            try:
                blobs.get(stat.key)
            except BlobCorrupt:
                damaged.append(stat.key)
            except BlobMissing:
                continue  # deleted since it was listed
            read += 1
    except BlobError as exc:
        return f"the blob store broke off after {read} files: {exc}"
    named = ", ".join(damaged[:5])
    return f"{len(damaged)} of {read} are damaged: {named}; put them back from a backup" if damaged else None


def _model(remote: RemoteModel) -> Finding:
    try:
        remote.ready()
    except BackendUnfit as unfit:
        return str(unfit)
    except ModelError:
        return "the model server does not answer; check MARKWISE_VLM_URL and its log"
    return None
