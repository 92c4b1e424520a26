"""A sealed dataset cannot change, whoever tries; versions are counted without gaps or doubles, however many build at once."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.catalog.datasets import DatasetRepository
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.tables import DatasetRow
from app.catalog.texts import TextRepository, Verdict
from app.errors import Conflict
from tests.conftest import execute
from tests.integration.datasets.conftest import Catalog, said

INSERT = (
    "INSERT INTO dataset_items (dataset_id, position, sample_id, kind, part, stage, conversations)"
    " SELECT id, 99, 'x', 'listing', 'p', 'all', '[]' FROM datasets"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE datasets SET name = 'other'",
        "UPDATE datasets SET sealed_at = NULL, version = NULL, content_sha256 = NULL",
        "DELETE FROM datasets",
        "UPDATE dataset_items SET conversations = '[]'",
        "DELETE FROM dataset_items",
        INSERT,
    ],
)
def test_neither_the_service_nor_the_owner_can_change_a_sealed_dataset(catalog: Catalog, statement: str) -> None:
    catalog.text()
    made = catalog.build()
    before = [(item.position, item.conversations) for item in catalog.items(made)]
    refused = pytest.raises(DBAPIError, match=r"sealed|cannot change|permission denied")
    with refused, transaction(catalog.engine, catalog.tenant) as session:
        session.execute(text(statement))
    owners = statement.replace("(dataset_id,", "(tenant_id, dataset_id,").replace("SELECT id,", "SELECT tenant_id, id,")
    with pytest.raises(Exception, match=r"sealed|cannot change"):
        execute(catalog.resources.settings, owners)
    assert [(item.position, item.conversations) for item in catalog.items(made)] == before
    assert catalog.dataset(made.id).content_sha256 == made.content_sha256


def test_reviews_after_the_build_flow_into_the_next_version_only(catalog: Catalog) -> None:
    kept, dropped = catalog.text(), catalog.text()
    first = catalog.build()
    with transaction(catalog.engine, catalog.tenant) as session:
        texts = TextRepository(session)
        texts.review(kept, Verdict(review="edited", conversations=said("List.", "1. better")))
        texts.review(dropped, Verdict(review="rejected"))
    second = catalog.build()
    assert [item.text_id for item in catalog.items(first)] == [kept, dropped]
    assert catalog.items(first)[0].conversations != said("List.", "1. better")
    assert [(item.text_id, item.conversations) for item in catalog.items(second)] == [
        (kept, said("List.", "1. better"))
    ]


def test_two_builds_of_one_name_at_once_get_two_versions(catalog: Catalog) -> None:
    catalog.text()
    jobs = [catalog.order(name="same") for _ in range(4)]
    threads = [threading.Thread(target=catalog.run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with transaction(catalog.engine, catalog.tenant) as session:
        rows = session.execute(select(DatasetRow.version, DatasetRow.content_sha256).order_by(DatasetRow.version)).all()
    assert [version for version, _ in rows] == [1, 2, 3, 4]
    assert len({digest for _, digest in rows}) == 1


def test_what_is_not_sealed_is_not_seen_and_must_be_whole(catalog: Catalog) -> None:
    catalog.text()
    with transaction(catalog.engine, catalog.tenant) as session:
        datasets = DatasetRepository(session)
        dataset_id: UUID = datasets.begin(name="d", recipe={}, job_id=catalog.job_id)
        assert datasets.list_after(limit=10, after=None).rows == []
        with pytest.raises(Exception, match="no dataset"):
            datasets.get(dataset_id)
        with pytest.raises(Conflict):
            datasets.seal(dataset_id, items=1, content_sha256="x", statistics={})


def test_an_item_cannot_slip_in_while_the_seal_is_set(catalog: Catalog) -> None:
    catalog.text()
    with transaction(catalog.engine, catalog.tenant) as session:
        dataset_id = DatasetRepository(session).begin(name="d", recipe={}, job_id=catalog.job_id)
    row = {
        "dataset_id": dataset_id, "position": 0, "sample_id": "x", "kind": "listing", "part": "p", "stage": "all",
        "conversations": [],
    }  # fmt: skip
    refused: list[str] = []

    def slip_in() -> None:
        try:
            with transaction(catalog.engine, catalog.tenant) as session:
                DatasetRepository(session).add_items([row])
        except DBAPIError as error:
            refused.append(str(error))

    late = threading.Thread(target=slip_in)
    with transaction(catalog.engine, catalog.tenant) as session:
        DatasetRepository(session).seal(dataset_id, items=0, content_sha256="x", statistics={})
        late.start()
        late.join(0.5)
        assert late.is_alive(), "it waits for the seal"
    late.join(10)
    assert len(refused) == 1
    assert "sealed" in refused[0]


def test_an_image_that_a_dataset_rests_on_stays(catalog: Catalog) -> None:
    image_id = catalog.image()
    catalog.text(image_id=image_id)
    catalog.build()
    with pytest.raises(Conflict, match="The dataset d holds"), transaction(catalog.engine, catalog.tenant) as session:
        ImageRepository(session).delete(image_id)
    with pytest.raises(DBAPIError, match="foreign key"), transaction(catalog.engine, catalog.tenant) as session:
        session.execute(text("DELETE FROM images"))
