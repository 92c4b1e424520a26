"""T12: the model server hangs, is cut off, talks nonsense, fails, restarts. Run: python -m tests.chaos.model_faults [--askers N].

Callers ask about mark sets all the while. Held: each hears within 26 s, and nothing but an answer, 502, 503 or 504; a server that fails
is left alone after five failures; an answer again within 10 s of the fault's end; no connection is left over.
"""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil

from tests.acceptance.service import drawn
from tests.chaos import processes
from tests.chaos.house import FORM, house, until
from tests.chaos.table import Row, run
from tests.chaos.toxics import Toxic, toxic
from tests.unit.models.vlm.vllm_double import Script, vllm_double

LONGEST_S, BACK_S = 26.0, 10.0
MOST_FAILURES = 5


@contextmanager
def nonsense(script: Script, _: Toxic, raw: bytes) -> Iterator[None]:
    """Bytes that are no answer."""
    script.raw = raw
    yield
    script.raw = None


@contextmanager
def status(script: Script, _: Toxic, code: int) -> Iterator[None]:
    """A status that is no success."""
    script.status = code
    yield
    script.status = 200


@contextmanager
def mode(_: Script, way: Toxic, name: str) -> Iterator[None]:
    """A way that is bad."""
    way.mode = name
    yield
    way.mode = "well"


FAULTS = {
    "fails": (status, 500),
    "half an answer": (nonsense, b'{"choices":[{"index":0,"mess'),
    "garbage": (nonsense, b"\x00\xff<html>10.0.0.7"),
    "is gone": (mode, "down"),
    "cuts answers": (mode, "reset"),
    "hangs": (mode, "silent"),
}


def measure(askers: int = 6) -> Row:
    """Ask through each fault."""
    script = Script()
    told: Counter[str] = Counter()
    strange, late = [], []
    longest_s = slowest_s = 0.0
    with (
        vllm_double(script) as model,
        toxic(int(model.rpartition(":")[2])) as way,
        house(MARKWISE_VLM_URL=f"http://127.0.0.1:{way.port}", MARKWISE_VLM_MODEL="double") as place,
        place.client(150) as client,
    ):
        made = client.post("/v1/marksets", files={"file": drawn(1)}, data=FORM, headers={"Prefer": "wait=120"}).json()
        ask = {"mark_set_id": made["id"], "query": "What is [1]?"}
        until(lambda: _asked(client, ask)[0] == 200, 60)
        before = _connections(way.port)
        for name, (fault, how) in FAULTS.items():
            asked = len(script.bodies)
            with fault(script, way, how), ThreadPoolExecutor(askers) as pool:
                answers = list(pool.map(lambda _: _asked(client, ask), range(3 * askers)))
            told += Counter(f"{code}" for code, _ in answers)
            slowest_s = max(slowest_s, *(took for _, took in answers))
            strange += [f"{name}: {code}" for code, _ in answers if code not in {200, 502, 503, 504}]
            reached = len(script.bodies) - asked
            strange += [f"{name}: {reached} calls"] if name == "fails" and reached > MOST_FAILURES + askers else []
            back_s = until(lambda: _asked(client, ask)[0] == 200, 60)
            longest_s = max(longest_s, back_s)
            late += [f"{name}: {back_s:.0f} s"] if back_s > BACK_S else []
        time.sleep(5)
        left = _connections(way.port) - before
    failures = (
        *([f"{len(strange)} strange, {strange[0]}"] if strange else []),
        *([f"back late, {', '.join(late)}"] if late else []),
        *([f"a caller waited {slowest_s:.0f} s"] if slowest_s > LONGEST_S else []),
        *([f"{left} connections left over"] if left > 0 else []),
    )
    return Row(
        id="T12",
        fault=f"the model server {', '.join(FAULTS)}",
        load=f"{told.total()} questions, {askers} at once",
        survived=told.total() - len(strange),
        lost=len(strange),
        recovery_s=longest_s,
        failures=failures,
        seen=f"{', '.join(f'{n} x {code}' for code, n in sorted(told.items()))}; the slowest {slowest_s:.1f} s; {left:+d} connections",
    )


def _asked(client: httpx.Client, ask: dict[str, str]) -> tuple[int, float]:
    began = time.monotonic()
    code = client.post("/v1/ground", json=ask).status_code
    return code, time.monotonic() - began


def _connections(port: int) -> int:
    """Of the API to the model server."""
    (api,) = processes.api()
    return sum(bool(link.raddr) and link.raddr.port == port for link in psutil.Process(api.pid).net_connections("tcp"))


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
