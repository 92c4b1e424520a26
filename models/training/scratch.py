"""The recipes `tiny-scratch` and `tiny-v2`: from random weights to a `som-llava-tiny` checkpoint folder, stage by stage.

tiny-v2 goes on where tiny-scratch ends, with a language half two layers deeper.

Stages run one after the other, or side by side as processes that are given one stage each; the joint stage also runs
under torchrun. A stage that is done is not run again, so a killed run goes on where it was.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Final

import torch
import torch.distributed as dist
from transformers import LlavaForConditionalGeneration

from models.tiny.export import save
from models.training import forward
from models.training.events import Reporter
from models.training.graft import graft_digits, graft_second_sign, graft_signs
from models.training.loop import LoopSettings, StopFlag, is_done, load_stage, run_stage
from models.training.packing import Example, Packer
from models.training.schedule import Budget
from models.training.second import (
    GrownTiny,
    LookupStage,
    SeeingStage,
    SightingStage,
    Varied,
    VariedStage,
    tables_batch,
)
from models.training.segments import random_rows, table_segments
from models.training.spec import DEEPER, FROM_SCRATCH, STAGES, Spec
from models.training.stages import (
    BridgeStage,
    JointStage,
    LanguageStage,
    Pictures,
    Stage,
    TableStage,
    Tiny,
    VisionStage,
    table_batch,
)
from models.vlm.prompts import mark_table

# CPU time: on a machine that does other work too, seconds of the wall would teach less than was measured.
DEFAULT_CLOCK: Final = "cpu"
# Stages that need nothing of some that come before them, so that they can run side by side.
BUILDS_ON: Final[dict[str, tuple[str, ...]]] = {
    "vision": (),
    "language": (),
    "bridge": ("vision", "language"),
}
EXPORTED: Final = ("joint", "tables", "answering", "varied", "polish", "settle", "focus")
GRAFT_TABLES: Final = 48
USUAL_BATCH: Final = 12
MOST_TIMES: Final = 4  # 186,000 pictures, 28 GB on disk


def train_from_scratch(spec: Spec, out: Path, reporter: Reporter, stop: StopFlag) -> bool:
    """Run the stages of `spec`; the last stage leaves the checkpoint folder `out/model`. False if stopped."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    pools = _Pools(spec, out)
    for name in spec.stages:
        if is_done(out, name):
            reporter.log("already done", stage=name)
            continue
        tiny = _taught_before(spec, out, name, reporter)
        packer = checked_packer(tiny)
        stage = _stage(name, spec, pools, packer)
        _graft(name, tiny, packer, spec.seed)  # without effect on a resumed stage, which then takes its own weights
        tiny.to("cuda" if torch.cuda.is_available() else "cpu")
        stage.peak_rate = spec.learning_rate or stage.peak_rate
        settings = LoopSettings(out=out, seed=spec.seed, checkpoint_every_s=spec.checkpoint_every_s, rank=rank)
        reporter.log("stage starts", stage=name, threads=torch.get_num_threads())
        if not run_stage(tiny, stage, _budget(spec, name), settings, reporter, stop):
            return False
        if name in EXPORTED and rank == 0:
            export(tiny, out / "model")
            reporter.log("saved", folder=str(out / "model"))
    return True


def _taught_before(spec: Spec, out: Path, name: str, reporter: Reporter | None) -> Tiny:
    """The model as the stages before `name` left it; deeper from the second school on."""
    order = tuple(STAGES[spec.recipe])
    before = order[: order.index(name)] if name else order
    tiny = GrownTiny(spec.seed) if spec.recipe == DEEPER else Tiny(spec.seed)
    first = [stage for stage in BUILDS_ON.get(name, before) if stage in STAGES[FROM_SCRATCH]]
    for earlier in first:
        if not load_stage(tiny, out, earlier) and reporter:
            reporter.log("stage starts without weights of an earlier one", stage=name, missing=earlier)
    if isinstance(tiny, GrownTiny) and name not in STAGES[FROM_SCRATCH]:
        tiny.deepen()
        for earlier in before:
            if earlier not in STAGES[FROM_SCRATCH] and not load_stage(tiny, out, earlier) and reporter:
                reporter.log("stage starts without weights of an earlier one", stage=name, missing=earlier)
    return tiny


