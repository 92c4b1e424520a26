"""What deleting an image or a job takes along: all that hangs on it, and found by an index, not by reading a tenant's whole table."""

import psycopg

from app.settings import Settings

_HANGING = """
    SELECT DISTINCT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name IN ('image_id', 'mark_set_id', 'job_id')
"""
_KEYS = """
    SELECT c.conrelid::regclass::text, a.attname, c.confdeltype::text FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[cardinality(c.conkey)]
    WHERE c.contype = 'f' AND c.confrelid IN ('images'::regclass, 'mark_sets'::regclass, 'jobs'::regclass)
"""
# The column itself must be among the first two of an index, behind nothing but the tenant.
_INDEXED = """
    SELECT DISTINCT i.indrelid::regclass::text, a.attname FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum IN (i.indkey[0], i.indkey[1])
    LEFT JOIN pg_attribute first ON first.attrelid = i.indrelid AND first.attnum = i.indkey[0]
    WHERE a.attnum = i.indkey[0] OR first.attname = 'tenant_id'
"""
HELD_BY_A_DATASET = {("dataset_items", "image_id"), ("dataset_items", "mark_set_id")}
"""Its text holds image and mark set (`DatasetItemRow`)."""
FEW = {"model_versions", "datasets", "evaluations"}
"""As many rows as there were trainings, mixtures and measurements; what came of a job also keeps it."""


def pairs(connection: "psycopg.Connection[tuple[str, ...]]", statement: str) -> set[tuple[str, ...]]:
    return set(connection.execute(statement).fetchall())  # type: ignore[call-overload]  # written above


def test_all_that_hangs_on_an_image_or_a_job_goes_or_holds_it(database: Settings) -> None:
    with psycopg.connect(str(database.database_url)) as connection:
        hanging, keys = pairs(connection, _HANGING), pairs(connection, _KEYS)
    tied = {(table, column) for table, column, _ in keys}
    assert hanging - tied == HELD_BY_A_DATASET
    held = {(table, column) for table, column, what in keys if what != "c"}
    assert held == {(table, "job_id") for table in ("texts", "model_versions", "evaluations", "candidates")}


def test_it_is_found_by_an_index(database: Settings) -> None:
    with psycopg.connect(str(database.database_url)) as connection:
        keys, indexed = pairs(connection, _KEYS), pairs(connection, _INDEXED)
    assert {(table, column) for table, column, _ in keys if table not in FEW} - indexed == set()
