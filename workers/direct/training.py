"""`markwise train`: the trainer in a process of its own, with its progress shown and its events kept."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.cli import Failure
from models.training.recipes import RECIPES
from models.training.spec import DEEPER, FROM_SCRATCH
from workers.direct.ablation import ablation


@click.group()
def train() -> None:
    """Teach a model to read marks."""


@train.command("recipes")
@click.option("--json", "as_json", is_flag=True, help="All numbers of all recipes as one JSON object.")
def train_recipes(as_json: bool) -> None:
    r"""List the recipes that `train run --recipe` and POST /v1/trainings take, with the numbers they train with.

    \b
    markwise train recipes
    """
    if as_json:
        click.echo(json.dumps({name: asdict(recipe) for name, recipe in RECIPES.items()}, indent=1))
        return
    table = Table(
        "recipe", "rate", "projector", "LoRA r/alpha", "batch", "schedule", "epochs", "tokens", "what it is", box=None
    )
    for recipe in RECIPES.values():
        lora = f"{recipe.lora_rank}/{recipe.lora_alpha}" if recipe.lora_rank else "-"
        table.add_row(
            recipe.name, f"{recipe.learning_rate:g}", f"{recipe.projector_rate:g}", lora, str(recipe.global_batch),
            recipe.schedule, str(recipe.epochs), str(recipe.max_tokens), recipe.purpose,
        )  # fmt: skip
    table.add_row(FROM_SCRATCH, *["-"] * 7, "the small model from nothing, on drawings that it makes itself")
    table.add_row(DEEPER, *["-"] * 7, "the same and on: deeper, for mark tables, letters and pictures of any scale")
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@train.command("run")
@click.option("--recipe", default="finetune", show_default=True, help="See `markwise train recipes`.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Checkpoints and model.")
@click.option("--base", type=click.Path(exists=True, file_okay=False), help="The checkpoint to start from.")
@click.option("--dataset", type=click.Path(exists=True, dir_okay=False), help="LLaVA JSON.")
@click.option("--images", type=click.Path(exists=True, file_okay=False), help="The folder of its pictures.")
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Or a budget of time.")
@click.option("--clock", type=click.Choice(["wall", "cpu"]), help="What the minutes are of; cpu for the tiny recipes.")
@click.option("--processes", type=click.IntRange(1), help="How many draw the pictures of the tiny recipes.")
@click.option("--batch-size", type=click.IntRange(1), help="Samples of one optimiser step, over all processes.")
@click.option("--per-device-batch", type=click.IntRange(1), help="At most so many samples in one packed row.")
@click.option("--row-tokens", type=click.IntRange(64), help="At most so many tokens in one: memory, not the result.")
@click.option("--max-tokens", type=click.IntRange(16), help="Longer conversations are cut.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True))
@click.option("--lora-rank", type=click.IntRange(1), help="An adapter with `finetune`; another rank with LoRA recipes.")
@click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="The recipe's own is bf16.")
@click.option("--gradient-checkpointing/--no-gradient-checkpointing", default=None, help="Less memory, more time.")
@click.option(
    "--sharded", is_flag=True, default=None, help="Under torchrun: spread the layers over the processes (FSDP)."
)
@click.option(
    "--stage", "curriculum", multiple=True, type=click.IntRange(1), help="Records of a stage, in order; repeatable."
)
@click.option(
    "--max-broken-share", type=click.FloatRange(0, 1), help="Stop beyond this share of broken pictures; 0.05 without."
)
@click.option("--checkpoint-every", "checkpoint_every_s", type=click.FloatRange(1), help="Seconds; 180 without.")
@click.option("--retention", type=click.Path(exists=True, dir_okay=False), help="Text-only LLaVA JSON to measure on.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on from the checkpoints in --out.")
def train_run(out: Path, resume: bool, minutes: float | None, **given: Any) -> None:
    r"""Train on this machine, with progress; stop with Ctrl-C and go on later with --resume.

    Everything the trainer reports, losses included, is kept as JSON lines in events.jsonl under --out.

    \b
    markwise train run --base llava-1.5-7b-hf/ --dataset shop.json --images pictures/ --out run/
    markwise train run --recipe som-llava-13b --base llava-1.5-13b-hf/ --dataset mix.json --images images/ --out run/ --resume
    """
    out.mkdir(parents=True, exist_ok=True)
    spec = {name: value for name, value in given.items() if value is not None and value != ()}
    if minutes is not None:
        spec["budget_s"] = 60 * minutes
    spec_file = out / "spec.json"
    if not (resume and spec_file.exists()):
        spec_file.write_text(json.dumps(spec, indent=1), encoding="utf-8")
    argv = [sys.executable, "-m", "models.training.run", "--spec", str(spec_file), "--out", str(out)]
    child = subprocess.Popen(
        [*argv, "--resume"] if resume else argv,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        with (out / "events.jsonl").open("a" if resume else "w", encoding="utf-8") as kept:
            _show_progress(child, kept)
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        child.wait()
    if child.returncode != 0:
        raise Failure("the training failed; what it said stands above")


train.add_command(ablation)


def _show_progress(child: "subprocess.Popen[str]", kept: TextIO) -> None:
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=None)
        for line in child.stdout or ():
            kept.write(line)
            kept.flush()
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "progress":
                bar.update(task, completed=event["done"], total=event["total"], description=event.get("stage"))
            elif event.get("event") == "log":
                bar.console.print(event.get("message", ""))
    child.wait()
