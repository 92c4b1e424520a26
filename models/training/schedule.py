"""How far a stage is, and which learning rate that means.

A stage is bounded by steps or by seconds (of the clock, or of this process's CPU time on a machine that is shared).
The rate follows the fraction done, so the decay at the end always happens: on the prototype the decay alone
took referring answers from chance to .77.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Literal

ClockKind = Literal["wall", "cpu"]


@dataclass(slots=True, kw_only=True)
class Budget:
    """What a stage may use; exactly one of `steps` and `seconds` is set. `used_s` survives a resume."""

    steps: int | None = None
    seconds: float | None = None
    clock: ClockKind = "wall"
    step: int = 0
    used_s: float = 0.0
    _mark_s: float = field(default=-1.0, repr=False)

    def __post_init__(self) -> None:
        """Refuse a budget with no bound or with two."""
        if (self.steps is None) == (self.seconds is None):
            raise ValueError("a budget needs steps or seconds, not both")

    def start(self) -> None:
        """Begin counting seconds."""
        self._mark_s = self._now()

    def tick(self) -> None:
        """Count one step done."""
        now = self._now()
        self.step += 1
        self.used_s += now - self._mark_s
        self._mark_s = now

    @property
    def fraction(self) -> float:
        """How much is used, 0 to 1."""
        used = (
            self.step / max(self.steps, 1) if self.steps is not None else self.used_s / max(self.seconds or 0.0, 1e-9)
        )
        return min(1.0, used)

    def _now(self) -> float:
        return time.monotonic() if self.clock == "wall" else time.process_time()


def learning_rate(
    budget: Budget, *, peak: float, floor: float = 0.02, hold_until: float = 0.6, warmup_steps: int = 100
) -> float:
    """Linear warm-up over steps, constant until `hold_until` of the budget, then linear down to `floor * peak`."""
    warm = min(1.0, (budget.step + 1) / max(warmup_steps, 1))
    done = budget.fraction
    fall = 1.0 if done <= hold_until else 1.0 - (1.0 - floor) * (done - hold_until) / (1.0 - hold_until)
    return peak * min(warm, fall)


def cosine_rate(budget: Budget, *, peak: float, warmup_ratio: float = 0.03) -> float:
    """Linear warm-up over `warmup_ratio` of the budget, then a half cosine down to 0.

    With a budget of steps this is, step for step, the schedule that LLaVA-1.5 was trained with: its first step has rate 0.
    """
    if budget.steps is None:
        warm, done = warmup_ratio, budget.fraction
    else:
        warm, done = math.ceil(warmup_ratio * budget.steps) / budget.steps, budget.step / budget.steps
    if done < warm:
        return peak * done / warm
    return peak * 0.5 * (1.0 + math.cos(math.pi * (done - warm) / max(1.0 - warm, 1e-9)))
