"""Trains the element detector. Run: python -m models.detector.train --pages DIR --held DIR --out DIR --minutes 80.

One schedule: a short rise, one cosine to 0 over the given minutes of training or over `--steps`; a stopped run goes on
from its last checkpoint when started again with the same command. Events go to OUT/log.jsonl, one JSON object per line.
With several processes (`python -m torch.distributed.run --standalone --nproc-per-node 2 -m models.detector.train ...`)
gradients are averaged every step. Takes a GPU where there is one.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from models.detector.data import Batch, Crops, PageTruth, read_pages
from models.detector.infer import score_pages
from models.detector.losses import detection_loss
from models.detector.measure import at_marks_per_element
from models.detector.net import parameter_count
from models.detector.state import Run, averaged_net
from models.pages.pen import ROLES


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, required=True, help="folder of shards to learn from")
    parser.add_argument("--held", type=Path, required=True, help="folder of shards that are only measured")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint and log")
    parser.add_argument("--start", type=Path, help="checkpoint whose averaged weights a new run begins with")
    parser.add_argument("--minutes", type=float, default=80.0, help="length of the schedule in minutes of training")
    parser.add_argument("--steps", type=int, default=0, help="length of the schedule in steps instead")
    parser.add_argument("--batch", type=int, default=4, help="crops per step and process")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches; 8 or more with a GPU")
    parser.add_argument(
        "--threads", type=int, default=1, help="per process; two processes of one are twice as fast as one of two"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--held-pages", type=int, default=24, help="pages measured while training")
    parser.add_argument("--plain", action="store_true", help="no augmentation, to see whether it can fit a few pages")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    rank, size = 0, 1
    if distributed.is_torchelastic_launched():
        distributed.init_process_group("gloo")
        rank, size = distributed.get_rank(), distributed.get_world_size()
    device = torch.device(
        ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    )
    torch.manual_seed(options.seed)
    run = Run(rate=options.rate, device=device)
    resumed = run.load(options.out / "checkpoint")
    if options.start and not resumed:
        run.begin_with(averaged_net(options.start))
    options.out.mkdir(parents=True, exist_ok=True)
    say = Log(options.out / "log.jsonl" if rank == 0 else None)
    say(
        event="start", resumed=resumed, step=run.step, processes=size, device=str(device), batch=options.batch, rate=options.rate,
        minutes=options.minutes, steps=options.steps, parameters=parameter_count(run.net), pages=len(read_pages(options.pages)),
    )  # fmt: skip
    held = read_pages(options.held)[: options.held_pages] if rank == 0 else []
    crops = Crops(
        options.pages, size=options.batch, seed=options.seed + 7919 * rank + run.step, augment=not options.plain
    )
    loader = torch.utils.data.DataLoader(
        crops, batch_size=None, num_workers=options.workers, pin_memory=device.type == "cuda"
    )
    learn(run, loader, held, options, say, device, rank, size)
    if distributed.is_initialized():
        distributed.destroy_process_group()


class Log:
    """Appends events as JSON lines and prints them; silent without a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __call__(self, **event: Any) -> None:
        """Write one event."""
        if self._path is None:
            return
        line = json.dumps({"time": time.strftime("%H:%M:%S", time.gmtime()), **event})
        print(line, flush=True)
        with self._path.open("a") as file:
            file.write(line + "\n")


def learn(
    run: Run,
    loader: Any,
    held: list[PageTruth],
    options: argparse.Namespace,
    say: Log,
    device: torch.device,
    rank: int,
    size: int,
) -> None:
    """Train to the end of the schedule; checkpoints every two minutes, measures at every tenth of it."""
    run.net.train()
    saved = clock = time.monotonic()
    sums: dict[str, float] = {}
    tenth = int(10 * progress(run, options))
    settings = {
        "batch": options.batch,
        "minutes": options.minutes,
        "steps": options.steps,
        "seed": options.seed,
        "processes": size,
    }
    for batch in loader:
        done = _agree(progress(run, options), size)
        if done >= 1.0:
            break
        rate = run.set_rate(done)
        parts = one_step(run, batch, device, size)
        run.step += 1
        run.crops += options.batch * size
        now = time.monotonic()
        run.seconds, clock = run.seconds + now - clock, now
        sums = {name: sums.get(name, 0.0) + value / 20 for name, value in parts.items()}
        if run.step % 20 == 0:
            say(
                event="step",
                step=run.step,
                crops=run.crops,
                seconds=round(run.seconds),
                rate=round(rate, 6),
                **{name: round(value, 4) for name, value in sums.items()},
            )
            sums = {}
        if rank == 0 and now - saved > 120:
            run.save(options.out / "checkpoint", settings)
            saved = time.monotonic()
        if int(10 * done) > tenth:
            tenth = int(10 * done)
            _measure(run, held, device, say)
            clock = time.monotonic()
    if rank == 0:
        run.save(options.out / "checkpoint", settings)
        _measure(run, held, device, say)
        say(event="end", step=run.step, crops=run.crops, seconds=round(run.seconds))


def progress(run: Run, options: argparse.Namespace) -> float:
    """Share of the schedule that is over."""
    return float(run.step / options.steps if options.steps else run.seconds / (60 * options.minutes))


def one_step(run: Run, batch: Batch, device: torch.device, size: int) -> dict[str, float]:
    """One step on one batch; returns the parts of the loss."""
    batch = batch.to(device)
    with torch.autocast(device.type, torch.bfloat16):
        maps = run.net(batch.pixels)
    loss, parts = detection_loss(maps, batch.targets)
    run.net.zero_grad(set_to_none=True)
    loss.backward()
    if size > 1:
        _average_gradients(run, size)
    torch.nn.utils.clip_grad_norm_(run.net.parameters(), 8.0)
    run.update()
    run.follow()
    return parts


def _average_gradients(run: Run, size: int) -> None:
    """One exchange of all gradients: eight megabytes over the loopback are small beside a step."""
    gradients = [weight.grad for weight in run.net.parameters() if weight.grad is not None]
    flat = torch.cat([one.reshape(-1) for one in gradients])
    distributed.all_reduce(flat)
    flat /= size
    start = 0
    for one in gradients:
        one.copy_(flat[start : start + one.numel()].view_as(one))
        start += one.numel()


def _agree(done: float, size: int) -> float:
    """All processes must stop at the same step: the first one's clock is everybody's."""
    if size == 1:
        return done
    shared = torch.tensor([done])
    distributed.broadcast(shared, 0)
    return float(shared)


def _measure(run: Run, held: list[PageTruth], device: torch.device, say: Log) -> None:
    if not held:
        return
    result = asdict(at_marks_per_element(score_pages(run.average, held, device)))
    by_role = {ROLES[role]: f"{found}/{count}" for role, (found, count) in sorted(result.pop("by_role").items())}
    say(
        event="held",
        step=run.step,
        crops=run.crops,
        pages=len(held),
        **{name: round(value, 4) for name, value in result.items()},
        by_role=by_role,
    )


if __name__ == "__main__":
    main()
