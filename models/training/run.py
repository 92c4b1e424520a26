"""`python -m models.training.run --spec spec.json --out DIR [--resume]`: one training run, reported as JSON lines.

The service's training job starts it as a child process; a person may as well, alone or under torchrun. SIGTERM saves
a checkpoint and exits 0. Exit 1: the run failed, with a sentence on standard error; exit 2: wrong usage.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from models.errors import ModelError
from models.finder import RECIPE as FINDER
from models.finder.teaching import teach
from models.training.events import Reporter
from models.training.finetune import finetune
from models.training.loop import StopFlag
from models.training.process import prepare
from models.training.scratch import export_checkpoint, train_from_scratch
from models.training.spec import STAGES, Spec, read_spec


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.training.run", description=__doc__.splitlines()[0])
    parser.add_argument("--spec", type=Path, required=True, help="JSON file that says what to train")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the trained model")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoints in the folder")
    parser.add_argument("--export", type=Path, help="train nothing; write the newest weights of a run as a checkpoint")
    options = parser.parse_args(arguments)
    try:
        spec = read_spec(options.spec)
        if options.export:
            export_checkpoint(spec, options.out, options.export)
            return 0
        return _run(spec, options.out, resume=options.resume)
    except ModelError as error:
        print(str(error), file=sys.stderr)
        return 1


def _run(spec: Spec, out: Path, *, resume: bool) -> int:
    prepare()
    if "WORLD_SIZE" in os.environ and not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        # Flags and counts travel on the CPU, gradients where the weights are.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    rank = dist.get_rank() if dist.is_initialized() else 0
    out.mkdir(parents=True, exist_ok=True)
    if not resume and rank == 0:
        for old in out.glob("stage-*"):
            shutil.rmtree(old)
    if dist.is_initialized():
        dist.barrier()
    stop = StopFlag()
    stop.listen()
    reporter = Reporter(rank=rank)
    recipe = teach if spec.recipe == FINDER else train_from_scratch if spec.recipe in STAGES else finetune
    finished = recipe(spec, out, reporter, stop)
    reporter.log("finished" if finished else "stopped; start again with --resume to go on")
    if dist.is_initialized():
        dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
