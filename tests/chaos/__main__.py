"""`python -m tests.chaos`: every fault in turn, one table. With names, only those drivers: `python -m tests.chaos kills bombs`.

Each driver runs in a process of its own with a limit, so that one that hangs is a row too. The table and what it ran on go to
tests/bench/results/chaos.
"""

import json
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.chaos import elsewhere
from tests.chaos.table import HEAD, head

FOLDER = Path(__file__).parent
OUT = FOLDER.parent / "bench" / "results" / "chaos"
LONGEST_S = 900


def drivers() -> list[str]:
    """The names of all drivers: what can be run alone."""
    others = (path for path in FOLDER.glob("*.py") if path.stem != "__main__")
    return sorted(path.stem for path in others if "\ndef main(" in path.read_text(encoding="utf-8"))


def run(name: str) -> tuple[str, bool]:
    """Return the row of one driver, and whether what it tests held."""
    command = [sys.executable, "-m", f"tests.chaos.{name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return _gone(name, f"did not end within {LONGEST_S} s"), False
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ") and not line.startswith(f"| {HEAD[0]} ")]
    if not rows:
        return _gone(name, (done.stderr.strip().splitlines() or ["no row"])[-1]), False
    return "\n".join(rows), done.returncode == 0


def _gone(name: str, why: str) -> str:
    cells = ["?", name, *[""] * (len(HEAD) - 4), "FAILED: no row", why.replace("|", "/")[:200]]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run, print as it goes, write."""
    wanted = sys.argv[1:] or drivers()
    unknown = set(wanted) - set(drivers())
    if unknown:
        raise SystemExit(f"no such driver: {', '.join(sorted(unknown))}; there are {', '.join(drivers())}")
    told, rows, held = Console(stderr=True), [], True
    print(head(), flush=True)
    for number, name in enumerate(wanted, 1):
        started = time.monotonic()
        with told.status(f"{name} ({number} of {len(wanted)})"):
            row, good = run(name)
        held = held and good
        rows.append({"driver": name, "row": row, "held": good, "seconds": round(time.monotonic() - started, 1)})
        print(row, flush=True)
    if not sys.argv[1:]:
        print("\n" + elsewhere.table())
        _write(rows)
    raise SystemExit(0 if held else 1)


def _write(rows: list[dict[str, object]]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    about = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    (OUT / "chaos.json").write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n")
    table = "\n".join(str(row["row"]) for row in rows)
    (OUT / "chaos.md").write_text(
        f"{about['date']}, Python {about['python']}, {about['machine']}\n\n{head()}\n{table}\n\n{elsewhere.table()}\n"
    )


if __name__ == "__main__":
    main()
