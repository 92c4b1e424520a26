"""No tenant reaches another's things: every route of the OpenAPI document is swept, by the tables of `tenant_sweep`.

Tenant `own` has one of everything; a stranger with every scope asks for each by its id, in paths, queries and bodies. What he is told
must be what he is told about an id that does not exist.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text, update

from app.catalog.session import app_engine, transaction
from app.catalog.tables import Base, KeyRow
from app.main import create_app
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from tests.conftest import TEMPLATE, add_tenant, execute, with_database
from tests.integration.app.one_of_everything import one_of_everything
from tests.integration.app.tenant_sweep import (
    BODIES,
    GUARDED,
    IN_PATHS,
    IN_QUERIES,
    NAME_NOTHING,
    OPEN,
    OPERATIONS,
    OTHER_QUERIES,
    OTHERS_IN_PATHS,
    READS_OF_ANY_KEY,
    WITH_IDS,
    Door,
    Operation,
    nobody,
    told,
    written,
)


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


def test_every_part_of_a_path_and_every_query_is_known_here() -> None:
    for (_, path), operation in OPERATIONS:
        for parameter in operation.get("parameters", []):
            known = {"path": {*IN_PATHS, *OTHERS_IN_PATHS}, "query": {*IN_QUERIES, *OTHER_QUERIES}}
            place = parameter["in"]
            assert place == "header" or parameter["name"] in known[place], (
                f"{path}: put {parameter['name']} in tenant_sweep"
            )


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
