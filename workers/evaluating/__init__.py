"""evaluation.run: the tag listing accuracy of a model, on the listings of a dataset or on held-out drawings.

The model is asked exactly as when it serves, but is not told the regions' texts: the names must come from the pixels.
A listing of N items with M right scores M/N, and the score is the mean over pictures (SoM-LLaVA, section 5.2); an item
is right when its line carries the mark's own name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.catalog.datasets import DatasetRepository
from app.catalog.model_versions import EvaluationRepository
from app.catalog.tables import EvaluationRow
from app.errors import Unprocessable
from models import drawings
from models.evaluation.listing import ListingScore, parse_listing, score_listing
from models.grounding import GroundRequest, ground
from models.marks import Marking, place
from models.regions import Regions
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import VlmBackend
from workers.context import JobContext
from workers.marking import stored_marks

REPORTED = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One marked picture and the true name of every mark."""

    name: str
    pixels: NDArray[np.uint8]
    regions: Regions
    marking: Marking
    truth: dict[str, str]


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `evaluation.run` job."""
    body = job.payload["evaluation"]
    with job.transaction() as session:
        backend, version = job.resources.models.backend(session, body["model"])
    backend.ready()
    total = ListingScore()
    shares: list[float] = []
    records: list[dict[str, Any]] = []
    count, samples = _samples(job, body)
    for number, sample in enumerate(samples):
        job.progress(number, count, body["benchmark"])
        said = listing_of(backend, sample)
        score = score_listing(said, sample.truth)
        total += score
        shares.append(score.item_accuracy)
        if len(records) < REPORTED:
            records.append({"sample": sample.name, "truth": sample.truth, "said": said, "right": score.right})
    metrics = {
        "item_accuracy": 100 * total.item_accuracy,
        "image_accuracy": 100 * total.picture_accuracy,
        "list_wise_accuracy": 100 * sum(shares) / len(shares) if shares else 0.0,
        "invented": total.invented,
        "missed": total.missing,
        "n": total.pictures,
    }
    source = "drawings" if body["dataset_id"] is None else "dataset"
    report = {"source": source, "model": backend.name, "model_version": backend.version, "samples": records}

    def effect(session: Session) -> dict[str, Any]:
        row = EvaluationRow(
            job_id=job.job_id,
            model_version_id=None if version is None else version.id,
            dataset_id=None if body["dataset_id"] is None else UUID(body["dataset_id"]),
            benchmark=body["benchmark"],
            metrics=metrics,
            report=report,
        )
        return {"evaluation_id": str(EvaluationRepository(session).add(row).id)}

    job.finish(effect)
    return None


def listing_of(backend: VlmBackend, sample: Sample) -> str:
    """What the model lists for a picture whose regions' texts it is not told."""
    unnamed = (None,) * len(sample.regions)
    marks = tuple(replace(mark, text=None, role=None) for mark in sample.marking.marks)
    request = GroundRequest(
        image=sample.pixels,
        regions=replace(sample.regions, texts=unnamed, roles=unnamed),
        marking=replace(sample.marking, marks=marks),
        query=LIST_TEMPLATES[0],
        task="list",
    )
    return ground(backend, request).text


def _samples(job: JobContext, body: dict[str, Any]) -> tuple[int, Iterator[Sample]]:
    if body["dataset_id"] is None:
        return body["n"], _drawn(body["n"], body["seed"])
    with job.transaction() as session:
        items = [
            (item.mark_set_id, item.sample_id, item.conversations[-1]["value"])
            for item in DatasetRepository(session).items(UUID(body["dataset_id"]))
            if item.kind == "listing" and item.mark_set_id is not None
        ]
    if not items:
        raise Unprocessable("The dataset holds no listing of a marked picture.")
    items = items[: body["n"]]
    return len(items), _stored(job, items)


def _stored(job: JobContext, items: list[tuple[Any, str, str]]) -> Iterator[Sample]:
    for mark_set_id, name, listing in items:
        marked = stored_marks(job, mark_set_id)
        yield Sample(
            name=name,
            pixels=marked.pixels,
            regions=marked.regions,
            marking=marked.marking,
            truth=parse_listing(listing),
        )


def _drawn(count: int, seed: int) -> Iterator[Sample]:
    first = drawings.HELD_OUT_SEEDS.start + seed * count
    for number in range(first, first + count):
        drawing = drawings.scene(number)
        marking = place(drawing.regions)
        truth = {mark.id: drawing.names[mark.region_index] for mark in marking.marks}
        yield Sample(
            name=f"drawing {number}", pixels=drawing.image, regions=drawing.regions, marking=marking, truth=truth
        )