def _graft(name: str, tiny: Tiny, packer: Packer, seed: int) -> None:
    """Give heads that were taught where to look something to carry, before the stage that uses it."""
    if name == "tables":
        graft_digits(tiny, table_batch(packer, Random(seed), GRAFT_TABLES), TableStage.line_head, TableStage.mark_head)
    elif name == "lookup":
        graft_signs(tiny, tables_batch(packer, Random(seed), GRAFT_TABLES, None))
    elif name == "answering":
        graft_second_sign(tiny, tables_batch(packer, Random(seed), GRAFT_TABLES, None))


def export_checkpoint(spec: Spec, out: Path, folder: Path) -> None:
    """Write the newest weights of an unfinished run as a checkpoint folder."""
    export(_taught_before(spec, out, "", None), folder)


def export(tiny: Tiny, folder: Path) -> None:
    """Save the model with the library's own attention setting, without the helpers of training."""
    model = LlavaForConditionalGeneration(
        deepcopy(tiny.llava.config)
    )  # the attention of `tiny` is not to change with it
    forward.set_attention(model, "sdpa")
    model.load_state_dict(tiny.llava.state_dict())
    save(model, tiny.tokenizer, folder)


def checked_packer(tiny: Tiny) -> Packer:
    """A packer whose cuts agree with serving's on a sample of questions; raises TokenisationMismatch."""
    packer, rng = Packer(tiny.tokenizer), Random(0)
    for _ in range(50):
        rows = random_rows(rng, rng.randint(2, 12))
        packer.check(Example(table=mark_table(rows), segments=table_segments(rows, rng), picture=rng.random() < 0.5))
    return packer


class _Pools:
    """The pools of a run, opened (or drawn) when a stage first needs them."""

    def __init__(self, spec: Spec, out: Path) -> None:
        self._folder, self._processes = Path(spec.pool) if spec.pool else out / "pool", spec.processes
        self._times = pool_times(spec.batch_size)

    @cached_property
    def first(self) -> Pictures:
        """Those of tiny-scratch."""
        return Pictures.open(self._folder, self._processes, self._times)

    @cached_property
    def varied(self) -> Varied:
        """Those that tiny-v2 has besides."""
        return Varied.open(self._folder, self._processes, self._times)


def pool_times(batch_size: int | None) -> int:
    """How many times the usual drawings a run with such batches has, 1 to 4: it would else see each of them thirty times."""
    return max(1, min(MOST_TIMES, (batch_size or USUAL_BATCH) // (2 * USUAL_BATCH)))


def _stage(name: str, spec: Spec, pools: _Pools, packer: Packer) -> Stage[Any]:
    batch = spec.batch_size or USUAL_BATCH
    half, third, quarter, sixth = (max(1, batch // part) for part in (2, 3, 4, 6))
    makers: dict[str, Callable[[], Stage[Any]]] = {
        "vision": lambda: VisionStage(pools.first, batch),
        "language": lambda: LanguageStage(pools.first, packer, 2 * third, half),
        "bridge": lambda: BridgeStage(pools.first, 2 * batch),
        "joint": lambda: JointStage(pools.first, packer, 2 * third, sixth),
        "looks": lambda: TableStage(name, pools.first, packer, half, 2 * third),
        "tables": lambda: TableStage(name, pools.first, packer, half, 2 * third),
        "sighting": lambda: SightingStage(pools.varied, packer, half),
        "lookup": lambda: LookupStage(name, pools.varied, packer, sixth, quarter, half),
        "answering": lambda: LookupStage(name, pools.varied, packer, sixth, quarter, half),
        "seeing": lambda: SeeingStage(pools.varied, batch),
        "varied": lambda: VariedStage(name, pools.varied, packer, half, quarter),
        "polish": lambda: VariedStage(name, pools.varied, packer, half, quarter),
        "settle": lambda: VariedStage(name, pools.varied, packer, half, max(1, 5 * batch // 12)),
        "focus": lambda: VariedStage(name, pools.varied, packer, half, quarter),
    }
    return makers[name]()


def _budget(spec: Spec, name: str) -> Budget:
    seconds = STAGES[spec.recipe]
    share = seconds[name] / sum(seconds[stage] for stage in spec.stages)
    clock = spec.clock or DEFAULT_CLOCK
    if spec.steps is not None:
        return Budget(steps=max(1, round(spec.steps * share)), clock=clock)
    return Budget(seconds=(spec.budget_s or sum(seconds.values())) * share, clock=clock)
