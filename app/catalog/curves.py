"""The numbers that a job reported as it went, thinned out in the database to what a chart can show.

A training of days has hundreds of thousands of them; the buckets hold equally many, so a curve keeps its shape at any length.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Float, Integer, cast, func, select
from sqlalchemy.orm import Session

from app.catalog.tables import JobEventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A bucket of a curve: the last step in it, mean, least and greatest value, and when it ended."""

    step: int | None
    value: float
    low: float
    high: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One reported number over time; `count` values were reported."""

    name: str
    stage: str | None
    count: int
    points: tuple[Point, ...]


def curves_of(session: Session, job_id: UUID, points: int) -> list[Curve]:
    """Return every number of a job by stage, in the order of their first values, each in at most `points` buckets."""
    data = JobEventRow.data
    name, stage = data["name"].astext, data["stage"].astext
    reported = (
        select(
            JobEventRow.id, JobEventRow.created_at, name.label("name"), stage.label("stage"),
            cast(data["value"].astext, Float).label("value"), cast(data["step"].astext, Integer).label("step"),
            func.ntile(points).over(partition_by=(name, stage), order_by=JobEventRow.id).label("bucket"),
        )
        .where(JobEventRow.job_id == job_id, JobEventRow.type == "metric")
        .subquery()
    )  # fmt: skip
    kept = reported.c
    query = (
        select(
            kept.name, kept.stage, func.count(), func.max(kept.step), func.avg(kept.value), func.min(kept.value),
            func.max(kept.value), func.max(kept.created_at),
        )
        .group_by(kept.name, kept.stage, kept.bucket)
        .order_by(func.min(kept.id))
    )  # fmt: skip
    found: dict[tuple[str, str | None], tuple[list[int], list[Point]]] = {}
    for called, of_stage, count, step, mean, low, high, at in session.execute(query):
        counts, series = found.setdefault((called, of_stage), ([], []))
        counts.append(count)
        series.append(Point(step=step, value=mean, low=low, high=high, at=at))
    return [
        Curve(name=called, stage=of_stage, count=sum(counts), points=tuple(series))
        for (called, of_stage), (counts, series) in found.items()
    ]
