"""The recipe `tiny-scratch`: from random weights to a `som-llava-tiny` checkpoint folder, stage by stage.

Stages run one after the other, or side by side as processes that are given one stage each; the joint stage also runs
under torchrun. A stage that is done is not run again, so a killed run goes on where it was.
"""

from pathlib import Path
from random import Random
from typing import Final

import torch
import torch.distributed as dist
from transformers import LlavaForConditionalGeneration

from models.tiny.export import save
from models.training import forward
from models.training.events import Reporter
from models.training.graft import graft_digits
from models.training.loop import LoopSettings, StopFlag, is_done, load_stage, run_stage
from models.training.packing import Example, Packer
from models.training.schedule import Budget
from models.training.segments import random_rows, table_segments
from models.training.spec import STAGE_SHARES, Spec
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

DEFAULT_BUDGET_S: Final = 7200.0
# CPU time: on a machine that does other work too, seconds of the wall would teach less than was measured.
DEFAULT_CLOCK: Final = "cpu"
BUILDS_ON: Final[dict[str, tuple[str, ...]]] = {
    "vision": (),
    "language": (),
    "bridge": ("vision", "language"),
    "joint": ("vision", "language", "bridge"),
    "looks": ("vision", "language", "bridge", "joint"),
    "tables": ("vision", "language", "bridge", "joint", "looks"),
}
GRAFT_TABLES: Final = 48


def train_from_scratch(spec: Spec, out: Path, reporter: Reporter, stop: StopFlag) -> bool:
    """Run the stages of `spec`; the last stage leaves the checkpoint folder `out/model`. False if stopped."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    pictures = Pictures.open(Path(spec.pool) if spec.pool else out / "pool", spec.processes)
    for name in spec.stages:
        if is_done(out, name):
            reporter.log("already done", stage=name)
            continue
        tiny = Tiny(spec.seed)
        for earlier in BUILDS_ON[name]:
            if not load_stage(tiny, out, earlier):
                reporter.log("stage starts without weights of an earlier one", stage=name, missing=earlier)
        packer = checked_packer(tiny)
        stage = _stage(name, spec, pictures, packer)
        if name == "tables":  # without effect on a resumed stage, which then takes its own weights
            tables = table_batch(packer, Random(spec.seed), GRAFT_TABLES)
            graft_digits(tiny, tables, TableStage.line_head, TableStage.mark_head)
        stage.peak_rate = spec.learning_rate or stage.peak_rate
        settings = LoopSettings(out=out, seed=spec.seed, checkpoint_every_s=spec.checkpoint_every_s, rank=rank)
        reporter.log("stage starts", stage=name, threads=torch.get_num_threads())
        if not run_stage(tiny, stage, _budget(spec, name), settings, reporter, stop):
            return False
        if name in ("joint", "tables") and rank == 0:
            export(tiny, out / "model")
            reporter.log("saved", folder=str(out / "model"))
    return True


def export_checkpoint(out: Path, folder: Path, seed: int) -> None:
    """Write the newest weights of an unfinished run as a checkpoint folder."""
    tiny = Tiny(seed)
    for name in STAGE_SHARES:
        load_stage(tiny, out, name)
    export(tiny, folder)


def export(tiny: Tiny, folder: Path) -> None:
    """Save the model with the library's own attention setting, without the helpers of training."""
    model = LlavaForConditionalGeneration(tiny.llava.config)
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


def _stage(name: str, spec: Spec, pictures: Pictures, packer: Packer) -> Stage[Tiny]:
    batch = spec.batch_size or 12
    match name:
        case "vision":
            return VisionStage(pictures, batch)
        case "language":
            return LanguageStage(pictures, packer, max(1, 2 * batch // 3), max(1, batch // 2))
        case "bridge":
            return BridgeStage(pictures, 2 * batch)
        case "looks" | "tables":
            return TableStage(name, pictures, packer, max(1, batch // 2), max(1, 2 * batch // 3))
        case _:
            return JointStage(pictures, packer, max(1, 2 * batch // 3), max(1, batch // 6))


def _budget(spec: Spec, name: str) -> Budget:
    share = STAGE_SHARES[name] / sum(STAGE_SHARES[stage] for stage in spec.stages)
    clock = spec.clock or DEFAULT_CLOCK
    if spec.steps is not None:
        return Budget(steps=max(1, round(spec.steps * share)), clock=clock)
    return Budget(seconds=(spec.budget_s or DEFAULT_BUDGET_S) * share, clock=clock)
