"""Listings of a dataset: the labels are its texts, the pictures its marked images, and no name reaches the model."""

from uuid import UUID

from sqlalchemy import text

from app.catalog.session import transaction
from app.catalog.tables import DatasetItemRow, DatasetRow, ImageRow
from tests.integration.annotating.conftest import NAMES, add_image
from workers.runner import Outcome


def dataset_of(marked, engine, tenant) -> UUID:
    """A sealed dataset of one listing per mark set."""
    listing = "\n".join(f"{number}. {name}" for number, name in enumerate(NAMES, 1))
    turns = [{"from": "human", "value": "<image>\nList."}, {"from": "gpt", "value": listing}]
    with transaction(engine, tenant) as session:
        dataset = DatasetRow(name="d", recipe={}, statistics={})
        session.add(dataset)
        session.flush()
        for position, (_, mark_set_id) in enumerate(marked):
            told = {"kind": "listing", "part": "a", "stage": "a", "conversations": turns, "sample_id": f"s{position}"}
            session.add(DatasetItemRow(dataset_id=dataset.id, position=position, mark_set_id=mark_set_id, **told))
        session.flush()
        session.execute(text("UPDATE datasets SET version = 1, content_sha256 = 'x', sealed_at = clock_timestamp()"))
        return dataset.id


def test_a_datasets_listings_are_measured(desk, runner, resources, model, engine, tenant) -> None:
    marked = [add_image(engine, resources.blobs, tenant, number) for number in range(3)]
    dataset_id = dataset_of(marked, engine, tenant)
    model._answer = "1. cat\n2. dog\n3. cow\n9. ant"
    assert runner.run(desk.order(benchmark="listing", dataset_id=str(dataset_id), n=2)) is Outcome.SUCCEEDED
    (row,) = desk.evaluations()
    assert (row.dataset_id, row.settings["source"], row.metrics["n"]) == (dataset_id, "dataset", 2)
    assert (row.metrics["item_accuracy"], row.metrics["invented"], row.metrics["missed"]) == (50, 2, 2)
    asked = " ".join(request.prompt for request in model.requests)
    assert not any(name in asked for name in NAMES), "the names must come from the pixels"


def test_a_picture_that_is_lost_costs_its_question_only(desk, runner, resources, engine, tenant) -> None:
    marked = [add_image(engine, resources.blobs, tenant, number) for number in range(3)]
    with transaction(engine, tenant) as session:
        resources.blobs.delete(session.get_one(ImageRow, marked[1][0]).blob_key)
    job_id = desk.order(benchmark="listing", dataset_id=str(dataset_of(marked, engine, tenant)))
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (row,) = desk.evaluations()
    assert (row.metrics["n"], row.report["failed"]) == (2, 1)
    assert desk.job(job_id).progress_failed == 1
