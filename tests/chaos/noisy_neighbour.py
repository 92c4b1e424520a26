"""L2: one key asks a hundred times as much as another. Run: python -m tests.chaos.noisy_neighbour.

Both ask about mark sets that exist, through the API's own way to the model. Held: the quiet one's p95 is at most 1.5 times what it is
alone, it is never refused, and the noisy one hears 429 with `Retry-After`.
"""

import httpx

from tests.chaos.flood import Callers, asking, flood, floods
from tests.chaos.table import Row, run

LATENCY_MS = 300
QUIET, NOISY = 1, 100
WORST_RATIO = 1.5


def measure(seconds: float = 20.0) -> Row:
    """The quiet key alone, then beside the noisy one."""
    with asking(LATENCY_MS) as (url, asked):
        with httpx.Client(base_url=url, timeout=60) as client:
            keys = [client.post("/v1/keys", json={"name": name}).raise_for_status().json()["key"] for name in "ab"]
        quiet, noisy = ((("Authorization", f"Bearer {key}"),) for key in keys)
        flood(url, asked, Callers(count=1, requests=4, headers=quiet))
        # Slower than its share, so that it is never refused for its own sake.
        calm = Callers(count=QUIET, seconds=seconds, headers=quiet)
        alone = flood(url, asked, calm)
        wild = Callers(count=NOISY, seconds=seconds, pause_s=LATENCY_MS / 1000, headers=noisy)
        beside, loud = floods(url, asked, calm, wild)
    ratio = beside.percentile_ms(95) / alone.percentile_ms(95)
    refused = sum(beside.statuses.values()) - beside.statuses[200]
    failures = (
        *([f"p95 {ratio:.2f} times"] if ratio > WORST_RATIO else []),
        *([f"the quiet key was refused {refused} times"] if refused else []),
        *([f"{loud.unexplained} refusals without Retry-After"] if loud.unexplained else []),
        *(["the noisy key was not refused"] if not loud.statuses[429] else []),
    )
    return Row(
        id="L2",
        fault=f"one key with {NOISY} times the callers",
        load=f"{seconds:.0f} s",
        survived=beside.statuses[200],
        lost=refused + beside.broken,
        failures=failures,
        seen=(
            f"p95 of the quiet key {alone.percentile_ms(95):.0f} -> {beside.percentile_ms(95):.0f} ms ({ratio:.2f} x); the noisy one: "
            f"{loud.statuses[200]} answers, {loud.statuses[429]} x 429"
        ),
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
