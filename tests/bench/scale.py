"""Reads from a catalog of a million images and twenty million marks, through HTTP. Run: python -m tests.bench.scale.

Postgres is the embedded one, the role the service's own, row-level security on, eight tenants in the same tables (`scale_fill`). The
API is the product's process; one client asks one question after the other, for random rows of the largest tenant. CPU time of API
and Postgres is told beside the clock's, because it does not grow with what else the machine does. 18 GB of disk; filling takes
half an hour of two cores. `--reuse` keeps the folder, goes on filling where an earlier run stopped, and measures when it is full.
"""

import argparse
import datetime as dt
import json
import os
import platform
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from rich.progress import track

from app.catalog.session import app_engine
from app.settings import Settings
from app.stack import embedded
from app.stack.migrate import migrate
from tests.bench import scale_fill
from tests.bench.scale_api import Served, served
from tests.bench.scale_plans import plans

RESULTS = Path(__file__).parent / "results" / "scale"
TARGET_MS = 20.0
TURN = 20
"""Requests to one API before it is another's turn: a process's CPU time is told in hundredths of a second."""
# What a production server of this size would have, but for fsync: what is lost here is filled again.
SERVER = (("fsync", "off"), ("shared_buffers", "1GB"), ("work_mem", "16MB"), ("effective_cache_size", "12GB"))
FILLING = (("synchronous_commit", "off"), ("full_page_writes", "off"), ("max_wal_size", "4GB"), ("autovacuum", "off"))
FILLING += (("wal_level", "minimal"), ("max_wal_senders", "0"), ("maintenance_work_mem", "512MB"))
Connection = psycopg.Connection[Any]
Ids = dict[str, list[str]]


