"""/healthz, /readyz and /metrics: alive, able to work, and how it goes."""

import time
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.http.deps import WebPart
from app.services.readiness import checks

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers; nothing else is touched."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {}})
def readyz(web: WebPart) -> JSONResponse:
    """200 only when a mark and a ground call can succeed now, else 503 that names what is down."""
    started = time.perf_counter()
    found = checks(web.settings, web.engine, web.blobs, web.remote)
    if web.listener.leaving:
        found["process"] = "the process is stopping"
    ready = all(error is None for error in found.values())
    body: dict[str, Any] = {
        "status": "ready" if ready else "unavailable",
        "checks": {name: error or "ok" for name, error in found.items()},
        "took_ms": round(1000 * (time.perf_counter() - started), 1),
    }
    return JSONResponse(body, 200 if ready else 503, None if ready else {"Retry-After": "5"})


@router.get("/metrics", response_class=Response)
def metrics(web: WebPart) -> Response:
    """Prometheus' text format: requests and answers of the API's processes, queues, jobs and workers of the installation."""
    return Response(web.metrics.text(), media_type=CONTENT_TYPE_LATEST)
