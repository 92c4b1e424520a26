"""Can a mark and a ground call succeed now? Each dependency is asked shortly; what is down is named, not explained."""

from collections.abc import Callable

import redis
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import transaction
from app.catalog.tables import WorkerProcessRow
from app.catalog.worker_processes import reporting
from app.services.remote import RemoteModel
from app.settings import Settings
from app.storage.blobs import BlobError, BlobStore
from models.errors import BackendUnfit, ModelError

ASK_S = 2.0


def checks(settings: Settings, engine: Engine, blobs: BlobStore, remote: RemoteModel | None) -> dict[str, str | None]:
    """Return each dependency with None, or with the sentence that says it is down."""
    found: dict[str, str | None] = {
        "database": _database(engine),
        "redis": _redis(settings),
        "blobs": _blobs(blobs),
    }
    found["worker"] = "the database is down" if found["database"] else _worker(engine)
    if remote is not None:
        found["model"] = _model(remote)
    return found


def _down_if(failing: Callable[[], object], errors: tuple[type[Exception], ...], sentence: str) -> str | None:
    try:
        failing()
    except errors:
        return sentence
    return None


def _database(engine: Engine) -> str | None:
    def ask() -> None:
        with transaction(engine, None) as session:
            session.execute(text("SELECT 1"))

    return _down_if(ask, (SQLAlchemyError,), "Postgres does not answer")


def _redis(settings: Settings) -> str | None:
    def ask() -> None:
        with redis.Redis.from_url(settings.hints_url, socket_timeout=ASK_S, socket_connect_timeout=ASK_S) as client:
            client.ping()

    return _down_if(ask, (redis.RedisError, OSError), "Redis does not answer")


def _blobs(blobs: BlobStore) -> str | None:
    return _down_if(blobs.check, (BlobError,), "the blob store cannot be written to")


def _worker(engine: Engine) -> str | None:
    with transaction(engine, None) as session:
        seen = session.scalar(
            select(func.count())
            .select_from(WorkerProcessRow)
            .where(WorkerProcessRow.queues.contains(["interactive"]), reporting())
        )
    return None if seen else "no worker serves the interactive queue"


def _model(remote: RemoteModel) -> str | None:
    try:
        remote.ready()
    except BackendUnfit as unfit:
        return str(unfit)  # names the setting to change
    except ModelError:
        return "the vision-language model server does not answer"
    return None
