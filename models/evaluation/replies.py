"""How long a small model takes for a reply of sixteen tokens about a picture, on one thread: CPU time and wall time.

`python -m models.evaluation.drawings` prints it below its accuracies. Asked through `LocalBackend`, as the service asks: scaling the
painted picture, cutting the prompt, reading both and saying the tokens count; painting does not. Knows no truth.
"""

import datetime as dt
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models import drawings
from models.marks import paint_for_model
from models.vlm import prompts
from models.vlm.local import LocalBackend
from models.vlm.types import VlmBackend, VlmRequest

TOKENS: Final = 16
REPLIES: Final = 30
STYLE: Final = "markwise"
_LONGEST_SEARCH: Final = 10  # scenes looked at for each reply that is wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTime:
    """Medians over `replies` replies of `tokens` tokens, the cheapest of them, and where and when they were taken.

    Beside other work a thread shares its core's caches, so that even CPU time grows; the cheapest reply tells how much.
    """

    tokens: int
    replies: int
    cpu_ms: float
    least_cpu_ms: float
    wall_ms: float
    hardware: str
    date: str

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"a reply of {self.tokens} tokens: {self.cpu_ms:.0f} ms of CPU time, {self.wall_ms:.0f} ms by the clock (medians of "
            f"{self.replies}, the cheapest {self.least_cpu_ms:.0f} ms; {self.hardware}, one thread, {self.date})"
        )


def reply_time(folder: Path, first_seed: int, replies: int = REPLIES) -> ReplyTime | None:
    """Listings of held-out scenes, cut at `TOKENS`; None for a model that says so much of hardly any scene.

    The first reply is not counted: it compiles kernels. The caller settles the threads.
    """
    backend = LocalBackend(folder)
    cpu_ms: list[float] = []
    wall_ms: list[float] = []
    for seed in range(first_seed, first_seed + _LONGEST_SEARCH * replies):
        request = listing(seed, backend)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        said = backend.generate(request).completion_tokens
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        if said == TOKENS and seed > first_seed:
            cpu_ms.append(1e3 * cpu_s)
            wall_ms.append(1e3 * wall_s)
        if len(cpu_ms) == replies:
            return ReplyTime(
                tokens=TOKENS, replies=replies, cpu_ms=round(statistics.median(cpu_ms), 1),
                least_cpu_ms=round(min(cpu_ms), 1), wall_ms=round(statistics.median(wall_ms), 1), hardware=hardware(),
                date=dt.datetime.now(dt.UTC).date().isoformat(),
            )  # fmt: skip
    return None


def listing(seed: int, backend: VlmBackend) -> VlmRequest:
    """What a held-out scene is asked: everything on it, of which `TOKENS` tokens are wanted."""
    drawing = drawings.scene(seed)
    ids = [str(number) for number in range(1, len(drawing.regions) + 1)]
    picture = paint_for_model(drawing.image, drawing.regions, ids, STYLE, backend.input_px or 336)
    return VlmRequest(images=(picture,), prompt=prompts.LIST_TEMPLATES[0], max_tokens=TOKENS)


def hardware() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
