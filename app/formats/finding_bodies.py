"""The bodies of findings: a ranking of images by how surely marks are painted on them."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from app.catalog.tables import CandidateRow, JobRow


class CandidateBody(TypedDict):
    """An image, how surely (0-1) it is tagged, and the patch that speaks most for it."""

    image_id: str
    score: float
    bbox_xyxy_px: list[float]


class FindingBody(TypedDict):
    """A page of a ranking. `metrics` are there once the job is done, where it was told which images are tagged."""

    id: str
    object: str
    status: str
    model_version_id: str
    tagged_label: str | None
    metrics: dict[str, float]
    data: list[CandidateBody]
    has_more: bool
    next_cursor: str | None


def finding_body(job: JobRow, rows: Sequence[CandidateRow], *, more: bool) -> FindingBody:
    """Render a page of the ranking that a job made."""
    order = job.payload["finding"]
    return {
        "id": str(job.id),
        "object": "finding",
        "status": job.status,
        "model_version_id": order["model_version_id"],
        "tagged_label": order["tagged_label"],
        "metrics": (job.result or {}).get("metrics", {}),
        "data": [{"image_id": str(row.image_id), "score": row.score, "bbox_xyxy_px": row.bbox_xyxy_px} for row in rows],
        "has_more": more,
        "next_cursor": str(rows[-1].image_id) if more else None,
    }
