"""The plans of the catalog's reads as the product sends them: EXPLAIN (ANALYZE, BUFFERS) under row-level security. For `tests.bench.scale`."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.catalog.gallery import Gallery, Wanted
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.storage_use import StorageUses
from app.services import marking

Read = Callable[[Session], object]


def reads(image_id: UUID, mark_set_id: UUID) -> Mapping[str, Read]:
    """What is explained: the catalog's half of the reads that are timed."""
    return {
        "an image": lambda s: ImageRepository(s).get(image_id),
        "images, first page": lambda s: ImageRepository(s).list_after(limit=50, after=None),
        "images, a page far down": lambda s: ImageRepository(s).list_after(limit=50, after=str(image_id)),
        "images with a common label": lambda s: Gallery(s).page(Wanted(labels=("common",)), limit=50, after=None),
        "images with a seldom label": lambda s: Gallery(s).page(Wanted(labels=("seldom",)), limit=50, after=None),
        "images with a label of none": lambda s: Gallery(s).page(Wanted(labels=("nobody's",)), limit=50, after=None),
        "a mark set": lambda s: marking.shown(s, mark_set_id, masks=False),
        "mark sets of an image": lambda s: marking.shown_page(s, limit=50, after=None, image_id=image_id),
        "mark sets, a page of 50": lambda s: marking.shown_page(s, limit=50, after=str(mark_set_id)),
        "a quota": lambda s: StorageUses(s).check(None),
    }


def plans(engine: Engine, tenant_id: UUID, image_id: UUID, mark_set_id: UUID) -> str:
    """Run each read once, and then each of its statements again under EXPLAIN; returns the whole as text."""
    parts = []
    for name, read in reads(image_id, mark_set_id).items():
        parts.append(f"== {name}")
        for statement, values in _asked(engine, tenant_id, read):
            parts.append("\n".join(_explained(engine, tenant_id, statement, values)))
    return "\n\n".join(parts) + "\n"


def _asked(engine: Engine, tenant_id: UUID, read: Read) -> list[tuple[str, Any]]:
    """The statements of a read with their values; a change of role stands before what it is for."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        asked.append((statement, values))

    with transaction(engine, tenant_id) as session:
        session.connection()
        event.listen(engine, "before_cursor_execute", note)
        try:
            read(session)
        finally:
            event.remove(engine, "before_cursor_execute", note)
    searching, found = False, []
    for statement, values in asked:
        if "ROLE" in statement:
            searching = statement.startswith("SET")
        elif statement.lstrip().startswith("SELECT") and "set_config" not in statement:
            found.append((f"/* search */ {statement}" if searching else statement, values))
    return found


def _explained(engine: Engine, tenant_id: UUID, statement: str, values: Any) -> list[str]:
    with transaction(engine, tenant_id) as session:
        connection = session.connection()
        if statement.startswith("/* search */"):
            connection.exec_driver_sql("SET LOCAL ROLE markwise_search")
        lines = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values)
        kept = [str(line[0])[:200] for line in lines]
        connection.exec_driver_sql("RESET ROLE")
    return kept