def main() -> None:
    """Fill, measure, print, and write tests/bench/results/scale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000, help="each with one mark set, of 20 marks in the mean")
    parser.add_argument("--home", type=Path, default=Path("/tmp/markwise-scale"), help="where the catalog is made")
    parser.add_argument("--reuse", action="store_true", help="keep the folder, and go on with what is in it")
    parser.add_argument(
        "--fill-for", type=float, default=None, help="stop filling after so many seconds (with --reuse)"
    )
    parser.add_argument("--requests", type=int, default=400, help="of each kind")
    parser.add_argument(
        "--against",
        type=Path,
        help="an earlier checkout: asked the same in turns, and every answer must be the same bytes",
    )
    parser.add_argument("--no-write", action="store_true", help="only print")
    asked = parser.parse_args()
    asked.home.mkdir(exist_ok=True, parents=True)
    asked.home.chmod(0o711)
    try:
        if fill(asked.home, asked.images, asked.fill_for):
            report(measured(asked.home, asked.requests, asked.against), write=not asked.no_write)
    finally:
        if not asked.reuse:
            shutil.rmtree(asked.home, ignore_errors=True)


def fill(home: Path, images: int, limit_s: float | None) -> bool:
    """Make the catalog, or go on making it; False if the time is over before it is whole."""
    until = time.monotonic() + (limit_s or float("inf"))
    with embedded.started(Settings(home=home, profile="embedded"), postgres_options=(*SERVER, *FILLING)) as settings:
        with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
            fresh = connection.execute("SELECT to_regclass('images') IS NULL").fetchone() == (True,)
        # As in production: the embedded stack would write a dump of all of it first.
        migrate(settings.model_copy(update={"profile": "production"}))
        with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
            if fresh:
                scale_fill.add_tenants(connection)
                scale_fill.unburden(connection)
            return _filled(connection, images, until)


def _filled(connection: Connection, images: int, until: float) -> bool:
    there = _one(connection, "SELECT count(*) FROM images")
    if there < images:
        scale_fill.prepare(connection)
    firsts = range(there, images, scale_fill.CHUNK)
    for first in track(firsts, description="images and marks", disable=not firsts):
        if time.monotonic() > until:
            return False
        scale_fill.fill(connection, first, min(scale_fill.CHUNK, images - first))
    waiting = connection.execute("SELECT name, definition FROM bench_indexes").fetchall()
    for name, definition in track(waiting, description="indexes", disable=not waiting):
        if time.monotonic() > until:
            return False
        scale_fill.burden(connection, name, definition)
    if waiting:
        for table in ("images", "mark_sets", "marks"):
            connection.execute(f"VACUUM (ANALYZE) {table}")
        scale_fill.recount(connection)
    return True


def measured(home: Path, requests: int, against: Path | None = None) -> dict[str, Any]:
    """Start the product's API on the catalog, ask, and return what was found; with `against`, beside another checkout's."""
    with embedded.started(Settings(home=home, profile="embedded"), postgres_options=SERVER) as settings:
        with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
            tenant_id: UUID = _one(connection, "SELECT id FROM tenants WHERE name = 'large'")
            ids: Ids = {table: _some(connection, table, tenant_id) for table in ("images", "mark_sets")}
            sizes = _sizes(connection)
        engine = app_engine(settings, name="markwise-bench", pool_size=1)
        explained = plans(engine, tenant_id, UUID(ids["images"][0]), UUID(ids["mark_sets"][0]))
        engine.dispose()
        with served(settings) as here, nullcontext() if against is None else served(settings, against) as there:
            apis = {"": here} if there is None else {"": here, ", there": there}
            rows = [row for name, path in kinds(ids).items() for row in timed(apis, name, path, requests)]
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when done",
        "sizes": sizes,
        "rows": rows,
        "plans": explained,
    }


def kinds(ids: Ids) -> dict[str, Callable[[], str]]:
    """The reads, each a maker of paths."""
    chance = random.Random(0)

    def one(table: str) -> str:
        return chance.choice(ids[table])

    return {
        "an image": lambda: f"/v1/images/{one('images')}",
        "images, first page of 50": lambda: "/v1/images",
        "images, page of 50 anywhere": lambda: f"/v1/images?after={one('images')}",
        "images with a common label": lambda: f"/v1/images?label=common&after={one('images')}",
        "images with a seldom label": lambda: "/v1/images?label=seldom",
        "images with a label of none": lambda: "/v1/images?label=nobody",
        "a mark set": lambda: f"/v1/marksets/{one('mark_sets')}",
        "a mark set with masks": lambda: f"/v1/marksets/{one('mark_sets')}?include=masks",
        "mark sets of an image": lambda: f"/v1/marksets?image_id={one('images')}",
        "mark sets, page of 10 anywhere": lambda: f"/v1/marksets?limit=10&after={one('mark_sets')}",
        "mark sets, page of 50 anywhere": lambda: f"/v1/marksets?after={one('mark_sets')}",
    }


def timed(apis: Mapping[str, Served], read: str, path: Callable[[], str], requests: int) -> Iterator[dict[str, Any]]:
    """Ask each API `requests` times, the same and in turns; yields what each took. Ends the program where two answers differ."""
    names = list(apis)
    for first in range(0, requests, TURN):
        paths = [path() for _ in range(min(TURN, requests - first))]
        names.reverse()  # who asks first warms the pages for the other
        answers = [apis[name].ask(paths) for name in names]
        for asked, *bodies in zip(paths, *answers, strict=True):
            if len(set(bodies)) > 1:
                raise SystemExit(f"{asked} is answered differently")
    yield from (api.told(f"{read}{name}") for name, api in apis.items())


def _one(connection: Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()  # type: ignore[call-overload]  # written above
    return None if row is None else row[0]


def _some(connection: Connection, table: str, tenant_id: UUID) -> list[str]:
    """Ids of one tenant from all over a table."""
    share = f"SELECT id FROM {table} TABLESAMPLE SYSTEM (2) WHERE tenant_id = %s ORDER BY random() LIMIT 5000"
    return [str(row[0]) for row in connection.execute(share, (tenant_id,))]  # type: ignore[call-overload]  # likewise


def _sizes(connection: Connection) -> dict[str, dict[str, int]]:
    found = {}
    for table in ("images", "mark_sets", "marks"):
        rows, own, whole = connection.execute(
            "SELECT reltuples::bigint, pg_table_size(oid), pg_total_relation_size(oid) FROM pg_class WHERE relname = %s",
            (table,),
        ).fetchone() or (0, 0, 0)
        found[table] = {"rows": rows, "bytes": own, "index_bytes": whole - own}
    return found


def report(result: dict[str, Any], *, write: bool) -> None:
    """Print the table and keep it, with the plans in a file of their own."""
    text = table(result)
    print(text)
    if write:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "plans.txt").write_text(result.pop("plans"), encoding="utf-8")
        (RESULTS / "scale.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "table.txt").write_text(text + "\n", encoding="utf-8")


def table(result: dict[str, Any]) -> str:
    """The result as text; `!` marks what is over the target."""
    lines = [f"{result['date']}, {result['machine']}; milliseconds, target p99 {TARGET_MS:.0f}"]
    for name, size in result["sizes"].items():
        each = (size["bytes"] + size["index_bytes"]) / max(1, size["rows"])
        lines.append(
            f"{name:10} {size['rows']:>11,} rows {size['bytes'] / 1e9:6.2f} GB + {size['index_bytes'] / 1e9:5.2f} GB of indexes,"
            f" {each:5.0f} bytes each"
        )
    lines.append(f"{'read':32} {'p50':>7} {'p95':>7} {'p99':>7}  {'API CPU':>7} {'Postgres CPU':>12} {'kB':>6}")
    for row in result["rows"]:
        over = "!" if row["p99_ms"] > TARGET_MS else " "
        lines.append(
            f"{row['read']:32} {row['p50_ms']:7.1f} {row['p95_ms']:7.1f} {row['p99_ms']:7.1f}{over} {row['api_cpu_ms']:7.1f}"
            f" {row['postgres_cpu_ms']:12.1f} {row['kB']:6.1f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
