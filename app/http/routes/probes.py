"""/v1/probes: yes-no questions about what images of the catalog show, with their truth."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.http.deps import AnyCaller, Tx
from app.services import probes
from models.evaluation.probes import SAMPLINGS, Sampling

router = APIRouter(tags=["learning"])

JSON_LINES = "application/x-ndjson"


@router.get(
    "/v1/probes", response_class=Response, responses={200: {"content": {JSON_LINES: {"schema": {"type": "string"}}}}}
)
def get_probes(
    tx: Tx,
    _: AnyCaller,
    label: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    import_: Annotated[UUID | None, Query(alias="import", description="the images of an import, by its job")] = None,
    source: Annotated[
        list[str] | None, Query(max_length=20, description="whose annotations count; all by default")
    ] = None,
    sampling: Annotated[list[Sampling] | None, Query(max_length=3, description="all three by default")] = None,
    seed: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    pictures: Annotated[int, Query(ge=1, le=20_000, description="at most so many, drawn by the seed")] = 500,
) -> Response:
    """Ask of each picture about three things that are there and three that are not (POPE), as JSON lines in LLaVA's layout.

    Absent things are drawn at `random`, the most `popular`, or those that stand most often beside what is there
    (`adversarial`), counted over all chosen images. `image` names `/v1/images/{id}/content` as `{id}.png`.
    """
    chosen = [name for name in SAMPLINGS if sampling is None or name in sampling]
    lines = probes.make(
        tx, label=label, import_=import_, sources=source, samplings=chosen, seed=seed, pictures=pictures
    )
    return Response("".join(lines), media_type=JSON_LINES)
