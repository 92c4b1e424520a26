"""Drives one stage to the end of its budget: steps, metrics, checkpoints, and a clean stop when asked.

Every step draws from its own random generator, named by seed, stage, step and rank, so a resumed run meets exactly
the batches it would have met. Knows nothing of what a stage teaches.
"""

import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import torch
import torch.distributed as dist
from torch import nn

from models.errors import ModelError
from models.training import checkpoints
from models.training.events import Reporter
from models.training.optimizer import MasterAdamW
from models.training.schedule import Budget, cosine_rate, learning_rate
from models.training.stages import ModelT_contra, Outcome, Stage, merged

METRIC_EVERY: Final = 20


class Diverged(ModelError):
    """The loss or its gradient is not a number, or the loss exactly zero: nothing can be learnt from here."""


class StopFlag:
    """Set by SIGTERM or SIGINT; the loop looks at it after every step."""

    def __init__(self) -> None:
        """Nothing asked yet."""
        self.asked = False

    def listen(self) -> None:
        """Take over SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """Where and how often to save, what the batches are drawn from, and how the optimiser is set.

    With `cosine_warmup` (a share of the budget) the rate follows a cosine instead of the stage's own hold and fall.
    """

    out: Path
    seed: int
    checkpoint_every_s: float = 180.0
    rank: int = 0
    warmup_steps: int = 100
    cosine_warmup: float | None = None
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    clip_norm: float = 1.0


def run_stage(
    model: ModelT_contra,
    stage: Stage[ModelT_contra],
    budget: Budget,
    settings: LoopSettings,
    reporter: Reporter,
    stop: StopFlag,
) -> bool:
    """Train to the end of `budget`, from the stage's checkpoint if there is one; False if asked to stop before.

    Raises Diverged.
    """
    optimizer = MasterAdamW(
        model.named_parameters(),
        stage.scale_of,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        betas=settings.betas,
    )
    folder = settings.out / f"stage-{stage.name}"
    if _take_up(folder, optimizer, budget, settings):
        reporter.log("resumed", stage=stage.name, step=budget.step)
    budget.start()
    teller = _Teller(reporter, stage.name, budget)
    last_save_s = time.monotonic()
    while not _any(budget.fraction >= 1.0):
        outcomes = _step(model, stage, budget, settings, optimizer)
        budget.tick()
        teller.add(outcomes, _rate(stage, budget, settings))
        asked = _any(stop.asked)
        due = time.monotonic() - last_save_s > settings.checkpoint_every_s
        if asked or (_any(due) if optimizer.sharded else due):
            _save(folder, optimizer, budget, settings, done=False)
            last_save_s = time.monotonic()
        if asked:
            reporter.log("stopped", stage=stage.name, step=budget.step)
            return False
    _save(folder, optimizer, budget, settings, done=True)
    teller.end()
    return True


def load_stage(tiny: nn.Module, out: Path, name: str) -> bool:
    """Copy the weights that a finished or running stage saved into `tiny`; False if there are none."""
    saved = checkpoints.read(out / f"stage-{name}")
    if saved is None:
        return False
    weights = {key.removeprefix("master/"): value for key, value in saved[0].items() if key.startswith("master/")}
    with torch.no_grad():
        for key, parameter in tiny.named_parameters():
            if key in weights:
                parameter.copy_(weights[key])
    return True


def is_done(out: Path, name: str) -> bool:
    """True if the stage ran to the end of its budget."""
    saved = checkpoints.read(out / f"stage-{name}")
    return saved is not None and bool(saved[1]["done"])


def _step(
    model: ModelT_contra, stage: Stage[ModelT_contra], budget: Budget, settings: LoopSettings, optimizer: MasterAdamW
) -> "list[Outcome]":
    key = f"{settings.seed}-{stage.name}-{budget.step}-{settings.rank}"
    rng = Random(key)
    torch.manual_seed(rng.getrandbits(32))
    measure = budget.step % 4 == 3
    outcomes = []
    for outcome in stage.losses(model, rng, measure=measure):
        outcome.loss.backward()
        outcome.loss = outcome.loss.detach()
        outcomes.append(outcome)
    loss = float(sum(outcome.loss for outcome in outcomes))
    if not 0.0 < loss < float("inf"):
        raise Diverged(f"the loss of step {budget.step} in stage {stage.name} is {loss}")
    norm = optimizer.step(_rate(stage, budget, settings))
    if not math.isfinite(norm):
        # The weights are spoilt by now; raised before they are saved, so that the last checkpoint stays a good one.
        raise Diverged(
            f"the gradient of step {budget.step} in stage {stage.name} is {norm}, though its loss is {loss:.4g}"
        )
    return outcomes


def _rate(stage: Stage[ModelT_contra], budget: Budget, settings: LoopSettings) -> float:
    if settings.cosine_warmup is not None:
        return cosine_rate(budget, peak=stage.peak_rate, warmup_ratio=settings.cosine_warmup)
    return learning_rate(budget, peak=stage.peak_rate, hold_until=stage.hold_until, warmup_steps=settings.warmup_steps)


def _take_up(folder: Path, optimizer: MasterAdamW, budget: Budget, settings: LoopSettings) -> bool:
    """Go back to where the checkpoint in `folder` stands; False if there is none."""
    saved = checkpoints.read(folder, settings.rank, _world())
    if saved is None:
        return False
    optimizer.load(saved[0])
    budget.step, budget.used_s = int(saved[1]["step"]), float(saved[1]["used_s"])
    return True


def _save(folder: Path, optimizer: MasterAdamW, budget: Budget, settings: LoopSettings, *, done: bool) -> None:
    state = {"step": budget.step, "used_s": budget.used_s, "seed": settings.seed, "done": done}
    if optimizer.sharded:
        checkpoints.write_shards(folder, optimizer.state(), state, settings.rank, _world(), dist.barrier)
    elif settings.rank == 0:
        checkpoints.write(folder, optimizer.state(), state)


def _world() -> int:
    return int(dist.get_world_size()) if dist.is_initialized() else 1


def _any(value: bool) -> bool:
    """True on all ranks if it is on one: ranks must leave the loop together or the others wait for ever."""
    if not dist.is_initialized():
        return value
    flag = torch.tensor(float(value))
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    return bool(flag > 0)


class _Teller:
    """Tells of a stage: a metric line now and then, with what happened since the last, and what it took in the end."""

    def __init__(self, reporter: Reporter, stage: str, budget: Budget) -> None:
        self._reporter, self._stage, self._budget = reporter, stage, budget
        self._started_s, self._started_cpu_s = time.monotonic(), time.process_time()
        self._begun = budget.fraction
        self._forget()

    def _forget(self) -> None:
        self._since_s = time.monotonic()
        self._outcomes: list[Outcome] = []
        self._losses: list[float] = []

    def add(self, outcomes: list[Outcome], rate: float) -> None:
        """Take a step in; the first shows that it works at all, the last one how it ended."""
        self._outcomes += outcomes
        self._losses.append(float(sum(outcome.loss for outcome in outcomes)))
        if self._budget.step % METRIC_EVERY == 0 or self._budget.step == 1 or self._budget.fraction >= 1.0:
            self._report(rate)
            self._forget()

    def _report(self, rate: float) -> None:
        budget, seconds = self._budget, max(time.monotonic() - self._since_s, 1e-9)
        values: dict[str, list[float]] = {}
        for outcome in self._outcomes:
            for name, value in outcome.values.items():
                values.setdefault(name, []).append(value)
        means = {name: sum(found) / len(found) for name, found in values.items()}
        tokens = sum(outcome.tokens for outcome in self._outcomes)
        self._reporter.metric(
            stage=self._stage, step=budget.step, loss=sum(self._losses) / len(self._losses),
            tokens_per_s=tokens / seconds, steps_per_s=len(self._losses) / seconds, eta_s=self._left_s(), rate=rate,
            **means, **merged([outcome.exact for outcome in self._outcomes]),
        )  # fmt: skip
        total = float(budget.steps) if budget.steps is not None else float(budget.seconds or 0)
        done = float(budget.step) if budget.steps is not None else budget.used_s
        self._reporter.progress(stage=self._stage, done=done, total=total)

    def _left_s(self) -> float:
        """Wall seconds until the end, as fast as it has gone since this run began."""
        done = self._budget.fraction - self._begun
        spent_s = time.monotonic() - self._started_s
        return spent_s * (1.0 - self._budget.fraction) / done if done > 0 else 0.0

    def end(self) -> None:
        """Tell what the stage took."""
        self._reporter.log(
            "stage ends",
            stage=self._stage,
            step=self._budget.step,
            wall_s=round(time.monotonic() - self._started_s),
            cpu_s=round(time.process_time() - self._started_cpu_s),
        )
