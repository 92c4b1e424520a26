"""The composition root of the web process: opens what is long-lived, mounts the routes, closes it again."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware.exceptions import ExceptionMiddleware

from app.catalog.session import app_engine
from app.http import pages, problems
from app.http.admission import Admission
from app.http.deps import Web
from app.http.document import Documented
from app.http.idempotency import Idempotency
from app.http.middleware import RequestFrame
from app.http.routes import (
    annotations,
    chat,
    datasets,
    evaluations,
    findings,
    gallery,
    ground,
    health,
    images,
    imports,
    jobs,
    keys,
    learning,
    looks,
    marksets,
    models,
    probes,
    recipes,
    texts,
    webhooks,
)
from app.http.schemas.ground import GroundIn
from app.http.schemas.images import ImageIn
from app.http.schemas.imports import ImportIn
from app.http.schemas.marksets import MarkSetIn
from app.http.threads import Slots
from app.imaging.decode import ImageDecoder
from app.queue.listener import JobListener
from app.services.backlog import Backlog
from app.services.direct import DirectPath
from app.services.gauges import Metrics
from app.services.images import fetch_policy
from app.services.keys import Callers
from app.services.marking import installed
from app.services.pictures import MarkedPictures
from app.services.remote import RemoteModel, open_remote
from app.settings import Settings
from app.storage.blobs import BlobStore, open_blobs
from models.registry import install


def create_app(settings: Settings) -> FastAPI:
    """Return the API for one set of settings; nothing is opened before it starts to serve."""
    logging.getLogger("markwise").setLevel(settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        install(installed(settings))
        # As many threads as connections: a route never waits for one while it holds the other.
        # None beyond the pool: such a connection is closed after its use, and under load every other answer paid for a new one.
        connections = settings.pool_size + settings.pool_overflow
        to_thread.current_default_thread_limiter().total_tokens = connections
        engine = app_engine(settings, name="markwise-api", pool_size=connections, overflow=0, ping_after_s=1.0)
        listener = JobListener(settings.app_url)
        listener.start()
        decoder = ImageDecoder()
        blobs = open_blobs(settings.blobs_place)
        remote = open_remote(settings)
        app.state.web = Web(
            settings=settings,
            engine=engine,
            callers=Callers(engine, key_required=settings.require_keys),
            blobs=blobs,
            decoder=decoder,
            fetch_policy=fetch_policy(settings),
            listener=listener,
            remote=remote,
            metrics=(metrics := Metrics(settings)),
            direct=None if remote is None else direct_path(settings, engine, blobs, remote),
            remote_slots=(slots := Slots(settings.vlm_concurrency)),
            admission=Admission(
                per_minute=settings.key_requests_per_min, at_once=settings.key_at_once, capacity=settings.capacity
            ),
            backlog=(backlog := Backlog(settings)),
        )
        if remote is not None:
            remote.watch()
        try:
            yield
        finally:
            slots.close()
            backlog.close()
            metrics.close()
            listener.stop()
            decoder.close()
            if remote is not None:
                remote.close()
            blobs.close()
            engine.dispose()

    app = Documented(
        (GroundIn, ImageIn, ImportIn, MarkSetIn),
        title="Markwise",
        version="0.1.0",
        description="Set-of-Mark visual grounding: mark an image, ask about it, get answers tied to regions.",
        lifespan=lifespan,
        # Nobody listens: finding that out anew at every request cost 3 % of an answer.
        telemetry={"tracing": False, "metrics": False, "logs": False} if settings.otlp_endpoint is None else None,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(Idempotency)
    app.add_middleware(
        ExceptionMiddleware, handlers=problems.handlers(app)
    )  # what a middleware raises is told as a route's
    app.add_middleware(RequestFrame)
    # Routes are tried in this order: the one that is asked most stands first.
    for module in (
        ground,
        images,
        gallery,
        marksets,
        chat,
        jobs,
        annotations,
        learning,
        evaluations,
        findings,
        texts,
        datasets,
        imports,
        probes,
        recipes,
        looks,
        models,
        keys,
        webhooks,
        health,
    ):
        app.include_router(module.router)
    pages.mount(app)
    return app


def direct_path(settings: Settings, engine: Engine, blobs: BlobStore, remote: RemoteModel) -> DirectPath:
    """The way of a question straight from this process to the model server."""
    return DirectPath(settings=settings, engine=engine, blobs=blobs, remote=remote, pictures=MarkedPictures(blobs))
