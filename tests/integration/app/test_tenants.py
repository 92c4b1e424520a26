"""No tenant reaches another's things: every route of the OpenAPI document is swept, and one that is new must be put in the tables here.

Tenant `own` has one of everything; a stranger with every scope asks for each by its id, in paths, queries and bodies. What he is told
must be what he is told about an id that does not exist.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text, update

from app.catalog.session import app_engine, transaction
from app.catalog.tables import (
    AnswerRow,
    Base,
    CandidateRow,
    DatasetItemRow,
    DatasetRow,
    EvaluationItemRow,
    EvaluationRow,
    ImageRow,
    KeyRow,
    MarkRow,
    MarkSetRow,
    ModelVersionRow,
    TextRevisionRow,
    TextRow,
    WebhookDeliveryRow,
    WebhookRow,
)
from app.main import create_app
from app.queue.outbox import enqueue
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from app.storage.blobs import image_key, open_blobs, overlay_key
from models.regions import Regions
from tests.acceptance.service import drawn
from tests.conftest import TEMPLATE, add_tenant, execute, with_database

OPEN = {"/healthz", "/readyz", "/metrics"}
"""What needs no key: it says nothing of any tenant."""

READS_OF_ANY_KEY = re.compile(
    r"GET /v1/(jobs|annotations|writers|evaluations|findings|probes|texts|datasets|models|benchmarks|recipes)\b.*"
)
"""What a key without any scope may do: look."""

Operation = tuple[str, str]
IN_PATHS = {
    "answer_id": "answer",
    "image_id": "image",
    "mark_set_id": "mark_set",
    "job_id": "job",
    "evaluation_id": "evaluation",
    "finding_id": "finding",
    "text_id": "text",
    "dataset_id": "dataset",
    "model": "model_version",
    "key_id": "key",
    "webhook_id": "webhook",
    "delivery_id": "delivery",
}
OTHERS_IN_PATHS = {"extension": "png", "mark": "1", "position": "0"}
"""Parts of a path that name nothing by themselves."""

IN_QUERIES = {
    "image_id": "image",
    "mark_set_id": "mark_set",
    "job_id": "job",
    "label": "label",
    "q": "label",
    "name": "dataset_name",
    "import": "job",
}
OTHER_QUERIES = {
    "points",
    "limit",
    "after",
    "action",
    "cut",
    "include",
    "style",
    "format",
    "kind",
    "status",
    "review",
    "size",
} | {
    "stage",
    "shard",
    "shards",
    "source",
    "sampling",
    "seed",
    "pictures",
}

NEEDED_QUERIES = {
    ("GET", "/v1/marksets/{mark_set_id}/export"): {"format": "coco"},
    ("GET", "/v1/probes"): {"label": "watermark"},
}

PICTURE = {"image": {"type": "id", "id": "<image>"}}
BODIES: dict[Operation, list[dict[str, Any]]] = {
    ("POST", "/v1/ground"): [
        {"query": "Click a", "mark_set_id": "<mark_set>"},
        {"query": "Click a", **PICTURE},
        {"query": "a", "task": "correspond", "mark_set_id": "<mark_set>", "target_mark_set_id": "<mark_set>"},
    ],
    ("POST", "/v1/marksets"): [PICTURE, {**PICTURE, "previous_mark_set_id": "<mark_set>"}],
    ("POST", "/v1/images"): [PICTURE],
    ("PATCH", "/v1/images"): [
        {"images": {"ids": ["<image>"]}, "add_labels": ["mine"]},
        {"images": {"label": "<label>"}, "remove_labels": ["<label>"]},
        {"images": {"import": "<job>"}, "add_labels": ["mine"]},
    ],
    ("POST", "/v1/images/delete"): [{"ids": ["<image>"]}],
    ("PATCH", "/v1/marksets/{mark_set_id}/marks/{mark}"): [{"text": "mine"}],
    ("POST", "/v1/marksets/{mark_set_id}/revisions"): [{"op": "delete", "marks": ["1"]}],
    ("PATCH", "/v1/keys/{key_id}"): [{"max_images": 1}],
    ("POST", "/v1/chat/completions"): [
        {
            "model": "som-llava-tiny",
            "messages": [{"role": "user", "content": "what is 1?"}],
            "markwise": {"mark_set_id": "<mark_set>"},
        }
    ],
    ("POST", "/v1/annotations"): [
        {"images": {"ids": ["<image>"]}},
        {"images": {"import": "<job>"}},
        {"images": {"job_ids": ["<job>"]}},
        {"images": {"label": "<label>"}},
        {"images": {"ids": ["<image>"]}, "mark_set_ids": ["<mark_set>"]},
    ],
    ("POST", "/v1/trainings"): [{"dataset_id": "<dataset>"}],
    ("POST", "/v1/evaluations"): [{"dataset_id": "<dataset>"}, {"model": "<model_version>"}],
    ("POST", "/v1/findings"): [
        {"finder": "<finder>", "images": {"ids": ["<image>"]}},
        {"finder": "<model_version>", "images": {"label": "<label>"}},
    ],
    ("POST", "/v1/looks"): [{"mark_set_id": "<mark_set>", "query": "what is 1?"}],
    ("PATCH", "/v1/texts/{text_id}"): [{"review": "accepted"}],
    ("POST", "/v1/datasets"): [{"name": "stolen", "job_ids": ["<job>"]}],
    ("POST", "/v1/datasets/preview"): [{"name": "stolen", "job_ids": ["<job>"]}],
    ("POST", "/v1/models/deploy"): [{"model_version_id": "<model_version>"}],
    ("PATCH", "/v1/webhooks/{webhook_id}"): [{"active": False}],
}
NAME_NOTHING = {
    ("POST", "/v1/imports"),
    ("POST", "/v1/keys"),
    ("POST", "/v1/webhooks"),
    ("POST", "/v1/models/rollback"),
}
"""Bodies in which no id has a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A client, and whom it speaks for."""

    client: TestClient
    own: dict[str, str]
    keys: dict[str, str]

    def ask(
        self, operation: Operation, who: str | None, ids: dict[str, str], body: Any = None, query: Any = None
    ) -> Any:
        """Call an operation with the parts of its path filled in."""
        method, path = operation
        named = {name: ids[noun] for name, noun in IN_PATHS.items()} | OTHERS_IN_PATHS
        headers = {"Prefer": "wait=0"} | ({"Authorization": f"Bearer {self.keys[who]}"} if who else {})
        content = None if body is None else filled(body, ids)
        query = query or NEEDED_QUERIES.get(operation)
        return self.client.request(method, path.format(**named), json=content, headers=headers, params=query)


def filled(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, ids) for value in body]
    if isinstance(body, str) and (match := re.fullmatch(r"<(\w+)>", body)):
        return ids[match[1]]
    return body


def operations() -> list[tuple[Operation, dict[str, Any]]]:
    document = create_app(Settings()).openapi()
    return [
        ((method.upper(), path), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


OPERATIONS = operations()
GUARDED = [operation for operation, _ in OPERATIONS if operation[1] not in OPEN]
WITH_IDS = [operation for operation in GUARDED if "{" in operation[1]]


def written(operation: Operation) -> str:
    return " ".join(operation)


@pytest.fixture(scope="module")
def database(stack: Settings) -> Iterator[Settings]:
    """One for all: what a stranger can change is what this is about."""
    execute(stack, f"CREATE DATABASE tenants TEMPLATE {TEMPLATE} STRATEGY wal_log")
    yield with_database(stack, "tenants")
    execute(stack, "DROP DATABASE tenants WITH (FORCE)")


@pytest.fixture(scope="module")
def engine(database: Settings) -> Iterator[Engine]:
    made = app_engine(database)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def tenant(database: Settings) -> UUID:
    return add_tenant(database, "owner")


@pytest.fixture(scope="module")
def other_tenant(database: Settings) -> UUID:
    return add_tenant(database, "stranger")


@pytest.fixture(scope="module")
def door(
    database: Settings, engine: Engine, tenant: UUID, other_tenant: UUID, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    # The sweep asks as fast as it can, which is more than a key may.
    open_door = {"require_keys": True, "key_requests_per_min": 0, "blobs": str(tmp_path_factory.mktemp("blobs"))}
    settings = database.model_copy(update=open_door)
    keys = {}
    for name, of, scopes in (
        ("owner", tenant, ALL_SCOPES),
        ("stranger", other_tenant, ALL_SCOPES),
        ("bare", tenant, ()),
        ("revoked", tenant, ALL_SCOPES),
        ("expired", tenant, ALL_SCOPES),
    ):
        with transaction(engine, of) as session:
            row, keys[name] = issue(session, name, list(scopes))
            if name in {"revoked", "expired"}:
                column = KeyRow.revoked_at if name == "revoked" else KeyRow.expires_at
                past = {column: text("clock_timestamp() - interval '1 second'")}
                session.execute(update(KeyRow).where(KeyRow.id == row.id).values(past))
    own = one_of_everything(engine, tenant, settings)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield Door(client=client, own=own, keys=keys)


def one_of_everything(engine: Engine, tenant: UUID, settings: Settings) -> dict[str, str]:
    """Give a tenant one row of every kind; returns their ids by noun."""
    picture, blobs = drawn(1), open_blobs(settings.blobs_place)
    key = image_key(str(tenant), "0" * 64)
    blobs.put_if_absent(key, picture)
    with transaction(engine, tenant) as session:
        job = enqueue(
            session, kind="annotation.create", queue="batch", payload={"kind": "listing", "model": "rules"}, items=[{}]
        )
        image = ImageRow(
            sha256="0" * 64,
            media_type="image/png",
            width=320,
            height=240,
            bytes=len(picture),
            labels=["watermark"],
            source="upload",
            blob_key=key,
        )
        session.add(image)
        session.flush()
        mark_set = MarkSetRow(
            image_id=image.id,
            segmenter_name="provided",
            segmenter_version="1",
            style={},
            settings={"style": "markwise"},
            settings_sha256="s",
            omitted_regions=0,
            overlay_blob_key="later",
        )
        session.add(mark_set)
        session.flush()
        mark_set.overlay_blob_key = overlay_key(str(tenant), str(mark_set.id), "markwise", "png")
        blobs.put_if_absent(mark_set.overlay_blob_key, picture)
        version = ModelVersionRow(name="mine", version=1, kind="checkpoint", job_id=job.id, recipe={})
        written_text = TextRow(
            image_id=image.id,
            job_id=job.id,
            job_item=0,
            ordinal=0,
            kind="listing",
            tagged=True,
            conversations=[{"from": "human", "value": "watermark"}, {"from": "gpt", "value": "1. watermark"}],
            provenance={},
        )
        dataset = DatasetRow(name="watermark", recipe={}, statistics={"texts": 1})
        webhook = WebhookRow(url="https://a.example/", events=["job.failed"], secret="whsec_")
        finder = ModelVersionRow(name="seeker", version=1, kind="finder", job_id=job.id, recipe={})
        session.add_all([version, finder, written_text, dataset, webhook])
        session.add(mark_of(mark_set.id))
        session.flush()
        session.add(TextRevisionRow(text_id=written_text.id, revision=0, review="unreviewed", conversations=[]))
        item = {"kind": "listing", "part": "a", "stage": "a", "conversations": [], "sample_id": "a"}
        session.add(DatasetItemRow(dataset_id=dataset.id, position=0, text_id=written_text.id, **item))
        delivery = WebhookDeliveryRow(webhook_id=webhook.id, job_id=job.id, event="job.failed")
        answer = AnswerRow(
            image_id=image.id,
            mark_set_id=mark_set.id,
            task="ask",
            query="q",
            model_name="m",
            body={"text": "watermark"},
        )
        evaluation = EvaluationRow(benchmark="listing", metrics={}, report={})
        session.add_all([delivery, answer, evaluation])
        order = {"model_version_id": str(finder.id), "tagged_label": "watermark"}
        finding = enqueue(session, kind="finding.run", queue="batch", payload={"finding": order}, items=[{}])
        session.flush()
        session.add(CandidateRow(job_id=finding.id, image_id=image.id, score=0.5, bbox_xyxy_px=[0, 0, 1, 1]))
        session.flush()
        session.execute(text("UPDATE datasets SET version = 1, content_sha256 = 'x', sealed_at = clock_timestamp()"))
        seen = {"question_id": "watermark", "answer": {}, "picture": picture}
        session.add(EvaluationItemRow(evaluation_id=evaluation.id, position=0, **seen))
        key_row, _ = issue(session, "victim", ["mark"])
        rows = {
            "image": image,
            "mark_set": mark_set,
            "model_version": version,
            "text": written_text,
            "dataset": dataset,
            "webhook": webhook,
            "delivery": delivery,
            "answer": answer,
            "evaluation": evaluation,
            "finder": finder,
            "finding": finding,
            "job": job,
            "key": key_row,
        }
        return {noun: str(row.id) for noun, row in rows.items()} | {"label": "watermark", "dataset_name": "watermark"}


def mark_of(mark_set_id: UUID) -> MarkRow:
    box = [10.0, 10.0, 60.0, 60.0]
    return MarkRow(
        mark_set_id=mark_set_id,
        mark="1",
        position=0,
        region_id="0",
        bbox_xyxy_px=box,
        point_xy_px=[20.5, 20.5],
        occluded=False,
        label_xy_px=[20.0, 20.0],
        label_bbox_xyxy_px=[18.0, 18.0, 30.0, 30.0],
        leader=None,
        area_px=2500,
        score=1.0,
        text="watermark",
        role=None,
        rle=dict(Regions.from_boxes((240, 320), [box]).rles[0]),
    )


def nobody() -> dict[str, str]:
    """Ids that name nothing."""
    return {noun: str(uuid4()) for noun in (*IN_PATHS.values(), "finder", "label", "dataset_name")}


def told(response: Any, ids: dict[str, str]) -> tuple[int, Any]:
    """What a response says, without what differs between any two requests."""
    said = response.text
    for noun, value in ids.items():
        said = said.replace(value, f"<{noun}>")
    said = re.sub(r'"(request_id|instance)":\s*"[^"]*"', "", said)
    return response.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d\d:\d\d:[\d.]+", "", said)


def test_every_part_of_a_path_and_every_query_is_known_here() -> None:
    for (_, path), operation in OPERATIONS:
        for parameter in operation.get("parameters", []):
            known = {"path": {*IN_PATHS, *OTHERS_IN_PATHS}, "query": {*IN_QUERIES, *OTHER_QUERIES}}
            place = parameter["in"]
            assert place == "header" or parameter["name"] in known[place], f"{path}: sweep {parameter['name']} here too"


def test_every_body_is_known_here() -> None:
    with_body = {operation for operation, described in OPERATIONS if "requestBody" in described}
    assert with_body - set(BODIES) - NAME_NOTHING == set(), (
        "say in BODIES where an id has its place, or in NAME_NOTHING"
    )


def test_every_id_that_a_body_can_carry_is_tried() -> None:
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    taken = {
        (name, field)
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if "'format': 'uuid'" in str(described) and name.endswith("In")
    }
    tried = set(re.findall(r"'(\w+)': (?:\[)?'<", str(BODIES)))
    # Examples are shown to a teacher by the worker, which reads them as the tenant; a made-up one is looked for later.
    assert {field for _, field in taken} - tried == {"examples"}


@pytest.mark.parametrize("operation", GUARDED, ids=written)
def test_nobody_is_let_in_without_a_living_key(door: Door, operation: Operation) -> None:
    body = BODIES.get(operation, [{}])[0] if operation[0] in {"POST", "PATCH"} else None
    for who in (None, "revoked", "expired"):
        response = door.ask(operation, who, door.own, body)
        assert response.status_code == 401, (who, response.text)


@pytest.mark.parametrize("operation", GUARDED, ids=written)
def test_a_key_without_scopes_may_only_look(door: Door, operation: Operation) -> None:
    body = BODIES.get(operation, [{}])[0] if operation[0] in {"POST", "PATCH"} else None
    if operation == ("GET", "/v1/jobs/{job_id}/events"):
        return  # streams until the job ends; looking at it is as free as looking at the job
    response = door.ask(operation, "bare", door.own, body)
    expected = READS_OF_ANY_KEY.fullmatch(written(operation)) is not None
    assert (response.status_code != 403) == expected, response.text


@pytest.mark.parametrize("operation", WITH_IDS, ids=written)
def test_a_stranger_is_told_that_there_is_no_such_thing(door: Door, operation: Operation) -> None:
    body = BODIES.get(operation, [None])[0]
    if operation[0] == "GET" and not operation[1].endswith("/events"):
        assert door.ask(operation, "owner", door.own).status_code == 200  # else the sweep would prove nothing
    theirs, made_up = door.ask(operation, "stranger", door.own, body), nobody()
    nothing = door.ask(operation, "stranger", made_up, body)
    assert theirs.status_code == 404, theirs.text
    assert told(theirs, door.own) == told(nothing, made_up)


@pytest.mark.parametrize(
    ("operation", "body"),
    [(operation, body) for operation, bodies in BODIES.items() for body in bodies if "<" in str(body)],
    ids=lambda value: written(value) if isinstance(value, tuple) else re.sub(r"\W+", "-", str(value)),
)
def test_an_id_in_a_body_opens_nothing(door: Door, operation: Operation, body: dict[str, Any]) -> None:
    made_up = nobody()
    theirs = door.ask(operation, "stranger", door.own, body)
    nothing = door.ask(operation, "stranger", made_up, body)
    # A dataset is built by a worker, as the stranger: his order is taken, and finds no text of such a job.
    assert theirs.status_code in ({202} if operation[1].startswith("/v1/datasets") else {404, 422}), theirs.text
    assert told(theirs, door.own) == told(nothing, made_up)


def test_lists_and_queries_hold_nothing_of_others(door: Door) -> None:
    for operation, described in OPERATIONS:
        if operation[0] != "GET" or operation[1] in OPEN or "{" in operation[1]:
            continue
        names = {parameter["name"] for parameter in described.get("parameters", [])}
        queries = [{}] + [{name: door.own[IN_QUERIES[name]]} for name in names & set(IN_QUERIES)]
        for query in queries:
            said = door.ask(operation, "stranger", door.own, query=query)
            assert said.status_code in {200, 404}, said.text
            assert "watermark" not in said.text
            assert not [noun for noun, value in door.own.items() if value in said.text]


def test_a_cursor_of_anothers_row_is_no_cursor(door: Door) -> None:
    for noun, path in (("image", "/v1/images"), ("job", "/v1/jobs"), ("answer", "/v1/answers"), ("text", "/v1/texts")):
        response = door.ask(("GET", path), "stranger", door.own, query={"after": door.own[noun]})
        assert response.status_code == 400, response.text


def test_after_all_that_nothing_is_gone_or_changed(door: Door, engine: Engine, tenant: UUID) -> None:
    before = contents(engine, tenant)
    for operation in WITH_IDS:
        if operation[0] != "GET":
            door.ask(operation, "stranger", door.own, BODIES.get(operation, [None])[0])
    for operation, bodies in BODIES.items():
        for body in bodies:
            door.ask(operation, "stranger", door.own, body)
    assert contents(engine, tenant) == before


def contents(engine: Engine, tenant: UUID) -> dict[str, list[str]]:
    tables = [table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.columns]
    found = {}
    with transaction(engine, tenant) as session:
        for table in tables:
            rows = session.execute(text(f"SELECT row_to_json({table})::text FROM {table}")).scalars()
            # When a key was last used is not a change.
            found[table] = sorted(re.sub(r'"last_used_at":[^,}]*', "", row) for row in rows)
    return found


def test_the_row_policies_hold_for_every_table_whoever_asks(door: Door, engine: Engine, other_tenant: UUID) -> None:
    """Also past the routes: as the stranger, and as nobody, every tenant table of the schema is empty or his own."""
    for of in (other_tenant, None):
        for table in Base.metadata.sorted_tables:
            if "tenant_id" not in table.columns:
                continue
            with transaction(engine, of) as session:
                rows = session.execute(text(f"SELECT tenant_id FROM {table.name}")).scalars().all()
            assert set(rows) <= ({of} if of else set()), table.name


def test_a_pooled_connection_forgets_whose_it_was(engine: Engine, door: Door, tenant: UUID) -> None:
    """200 transactions end in an error as the owner; the next one on the same connection, as nobody, sees nothing."""
    assert door.own

    def fail() -> None:
        with transaction(engine, tenant) as session:
            assert session.scalar(text("SELECT count(*) FROM images")) == 1
            raise RuntimeError

    for _ in itertools.repeat(None, 200):
        with pytest.raises(RuntimeError):
            fail()
        with transaction(engine, None) as session:
            assert session.scalar(text("SELECT count(*) FROM images")) == 0
