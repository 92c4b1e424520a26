"""L1: ten times as many callers as there are slots, who never wait as they are told. Run: python -m tests.chaos.overload.

Against a stand-in with 200 ms, so that the slots are what is short. Held: at least nine tenths of the answers per second of a full
but not overfull service, nothing but 503 with `Retry-After` beside them, and an answer at its usual speed within 10 s after it.
"""

import time

from tests.chaos.flood import Callers, asking, flood
from tests.chaos.table import Row, run

SLOTS = 8
LATENCY_MS = 200
GOODPUT = 0.9
RECOVERED_S = 10.0


def measure(seconds: float = 20.0) -> Row:
    """Fill the service, overfill it, and see how it comes back."""
    with asking(LATENCY_MS, MARKWISE_VLM_CONCURRENCY=str(SLOTS)) as (url, asked):
        flood(url, asked, Callers(count=1, requests=4))
        full = flood(url, asked, Callers(count=SLOTS, seconds=seconds / 2))
        over = flood(url, asked, Callers(count=10 * SLOTS, seconds=seconds))
        recovery_s = _recovered(url, asked[0], within_ms=2 * full.percentile_ms(95))
    refused = over.statuses[503] + over.statuses[429]
    strange = sum(over.statuses.values()) - refused - over.statuses[200]
    share = over.good_per_s / full.good_per_s
    failures = (
        *([f"{share:.2f} of the full goodput"] if share < GOODPUT else []),
        *([f"{strange} answers that are neither 200 nor a refusal"] if strange else []),
        *([f"{over.unexplained} refusals without Retry-After"] if over.unexplained else []),
        *([f"{over.broken} connections broken"] if over.broken else []),
        *(["nobody was refused: this was no overload"] if not refused else []),
        *([f"recovered after {recovery_s:.0f} s"] if recovery_s > RECOVERED_S else []),
    )
    return Row(
        id="L1",
        fault="10 x capacity",
        load=f"{10 * SLOTS} callers, {seconds:.0f} s",
        survived=over.statuses[200],
        lost=over.broken,
        recovery_s=recovery_s,
        failures=failures,
        seen=f"{over.good_per_s:.0f}/s ({share:.2f} of the full {full.good_per_s:.0f}/s), {refused} told to come back",
    )


def _recovered(url: str, body: bytes, *, within_ms: float) -> float:
    """Seconds until an answer takes no longer than `within_ms`."""
    began = time.monotonic()
    while time.monotonic() - began < 3 * RECOVERED_S:
        one = flood(url, [body], Callers(count=1, requests=1))
        if one.took_ms and one.took_ms[0] <= within_ms:
            break
    return time.monotonic() - began


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
