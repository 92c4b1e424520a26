"""Reads from a catalog of a million images and twenty million marks, through HTTP. Run: python -m tests.bench.scale.

Postgres is the embedded one, the role the service's own, row-level security on, eight tenants in the same tables (`scale_fill`). The
API is the product's process; one client asks one question after the other, for random rows of the largest tenant. CPU time of API
and Postgres is told beside the clock's, because it does not grow with what else the machine does. 18 GB of disk; filling takes
half an hour of two cores. `--reuse` keeps the folder, goes on filling where an earlier run stopped, and measures when it is full.
"""

import argparse
import datetime as dt
import http.client
import json
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from rich.progress import track

from app.catalog.session import app_engine
from app.settings import Settings
from app.stack import embedded
from app.stack.migrate import migrate
from tests.bench import scale_fill
from tests.bench.scale_plans import plans

RESULTS = Path(__file__).parent / "results" / "scale"
TARGET_MS = 20.0
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
    parser.add_argument("--no-write", action="store_true", help="only print")
    asked = parser.parse_args()
    asked.home.mkdir(exist_ok=True, parents=True)
    asked.home.chmod(0o711)
    try:
        if fill(asked.home, asked.images, asked.fill_for):
            report(measured(asked.home, asked.requests), write=not asked.no_write)
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


def measured(home: Path, requests: int) -> dict[str, Any]:
    """Start the product's API on the catalog, ask, and return what was found."""
    with embedded.started(Settings(home=home, profile="embedded"), postgres_options=SERVER) as settings:
        with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
            tenant_id: UUID = _one(connection, "SELECT id FROM tenants WHERE name = 'large'")
            ids: Ids = {table: _some(connection, table, tenant_id) for table in ("images", "mark_sets")}
            sizes = _sizes(connection)
        engine = app_engine(settings, name="markwise-bench", pool_size=1)
        explained = plans(engine, tenant_id, UUID(ids["images"][0]), UUID(ids["mark_sets"][0]))
        engine.dispose()
        with served(settings) as (client, watched):
            rows = [timed(client, watched, name, path, requests) for name, path in kinds(ids).items()]
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


@contextmanager
def served(settings: Settings) -> Iterator[tuple[http.client.HTTPConnection, list[psutil.Process]]]:
    """The product's API process on a free port: a connection to it, and the processes whose CPU time counts."""
    limits = {"require_keys": True, "key_requests_per_min": 0, "key_at_once": 0, "log_level": "WARNING"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "app.stack.api_process", "--port", str(port)]
    process = subprocess.Popen(argv, env=settings.model_copy(update=limits).child_environment())
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        _connected(client, process)
        servers = [p for p in psutil.Process().children() if "postgres" in p.name()]
        yield client, [psutil.Process(process.pid), *servers]
    finally:
        client.close()
        process.terminate()
        process.wait(30)


def _connected(client: http.client.HTTPConnection, process: "subprocess.Popen[bytes]") -> None:
    while True:
        try:
            client.connect()
            return
        except OSError:
            if process.poll() is not None:
                raise
            time.sleep(0.1)


def timed(
    client: http.client.HTTPConnection, watched: list[psutil.Process], name: str, path: Callable[[], str], requests: int
) -> dict[str, Any]:
    """Ask `requests` times and return percentiles in ms, and the CPU time of API and Postgres."""
    headers = {"Authorization": f"Bearer {scale_fill.tenant_key('large')}"}
    took_ms, size = [], 0
    before = [_cpu_s(process) for process in watched]
    for _ in range(requests):
        wanted, began = path(), time.perf_counter()
        client.request("GET", wanted, headers=headers)
        response = client.getresponse()
        size += len(response.read())
        took_ms.append(1000 * (time.perf_counter() - began))
        if response.status != http.client.OK:
            raise SystemExit(f"{wanted} was answered with {response.status}")
    cpu_ms = [1000 * (_cpu_s(process) - then) / requests for process, then in zip(watched, before, strict=True)]
    took_ms.sort()
    parts = {f"p{part}_ms": round(took_ms[min(requests - 1, requests * part // 100)], 1) for part in (50, 95, 99)}
    return {"read": name, **parts, "api_cpu_ms": round(cpu_ms[0], 1), "postgres_cpu_ms": round(sum(cpu_ms[1:]), 1),
            "kB": round(size / requests / 1000, 1)}  # fmt: skip


def _cpu_s(process: psutil.Process) -> float:
    everyone = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in everyone)


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
