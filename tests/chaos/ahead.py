"""L2b: a long batch order must not stand before a person. Run: python -m tests.chaos.ahead.

Pictures are marked one after the other, alone and then while a batch order marks and describes many others. Held: the p95 beside it is at
most twice the p95 alone (they share two cores here, not a queue), every one is done while the batch still runs, and nothing is refused.
"""

import time

import httpx
import numpy as np

from tests.acceptance.service import drawn, serving
from tests.chaos.table import Row, run

MANY = 40
WORST_RATIO = 2.0


def measure(count: int = 12) -> Row:
    """Mark `count` pictures alone and beside the order."""
    with serving() as url, httpx.Client(base_url=url, timeout=150, headers={"Prefer": "wait=120"}) as client:
        many = [_image(client, 1_000 + number, (900, 700)) for number in range(MANY)]
        _marked(client, 1)
        alone = [_marked(client, 100 + number) for number in range(count)]
        order = {"images": {"ids": many}, "writer": "rules"}
        job = client.post("/v1/annotations", json=order).raise_for_status().json()
        while client.get(f"/v1/jobs/{job['id']}").json()["status"] == "queued":
            time.sleep(0.05)
        beside, outrun = [], 0
        for number in range(count):
            beside.append(_marked(client, 200 + number))
            outrun += client.get(f"/v1/jobs/{job['id']}").json()["status"] == "running"
        done = client.get(f"/v1/jobs/{job['id']}").json()["progress"]["done"]
    before, after = (float(np.percentile(took, 95)) for took in (alone, beside))
    failures = (
        *([f"p95 {after / before:.2f} times"] if after > WORST_RATIO * before else []),
        *([] if outrun else ["the batch was over before the first one: this was no contest"]),
    )
    return Row(
        id="L2b",
        fault="a batch order of many pictures",
        load=f"{MANY} pictures beside {count}",
        survived=len(beside),
        failures=failures,
        seen=(
            f"p95 {1000 * before:.0f} -> {1000 * after:.0f} ms, {outrun} of {count} done while the batch ran, which did {done} meanwhile"
        ),
    )


def _image(client: httpx.Client, seed: int, size_wh: tuple[int, int]) -> str:
    made = client.post("/v1/images", files={"file": drawn(seed, size_wh)}).raise_for_status().json()
    return str(made["id"])


def _marked(client: httpx.Client, seed: int) -> float:
    """Seconds until a picture that was never seen has its marks."""
    began = time.perf_counter()
    client.post("/v1/marksets", files={"file": drawn(seed)}, data={"segmenter": "regions"}).raise_for_status()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
