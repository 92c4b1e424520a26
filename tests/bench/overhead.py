"""What /ground costs beside the model itself. Run: python -m tests.bench.overhead (about 3 minutes).

One run, the same requests: the stand-in keeps the bodies that /ground sent, and they are then put to it directly, in turn with /ground.
Mark sets exist before. A hit is a question about a picture that the service has seen questions about, a miss is the first one. With
MARKWISE_TEST_VLLM_PYTHON (or _URL) the same is measured against vLLM's CPU build. Everything is on this machine, loopback only.
"""

import argparse
import contextlib
import datetime as dt
import http.client
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

from app.imaging.encode import encode
from tests.acceptance.service import DEMO_PAGE, serving
from tests.acceptance.vllm_server import vllm_serving

RESULTS = Path(__file__).parent / "results" / "overhead"
QUESTIONS = 8
MISSES = 24
Ask = Callable[[http.client.HTTPConnection, int], bytes]


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
def vllm() -> Iterator[str | None]:
    """The address of vLLM where the environment names one or the Python to start it with."""
    url, python = os.environ.get("MARKWISE_TEST_VLLM_URL"), os.environ.get("MARKWISE_TEST_VLLM_PYTHON")
    if url or not python:
        yield url
        return
    with vllm_serving(python) as started:
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


def poster(path: str, bodies: list[bytes]) -> Ask:
    """Return what posts one of `bodies` on an open connection and reads the whole answer."""

    def ask(connection: http.client.HTTPConnection, number: int) -> bytes:
        connection.request("POST", path, bodies[number % len(bodies)], {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {data[:300]!r}")
        return data

    return ask


def run(url: str, ask: Ask, requests: int, concurrency: int) -> tuple[list[float], list[bytes], float]:
    """Return each request's milliseconds, the answers, and how long all took in seconds."""
    numbers, lock = iter(range(requests)), threading.Lock()
    took: list[float] = []
    answers: list[bytes] = []
    failed: list[BaseException] = []
    host = urlsplit(url).netloc

    def work() -> None:
        connection = http.client.HTTPConnection(host, timeout=120)
        try:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                start = time.perf_counter()
                answer = ask(connection, number)
                took.append(1000 * (time.perf_counter() - start))
                answers.append(answer)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return took, answers, time.perf_counter() - start


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
        ground = poster("/v1/ground", questions(seen))
        run(url, ground, QUESTIONS, 1)
        direct = poster("/v1/chat/completions", bodies_of())
        run(model_url, direct, QUESTIONS, 1)
        found: dict[str, Any] = {"concurrency": {}}
        for concurrency, requests, rounds in ((1, 12, 4), (8, 96, 3), (32, 320, 3)):
            count = max(concurrency, int(requests * scale))
            sides: dict[str, tuple[list[float], list[bytes], list[float]]] = {
                "direct": ([], [], []),
                "ground": ([], [], []),
            }
            for _ in range(rounds):
                for name, where, ask in (("direct", model_url, direct), ("ground", url, ground)):
                    took, answers, wall_s = run(where, ask, count, concurrency)
                    sides[name][0].extend(took)
                    sides[name][1].extend(answers)
                    sides[name][2].append(count / wall_s)
            found["concurrency"][str(concurrency)] = _compared(sides)
            if concurrency == 1:
                found["stages_ms_hit"] = stages(sides["ground"][1])
        took, answers, _ = run(url, poster("/v1/ground", questions(unseen)), max(4, int(MISSES * scale)), 1)
        found["miss_ms"], found["stages_ms_miss"] = percentiles(took), stages(answers)
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
        run(service, poster("/v1/ground", questions(seen)), QUESTIONS, 1)
        return taken_down(url)


def taken_down(url: str) -> list[bytes]:
    """The bodies that a stand-in has kept, without those of the start-up probe."""
    kept = [body.encode() for body in httpx.get(f"{url}/v1/bodies").json()]
    return [body for body in kept if b"How many boxes" in body]


def _compared(sides: dict[str, tuple[list[float], list[bytes], list[float]]]) -> dict[str, Any]:
    rates = {name: float(np.median(side[2])) for name, side in sides.items()}
    spread = {name: percentiles(side[0]) for name, side in sides.items()}
    return {
        "direct_ms": spread["direct"],
        "ground_ms": spread["ground"],
        "p50_ratio": round(spread["ground"]["p50"] / spread["direct"]["p50"], 3),
        "direct_per_s": round(rates["direct"], 1),
        "ground_per_s": round(rates["ground"], 1),
        "throughput_ratio": round(rates["ground"] / rates["direct"], 3),
    }


def table(result: dict[str, Any]) -> str:
    """The result as a Markdown table per server."""
    lines = []
    for name, found in result["servers"].items():
        lines += [f"## {name}", "", "| at once | direct p50/p95/p99 ms | /ground p50/p95/p99 ms | p50 ratio |"]
        lines[-1] += " direct /s | /ground /s | throughput ratio |"
        lines += ["|---|---|---|---|---|---|---|"]
        for concurrency, row in found["concurrency"].items():
            direct, ground = (
                "/".join(f"{row[key][q]:.0f}" for q in ("p50", "p95", "p99")) for key in ("direct_ms", "ground_ms")
            )
            lines.append(
                f"| {concurrency} | {direct} | {ground} | {row['p50_ratio']:.3f} | {row['direct_per_s']} | "
                f"{row['ground_per_s']} | {row['throughput_ratio']:.3f} |"
            )
        lines += ["", "| stage, one at a time | hit p50/p95/p99 ms | miss p50/p95/p99 ms |", "|---|---|---|"]
        hit = found["stages_ms_hit"] | {"whole request": found["concurrency"]["1"]["ground_ms"]}
        miss = found["stages_ms_miss"] | {"whole request": found["miss_ms"]}
        for stage in dict.fromkeys([*hit, *miss]):
            cells = [
                "/".join(f"{side[stage][q]:.1f}" for q in ("p50", "p95", "p99")) if stage in side else ""
                for side in (hit, miss)
            ]
            lines.append(f"| {stage} | {cells[0]} | {cells[1]} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write tests/bench/results/overhead."""
    parser = argparse.ArgumentParser(description="the overhead of /ground")
    parser.add_argument("--latency-ms", type=float, default=300)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of requests")
    arguments = parser.parse_args()
    servers: dict[str, Any] = {}
    with standin(arguments.latency_ms) as url:
        print(f"measuring against a stand-in with {arguments.latency_ms:.0f} ms", flush=True)
        name = f"stand-in, {arguments.latency_ms:.0f} ms"
        servers[name] = measure(url, lambda: taken_down(url), arguments.scale)
    with vllm() as url:
        if url is not None:
            print("measuring against vLLM on this CPU", flush=True)
            bodies = bodies_for("som-llava-tiny")
            servers["vLLM's CPU build, som-llava-tiny"] = measure(url, lambda: bodies, 0.1 * arguments.scale)
    result = {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "machine": {"cores": os.cpu_count(), "cpu": _cpu(), "python": platform.python_version()},
        "load_at_start": os.getloadavg()[0],
        "servers": servers,
    }
    print(table(result))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "overhead.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    head = f"# Overhead of /ground\n\n{result['date']}, {result['machine']}, load {result['load_at_start']:.1f} at start\n\n"
    (RESULTS / "overhead.md").write_text(head + table(result), encoding="utf-8")


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
