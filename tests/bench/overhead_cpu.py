"""CPU time per request of each process of a bench: itself, the stand-in, and everything of the service. Called by `tests.bench.overhead`."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

# What a process's command line must hold, in this order of trying.
KINDS = (
    ("api", "app.stack.api_process"),
    ("workers", "workers."),
    ("postgres", "postgres"),
    ("redis", "redis"),
    ("stand-in", "tests.bench.standin"),
    ("vLLM", "vllm"),
)


class CpuTimes:
    """Adds up what blocks of requests cost; background work of the service counts as well."""

    def __init__(self) -> None:
        """Watches this process and its descendants."""
        self._seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._requests: dict[str, int] = defaultdict(int)

    @contextmanager
    def counted(self, block: str, requests: int) -> Iterator[None]:
        """Count the block's CPU time under `block`; what begins and ends within it is missed."""
        before = _now()
        yield
        for process, (kind, seconds) in _now().items():
            self._seconds[block][kind] += seconds - before.get(process, (kind, 0.0))[1]
        self._requests[block] += requests

    def per_request_ms(self, block: str) -> dict[str, float]:
        """Milliseconds of CPU time per request, by kind of process."""
        return {
            kind: round(1000 * seconds / self._requests[block], 2) for kind, seconds in self._seconds[block].items()
        }


def _now() -> dict[psutil.Process, tuple[str, float]]:
    this = psutil.Process()
    found = {this: ("client", sum(this.cpu_times()[:2]))}
    for process in this.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            kind = next((kind for kind, part in KINDS if part in command), "supervisor")
            found[process] = (kind, sum(process.cpu_times()[:2]))
    return found
