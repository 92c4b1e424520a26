"""From a screenshot to a point: `act` on screens never seen and on unchanged ones. Run: python -m tests.bench.latency (2 minutes).

The service runs as users run it; every page of --data (../shared/data/gui) is posted once with "Click NAME" and then a second time. Wall
time by stage comes from the answer, CPU time from the processes, so that a busy machine shows. The last rows open `segment` up in this
process, beside a reader that reads every line of the page and remembers nothing (what OmniParser does before it captions icons).
Published for OmniParser V2: 0.8 s an image on an A100 (its authors).
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from app.imaging.encode import encode
from models.segmenters.detected.finder import DetectorFinder
from models.segmenters.detector import ElementDetector
from models.segmenters.ocr import OcrReader, PageText
from tests.acceptance.service import DEMO_PAGE, serving
from tests.bench.gui_pages import STAGES, Bench, Clock, Image8, TimedDetector, TimedFinder, entries
from tests.bench.overhead_cpu import CpuTimes

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "gui"
RESULTS = Path(__file__).parent / "results" / "latency"
TARGETS_S = {"never seen": 1.5, "unchanged": 0.3}
Asked = list[tuple[str, Image8, str]]


def main() -> None:
    """Measure, print, and write tests/bench/results/latency."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=DATA, help="a folder with elements.json, or a shard of drawn pages"
    )
    parser.add_argument("--count", type=int, default=None, help="only the first so many pages")
    options = parser.parse_args()
    if not any((options.data / name).is_file() for name in ("elements.json", "pages.jsonl")):
        raise SystemExit(f"no screenshots: {options.data} holds neither elements.json nor pages.jsonl")
    pages = _asked(options.data)[: options.count]
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
        "pages": len(pages),
        "served": served(pages),
        "segment": opened_up([picture for _, picture, _ in pages]),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(table(result))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "latency.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "latency.md").write_text(table(result) + "\n", encoding="utf-8")


def _asked(data: Path) -> Asked:
    """Every page with the name of its first element that has one."""
    return [
        (entry["image"], picture, next(one["name"] for one in entry["elements"] if one["name"]))
        for entry, picture in entries(data)
        if any(one["name"] for one in entry["elements"])
    ]


def served(pages: Asked) -> dict[str, Any]:
    """Seconds of wall and CPU and milliseconds of each stage per request, first on new screens and then on the same ones."""
    found: dict[str, Any] = {}
    with serving() as url, httpx.Client(base_url=url, timeout=150, headers={"Prefer": "wait=120"}) as client:
        _ask(client, DEMO_PAGE.read_bytes(), "Find trains")
        for screen in TARGETS_S:
            cpu, took, stages = CpuTimes(), [], []
            for _, picture, name in pages:
                data = encode(picture)
                with cpu.counted(screen, 1):
                    began = time.perf_counter()
                    answer = _ask(client, data, name)
                    took.append(time.perf_counter() - began)
                stages.append(answer["timing_ms"])
            found[screen] = {
                "wall_s": {f"p{q}": round(float(np.percentile(took, q)), 3) for q in (50, 95)},
                "cpu_ms": cpu.per_request_ms(screen),
                "stages_ms": _medians(stages),
            }
    return found


def _ask(client: httpx.Client, data: bytes, name: str) -> dict[str, Any]:
    form = {"task": "act", "query": f"Click {name}"}
    answer: dict[str, Any] = client.post("/ground", files={"file": data}, data=form).raise_for_status().json()
    return answer


def _medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: round(statistics.median(row.get(name, 0.0) for row in rows), 1) for name in names}


def opened_up(pictures: Sequence[Image8]) -> dict[str, dict[str, float]]:
    """Median seconds, wall and CPU, of each part of `segment`, and of reading everything."""
    bench = Bench(_finder)
    looks = [bench.page({"image": "", "elements": []}, picture, looks=False).first for picture in pictures]
    found = {
        stage: {side: _median(look.stages[stage][at] for look in looks) for at, side in ((0, "wall_s"), (1, "cpu_s"))}
        for stage in STAGES
    }
    found["all of it"] = {
        "wall_s": _median(look.wall_s for look in looks),
        "cpu_s": _median(look.cpu_s for look in looks),
    }
    found["every line read (baseline)"] = _read_everything(pictures)
    return found


def _finder(clock: Clock) -> TimedFinder:
    return TimedFinder(DetectorFinder(TimedDetector(ElementDetector(), clock)), clock, "assembly")


def _read_everything(pictures: Sequence[Image8]) -> dict[str, float]:
    reader, detector = OcrReader(remember=False), ElementDetector()
    reader.locate(pictures[0])
    detector.detect(pictures[0])
    took = []
    for picture in pictures:
        wall, cpu = time.perf_counter(), time.process_time()
        PageText(reader, picture).read_all()
        detector.detect(picture)
        took.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {"wall_s": _median(one for one, _ in took), "cpu_s": _median(one for _, one in took)}


def _median(values: Any) -> float:
    return round(statistics.median(values), 3)


def table(result: dict[str, Any]) -> str:
    """Three tables: the whole way, its stages, and what `segment` is made of."""
    lines = [
        "# From a screenshot to a point",
        "",
        f"{result['date']}, {result['hardware']['cpus']} cores, {result['pages']} pages, load average {result['load_average']}",
        "",
        "| `act` on a screen | p50 s | p95 s | asked p50 s | CPU s per request | of it in workers |",
        "|---|---|---|---|---|---|",
    ]
    for screen, found in result["served"].items():
        cpu = found["cpu_ms"]
        ours = sum(ms for kind, ms in cpu.items() if kind != "client")
        lines.append(
            f"| {screen} | {found['wall_s']['p50']:.2f} | {found['wall_s']['p95']:.2f} | {TARGETS_S[screen]} | {ours / 1000:.2f} "
            f"| {cpu.get('workers', 0.0) / 1000:.2f} |"
        )
    stages = [found["stages_ms"] for found in result["served"].values()]
    names = dict.fromkeys(name for found in stages for name in found)
    lines += ["", f"| stage, median ms | {' | '.join(result['served'])} |", "|---" * (1 + len(stages)) + "|"]
    lines += [f"| {name} | {' | '.join(str(found.get(name, '')) for found in stages)} |" for name in names]
    lines += ["", "| of `segment` on a new screen, median s | wall | CPU |", "|---|---|---|"]
    lines += [f"| {name} | {found['wall_s']:.3f} | {found['cpu_s']:.3f} |" for name, found in result["segment"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
