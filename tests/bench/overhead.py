"""What /ground costs beside the model itself. Run: python -m tests.bench.overhead [--vllm] (about 4 minutes, 5 more with vLLM).

One run, the same requests: the stand-in keeps the bodies that /ground sent, and they are then put to it directly, in turn with /ground.
Mark sets exist before. Every caller asks again as soon as it is answered; throughput is that of a window, which on both sides begins when
three answers a caller are in and ends one before the last, and is shown beside that of all requests from a standing start. A hit is a question about a picture that the service has seen questions about, a miss is the first one. With
--vllm (`make test-vllm` builds its environment) the same is measured against vLLM's CPU build. Everything is on this machine, loopback
only; what each process used of the CPU is shown, since client and stand-in share the cores with the service.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from app.imaging.encode import encode
from tests.acceptance.service import DEMO_PAGE, ROOT, serving
from tests.acceptance.vllm_server import vllm_serving
from tests.bench.overhead_client import START, Load, load
from tests.bench.overhead_cpu import CpuTimes
from tests.bench.overhead_table import table

RESULTS = Path(__file__).parent / "results" / "overhead"
VLLM_PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
QUESTIONS = 8
MISSES = 24
ASKED = ((1, 12, 4), (8, 160, 3), (32, 640, 3))
"""At once, requests per round, rounds."""


@contextlib.contextmanager
def standin(latency_ms: float, name: str = "standin") -> Iterator[str]:
    """Run the stand-in in a process of its own; yields its address."""
    argv = [sys.executable, "-m", "tests.bench.standin", "--latency-ms", str(latency_ms), "--name", name]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int((process.stdout or sys.stdin).readline())}"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def vllm(wanted: bool) -> Iterator[str | None]:
    """The address of vLLM: one that runs already (MARKWISE_TEST_VLLM_URL), or one that is started here if it is `wanted`."""
    url, python = os.environ.get("MARKWISE_TEST_VLLM_URL"), os.environ.get("MARKWISE_TEST_VLLM_PYTHON")
    if url or not (wanted or python):
        yield url
        return
    with vllm_serving(python or str(VLLM_PYTHON)) as started:
        yield started


def mark_sets(client: httpx.Client, count: int, first: int) -> list[str]:
    """Mark `count` screenshots that differ in one block, nine regions each; returns the ids."""
    page = np.asarray(Image.open(DEMO_PAGE).convert("RGB")).copy()
    regions = [
        {"bbox_xyxy_px": [40 + 380 * column, 40 + 190 * row, 380 + 380 * column, 200 + 190 * row]}
        for row in range(3)
        for column in range(3)
    ]
    made = []
    for number in range(first, first + count):
        page[:20, :20] = (number % 256, number // 256, 77)
        image = client.post("/v1/images", files={"file": encode(page)}).raise_for_status().json()
        ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
        made.append(client.post("/v1/marksets", json=ask).raise_for_status().json()["id"])
    return made


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99, rounded."""
    return {f"p{q}": round(float(np.percentile(values, q)), 2) for q in (50, 95, 99)} | {"n": len(values)}


def stages(answers: list[bytes]) -> dict[str, dict[str, float]]:
    """Percentiles of every stage that the answers report."""
    timings = [json.loads(answer)["timing_ms"] for answer in answers]
    names = dict.fromkeys(name for timing in timings for name in timing)
    return {name: percentiles([timing[name] for timing in timings if name in timing]) for name in names}


