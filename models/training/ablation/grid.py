"""The grid of cells, one after the other: what is finished is kept at once and never done again.

Called by `markwise train ablation`. A cell that was cut off goes on from its last checkpoint. Cells come seed by seed, so that a
grid which is stopped early still compares all arms.
"""

import datetime as dt
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import torch
from transformers import LlavaForConditionalGeneration

from models.training.ablation import cells, measures, plot, report, start
from models.training.ablation.arms import ARMS, SIZES, Cell, lists
from models.training.ablation.views import Views
from models.training.events import Reporter
from models.training.loop import StopFlag

TRAIN_SEED: Final = 100_000  # first scene; the tower's own training began at 0
HELD_OUT_SEED: Final = 2_050_000
GAIN: Final = 0.01
TOKENS: Final = 2_400_000  # some six minutes on one core


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which cells there are. `tokens` bounds each; `pictures` are drawn, `held_out` more are asked about."""

    base: Path
    arms: tuple[str, ...] = tuple(ARMS)
    seeds: int = 3
    sizes: tuple[str, ...] = ("small",)
    tokens: tuple[int, ...] = (TOKENS,)
    listing_pictures: tuple[int, ...] = ()
    pictures: int = 3_000
    held_out: int = 300
    doublings: int = 0  # how often a cell is run anew with twice the tokens, as long as that makes it better by GAIN

    def cells(self) -> Iterator[Cell]:
        """All cells, seed by seed; an arm that lists nothing is run once, not once for every number of listed pictures."""
        listed = self.listing_pictures or (self.pictures,)
        for seed, size, tokens, count, arm in product(range(self.seeds), self.sizes, self.tokens, listed, self.arms):
            if lists(arm) or count == max(listed):
                yield Cell(arm=arm, seed=seed, size=size, tokens=tokens, listing_pictures=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all cells of a run share: `home` keeps views, starts and checkpoints of one tower, `results` what came out."""

    tower: LlavaForConditionalGeneration
    home: Path
    results: Path
    views: Views
    held_out: Views
    reporter: Reporter


def run(plan: Plan, work: Path, results: Path, reporter: Reporter, stop: StopFlag) -> bool:
    """Run what is not finished yet; False if stopped. Raises WeightsMissing, BadInput and Diverged."""
    tower = start.open_tower(plan.base)
    home = work / start.sum_of_tower(tower)
    views = start.open_views(home / "views", tower, TRAIN_SEED, plan.pictures)
    held_out = start.open_views(home / "views", tower, HELD_OUT_SEED, plan.held_out)
    reporter.log("pictures are there", training=len(views), held_out=len(held_out))
    bench = Bench(tower=tower, home=home, results=results, views=views, held_out=held_out, reporter=reporter)
    for first in plan.cells():
        cell, before = first, -1.0
        for _ in range(plan.doublings + 1):
            if not finished(cell, bench, stop):
                return False
            now = general(json.loads(file_of(cell, results).read_text(encoding="utf-8")))
            if now - before < GAIN:
                break
            cell, before = replace(cell, tokens=2 * cell.tokens), now
    tell(results)
    return True


def file_of(cell: Cell, results: Path) -> Path:
    """Where a cell's result lies once it is finished."""
    return results / "cells" / f"{cell.name}.json"


def finished(cell: Cell, bench: Bench, stop: StopFlag) -> bool:
    """Run a cell unless its result is there; False if stopped."""
    file, reporter = file_of(cell, bench.results), bench.reporter
    if file.exists():
        reporter.log("already done", cell=cell.name)
        return True
    begin = started_at(bench, cell.size)
    reporter.log("cell starts", cell=cell.name)
    wall_s, cpu_s = time.monotonic(), time.process_time()
    taught = cells.teach(cell, begin, bench.views, bench.home / "cells" / cell.name, reporter, stop)
    if taught is None:
        return False
    taught_s = time.process_time() - cpu_s
    outcomes = measures.measure(taught, bench.held_out)
    record = {
        "cell": asdict(cell), "steps": taught.steps, "tokens_read": taught.tokens, "tower": bench.home.name,
        "training_cpu_s": round(taught_s), "cpu_s": round(time.process_time() - cpu_s),
        "wall_s": round(time.monotonic() - wall_s), "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": _hardware(), "torch": torch.__version__, "outcomes": asdict(outcomes),
    }  # fmt: skip
    keep(file, record)
    tell(bench.results)
    reporter.log("cell ends", cell=cell.name, cpu_s=record["cpu_s"], **_said(record))
    return True


def general(record: dict[str, Any]) -> float:
    """What the cell answers right of POPE's and other short questions, without tags: what must stop growing."""
    found = _said(record)
    return (found["yes-no"] + found["short"]) / 2


def started_at(bench: Bench, size: str) -> Path:
    """The start of a size, made at its first use."""
    folder = bench.home / f"start-{size}"
    if not (folder / "model.safetensors").exists():
        error = start.write_start(folder, bench.tower, bench.views, TRAIN_SEED, SIZES[size])
        bench.reporter.log("start is there", size=size, projector_error=round(error, 4))
    return folder


def keep(file: Path, record: dict[str, Any]) -> None:
    """Write a cell's result whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")
    fresh.replace(file)


def tell(results: Path) -> None:
    """Write table and plot of what is there."""
    found = report.read_cells(results)
    (results / "table.md").write_text(report.table(found), encoding="utf-8")
    (results / "ablation.svg").write_text(plot.draw(found), encoding="utf-8")


def _said(record: dict[str, Any]) -> dict[str, float]:
    return {m.name: round(m.value(m.counts(record["outcomes"]).sum(0)), 3) for m in report.MEASURES}


def _hardware() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"{platform.machine()} CPU, one thread"
