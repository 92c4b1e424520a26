"""Progress of a training run as JSON lines on standard output, one object per line.

The process that started the run reads them; a person can too. Only the first of several ranks speaks.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Writes events to `out`; silent on every rank but the first."""

    rank: int = 0
    out: TextIO = field(default_factory=lambda: sys.stdout)
    started_s: float = field(default_factory=time.monotonic)

    def progress(self, *, stage: str, done: float, total: float) -> None:
        """Say how much of `stage` is done, in steps or seconds."""
        self._write({"event": "progress", "stage": stage, "done": round(done, 1), "total": round(total, 1)})

    def metric(self, *, stage: str, step: int, **values: float) -> None:
        """Report numbers of one step: `loss`, `tokens_per_s`, `eta_s` of the stage and whatever it measures."""
        rounded = {name: float(f"{value:.6g}") for name, value in values.items()}
        self._write({"event": "metric", "stage": stage, "step": step, **rounded})

    def log(self, message: str, **details: object) -> None:
        """Say a sentence."""
        self._write({"event": "log", "message": message, **details})

    def _write(self, event: dict[str, object]) -> None:
        if self.rank == 0:
            event["t_s"] = round(time.monotonic() - self.started_s, 1)
            print(json.dumps(event), file=self.out, flush=True)