def measure(model_url: str, bodies_of: Callable[[], list[bytes]], scale: float) -> dict[str, Any]:
    """Measure one model server, directly and through /ground; `scale` shortens it for a slow one."""
    with serving(MARKWISE_VLM_URL=model_url, MARKWISE_LOG_LEVEL="WARNING") as url:
        with httpx.Client(base_url=url, timeout=120) as client:
            seen = mark_sets(client, QUESTIONS, 0)
            unseen = mark_sets(client, MISSES, QUESTIONS)
        hits, cpu = questions(seen), CpuTimes()
        load(url, "/v1/ground", hits, requests=QUESTIONS, concurrency=1)
        direct = bodies_of()
        load(model_url, "/v1/chat/completions", direct, requests=QUESTIONS, concurrency=1)
        sides = {"direct": (model_url, "/v1/chat/completions", direct), "ground": (url, "/v1/ground", hits)}
        found: dict[str, Any] = {"concurrency": {}}
        for concurrency, requests, rounds in ASKED:
            count = max((START + 2) * concurrency, int(requests * scale))
            done: dict[str, list[Load]] = {name: [] for name in sides}
            for _ in range(rounds):
                for name, (where, path, bodies) in sides.items():
                    with cpu.counted(f"{concurrency} {name}", count):
                        done[name].append(load(where, path, bodies, requests=count, concurrency=concurrency))
            found["concurrency"][str(concurrency)] = _compared(done) | {
                f"{name}_cpu_ms": cpu.per_request_ms(f"{concurrency} {name}") for name in sides
            }
            if concurrency == 1:
                found["stages_ms_hit"] = stages([answer for part in done["ground"] for answer in part.answers])
        miss = load(url, "/v1/ground", questions(unseen), requests=max(4, int(MISSES * scale)), concurrency=1)
        found["miss_ms"], found["stages_ms_miss"] = percentiles(miss.took_ms), stages(miss.answers)
    return found


def questions(ids: list[str]) -> list[bytes]:
    """One free question per mark set."""
    return [
        json.dumps({"mark_set_id": mark_set, "task": "ask", "query": f"How many boxes has picture {number}?"}).encode()
        for number, mark_set in enumerate(ids)
    ]


def bodies_for(model: str) -> list[bytes]:
    """What /ground sends to a server of `model`, taken down by a stand-in of that name."""
    with standin(0, model) as url, serving(MARKWISE_VLM_URL=url) as service:
        with httpx.Client(base_url=service, timeout=120) as client:
            seen = mark_sets(client, QUESTIONS, 0)
        load(service, "/v1/ground", questions(seen), requests=QUESTIONS, concurrency=1)
        return taken_down(url)


def taken_down(url: str) -> list[bytes]:
    """The bodies that a stand-in has kept, without those of the start-up probe."""
    kept = [body.encode() for body in httpx.get(f"{url}/v1/bodies").json()]
    return [body for body in kept if b"How many boxes" in body]


def _compared(done: dict[str, list[Load]]) -> dict[str, Any]:
    """Medians over rounds of throughput and of each round's p50; p95 and p99 over all requests."""
    spread = {name: percentiles([ms for part in parts for ms in part.took_ms]) for name, parts in done.items()}
    p50 = {name: float(np.median([np.median(part.took_ms) for part in parts])) for name, parts in done.items()}
    rates = {name: float(np.median([part.per_s for part in parts])) for name, parts in done.items()}
    start = {name: float(np.median([part.per_s_from_start for part in parts])) for name, parts in done.items()}
    return {
        "direct_ms": spread["direct"],
        "ground_ms": spread["ground"],
        "p50_ratio": round(p50["ground"] / p50["direct"], 3),
        "direct_per_s": round(rates["direct"], 1),
        "ground_per_s": round(rates["ground"], 1),
        "throughput_ratio": round(rates["ground"] / rates["direct"], 3),
        "throughput_ratio_from_start": round(start["ground"] / start["direct"], 3),
    }


def main() -> None:
    """Measure, print, and write tests/bench/results/overhead."""
    parser = argparse.ArgumentParser(description="the overhead of /ground")
    parser.add_argument("--latency-ms", type=float, default=300)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of requests")
    parser.add_argument("--vllm", action="store_true", help="start vLLM's CPU build and measure it, too")
    arguments = parser.parse_args()
    servers: dict[str, Any] = {}
    with standin(arguments.latency_ms) as url:
        print(f"measuring against a stand-in with {arguments.latency_ms:.0f} ms", flush=True)
        name = f"stand-in, {arguments.latency_ms:.0f} ms"
        servers[name] = measure(url, lambda: taken_down(url), arguments.scale)
    with vllm(arguments.vllm) as url:
        if url is not None:
            print("measuring against vLLM on this CPU", flush=True)
            bodies = bodies_for("som-llava-tiny")
            servers["vLLM's CPU build, som-llava-tiny"] = measure(url, lambda: bodies, 0.1 * arguments.scale)
    result = {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "machine": {"cores": os.cpu_count(), "cpu": _cpu(), "python": platform.python_version()},
        "load": [round(os.getloadavg()[which], 1) for which in (0, 1)],
        "servers": servers,
    }
    text = table(result)
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "overhead.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "overhead.md").write_text(text, encoding="utf-8")


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
