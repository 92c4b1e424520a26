"""`python -m tests.chaos`: every fault in turn, one table. With names, only those drivers, whose rows are replaced: `python -m tests.chaos kills`.

Each driver runs in a process of its own with a limit, so that one that hangs is a row too. Those that judge what is lost and not how long it
took run three at a time, the others alone after them. The table and what it ran on go to tests/bench/results/chaos.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console

from tests.chaos import elsewhere
from tests.chaos.table import HEAD, head

FOLDER = Path(__file__).parent
OUT = FOLDER.parent / "bench" / "results" / "chaos"
LONGEST_S = 900
AT_ONCE = 3
ALONE = frozenset({"ahead", "bodies", "bombs", "leaks", "noisy_neighbour", "overload", "rolling", "spoilt_images"})
"""These measure seconds or megabytes."""


def drivers() -> list[str]:
    """The names of all drivers: what can be run alone."""
    others = (path for path in FOLDER.glob("*.py") if path.stem != "__main__")
    return sorted(path.stem for path in others if "\ndef main(" in path.read_text(encoding="utf-8"))


def run(name: str) -> tuple[str, bool]:
    """Return the row of one driver, and whether what it tests held."""
    command = [sys.executable, "-m", f"tests.chaos.{name}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said, complaint = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            with suppress(psutil.Error):
                one.kill()
        return _gone(name, f"did not end within {LONGEST_S} s"), False
    rows = [line for line in said.splitlines() if line.startswith("| ") and not line.startswith(f"| {HEAD[0]} ")]
    if not rows:
        return _gone(name, (complaint.strip().splitlines() or ["no row"])[-1]), False
    return "\n".join(rows), process.returncode == 0


def _all_of(wanted: list[str]) -> Iterator[dict[str, object]]:
    """Run those that bear company side by side, then the others; gives what came of each as it ends."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from (
            each.result() for each in as_completed([pool.submit(_timed, one) for one in wanted if one not in ALONE])
        )
    yield from (_timed(name) for name in wanted if name in ALONE)


def _timed(name: str) -> dict[str, object]:
    started = time.monotonic()
    row, good = run(name)
    return {
        "driver": name,
        "row": row,
        "held": good,
        "seconds": round(time.monotonic() - started, 1),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[1], 1),
    }


def _gone(name: str, why: str) -> str:
    cells = ["?", name, *[""] * (len(HEAD) - 4), "FAILED: no row", why.replace("|", "/")[:200]]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run, print as it goes, write."""
    wanted = sys.argv[1:] or drivers()
    unknown = set(wanted) - set(drivers())
    if unknown:
        raise SystemExit(f"no such driver: {', '.join(sorted(unknown))}; there are {', '.join(drivers())}")
    told, rows, began = Console(stderr=True), [], time.monotonic()
    print(head(), flush=True)
    with told.status("") as shown:
        for row in _all_of(wanted):
            rows.append(row)
            print(row["row"], flush=True)
            shown.update(f"{len(rows)} of {len(wanted)} done, {time.monotonic() - began:.0f} s")
    print("\n" + elsewhere.table())
    _write(rows)
    raise SystemExit(0 if all(row["held"] for row in rows) else 1)


def _write(rows: list[dict[str, object]]) -> None:
    """Keep the new rows, and the old ones of drivers that did not run."""
    OUT.mkdir(parents=True, exist_ok=True)
    kept, path = {row["driver"]: row for row in rows}, OUT / "chaos.json"
    known = set(drivers())
    for row in json.loads(path.read_text())["rows"] if path.exists() else ():
        if row["driver"] in known:
            kept.setdefault(row["driver"], row)
    found = sorted(kept.values(), key=lambda row: str(row["row"]))
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    path.write_text(
        json.dumps({"command": "python -m tests.chaos", "machine": machine, "rows": found}, indent=2) + "\n"
    )
    dates = sorted(str(row["date"]) for row in found)
    loads = sorted(float(str(row["load"])) for row in found)
    about = f"`python -m tests.chaos`, {machine}, rows of {dates[0]} to {dates[-1]}, load of the machine {loads[0]} to {loads[-1]}"
    table = "\n".join(str(row["row"]) for row in found)
    (OUT / "chaos.md").write_text(f"{about}\n\n{head()}\n{table}\n\n{elsewhere.table()}\n")


if __name__ == "__main__":
    main()
