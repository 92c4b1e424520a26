"""Drives headless Chromium through ten tasks by screenshots and `/ground` alone. Run: python -m tests.bench.agent.

Prints which tasks succeed, and how long it takes from a screenshot to a point: on a screen that was never seen ("first"), on
the next one of a page in use ("changed"), and on one that has not changed (every question is asked a second time). The
service runs as users run it; one page is asked about before the clock starts, so that models are loaded. Contact sheets of
the marked screenshots go to tests/bench/results/agent.
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.agent.running import Run, contact_sheet, run
from tests.acceptance.agent.screen_agent import Turn
from tests.acceptance.agent.tasks import TASKS
from tests.acceptance.service import DEMO_PAGE, serving
from tests.chromium import CHROMIUM, chromium

RESULTS = Path(__file__).parent / "results" / "agent"
TARGETS_S = {"first": 1.5, "changed": 1.5, "unchanged": 0.3}


def main() -> None:
    options = _options()
    if not CHROMIUM.exists():
        print(f"no browser: {CHROMIUM} is not there (set CHROMIUM); the agent is left out")
        return
    chosen = [task for task in TASKS if not options.tasks or task.name in options.tasks]
    with serving() as url, chromium() as browser, httpx.Client(base_url=url, timeout=150) as service:
        service.headers["Prefer"] = "wait=120"
        form = {"task": "act", "query": "Click Find trains"}
        service.post("/ground", files={"file": DEMO_PAGE.read_bytes()}, data=form).raise_for_status()
        runs = []
        options.out.mkdir(parents=True, exist_ok=True)
        for task in chosen:
            runs.append(run(task, service, browser, ask_again=True))
            (options.out / f"{task.name}.webp").write_bytes(contact_sheet(runs[-1], service))
            print(f"  {task.name}: {'done' if runs[-1].done else 'FAILED'}", flush=True)
    result = measured(runs)
    print(table(result))
    (options.out / "agent.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "table.txt").write_text(table(result) + "\n")
    print(f"written to {options.out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="names of tasks; all ten by default")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="folder for the table, its JSON and the contact sheets"
    )
    return parser.parse_args()


def measured(runs: Sequence[Run]) -> dict[str, Any]:
    """Every figure of the table, with the hardware and date they belong to."""
    turns = [turn for one in runs for turn in (*one.turns, *one.asked_again)]
    screens = {name: [turn for turn in turns if turn.screen == name] for name in TARGETS_S}
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
        "load_average": os.getloadavg()[0],
        "tasks": {one.task.name: one.done for one in runs},
        "decided_by": _counts([turn.answer["decided_by"] for one in runs for turn in one.turns]),
        "seconds": {name: _seconds(found) for name, found in screens.items() if found},
        "stages_ms": {name: _stages(found) for name, found in screens.items() if found},
    }


def _counts(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}


def _seconds(turns: Sequence[Turn]) -> dict[str, float]:
    ordered = sorted(turn.seconds for turn in turns)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"count": len(ordered), "p50": round(statistics.median(ordered), 3), "p95": round(p95, 3)}


def _stages(turns: Sequence[Turn]) -> dict[str, float]:
    """Median milliseconds of each stage; a stage that an answer did not have counts 0."""
    names = sorted({name for turn in turns for name in turn.answer["timing_ms"]})
    return {
        name: round(statistics.median(turn.answer["timing_ms"].get(name, 0.0) for turn in turns), 1) for name in names
    }


def table(result: dict[str, Any]) -> str:
    """The figures that matter, one a line."""
    done = result["tasks"]
    lines = [f"{sum(done.values())} of {len(done)} tasks succeed, load average {result['load_average']:.1f}"]
    lines += [f"  failed: {name}" for name, succeeded in done.items() if not succeeded]
    decided = ", ".join(f"{name} {count}" for name, count in result["decided_by"].items())
    lines.append(f"  steps decided by: {decided}")
    lines.append(f"  {'seconds from screenshot to point':<34}{'p50':>7}{'p95':>7}{'target':>8}{'n':>5}")
    for name, figures in result["seconds"].items():
        row = f"{figures['p50']:>7.2f}{figures['p95']:>7.2f}{TARGETS_S[name]:>8.1f}{figures['count']:>5}"
        lines.append(f"    {name + ' screen':<32}{row}")
    for name, stages in result["stages_ms"].items():
        lines.append(f"  stages, {name}, median ms: " + ", ".join(f"{s} {ms:.0f}" for s, ms in stages.items()))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
