"""`markwise evaluate`: measurements of models, each in a process of its own."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from app.cli import Failure
from app.commands.analyses import dimensions, overlap
from app.commands.probes import probes
from app.commands.score import score
from workers.direct.attention import attention
from workers.direct.benchmarks import run_benchmark
from workers.direct.finder import finder
from workers.direct.pictures import json_option
from workers.direct.pointing import pointing
from workers.direct.preparing import prepare
from workers.direct.reporting import report


@click.group()
def evaluate() -> None:
    """Measure a model."""


@evaluate.command("drawings")
@click.option("--model", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A checkpoint.")
@click.option("--n", type=click.IntRange(1), default=100, show_default=True, help="How many held-out drawings.")
@click.option(
    "--set",
    "asked",
    type=click.Choice(["plain", "varied", "served"]),
    default="plain",
    show_default=True,
    help="varied: up to 10 objects, other mark styles, letters, scales, ids to 99, and mark tables nobody drew; served: "
    "the same drawings as the service asks about them.",
)
@json_option
def evaluate_drawings(folder: Path | None, n: int, asked: str, as_json: bool) -> None:
    r"""Measure listing, "what is mark n" and "which mark is" on held-out drawings.

    \b
    markwise evaluate drawings --n 20
    markwise evaluate drawings --model run/model --set varied --json
    markwise evaluate drawings --set served --n 80
    """
    from workers.shelf import BUILT_IN_FOLDER

    argv = [
        sys.executable,
        "-m",
        "models.evaluation.drawings",
        "--model",
        str(folder or BUILT_IN_FOLDER),
        "--n",
        str(n),
        "--set",
        asked,
    ]
    started = time.monotonic()
    done = subprocess.run([*argv, "--json"] if as_json else argv, check=False)
    if done.returncode != 0:
        raise Failure("the evaluation failed; what it said stands above")
    click.echo(f"took {time.monotonic() - started:.0f} s", err=True)


@evaluate.command("calibration")
@click.option("--model", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A checkpoint.")
@click.option("--pages", type=click.IntRange(1), help="How many drawn web pages; Chromium shows them.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Instead of the installed file.")
def evaluate_calibration(**given: Any) -> None:
    r"""Fit how sure answers say they are to how often they are right, and print the reliability table.

    Asks about held-out drawings and web pages of our own; about 4 minutes of CPU time. Needs Chromium and the extra `test`.

    \b
    markwise evaluate calibration
    """
    argv = [sys.executable, "-m", "models.evaluation.calibrate"]
    for name, value in given.items():
        argv += [] if value is None else [f"--{'model' if name == 'folder' else name}", str(value)]
    if subprocess.run(argv, check=False).returncode != 0:
        raise Failure("the calibration failed; what it said stands above")


evaluate.add_command(score)
evaluate.add_command(run_benchmark)
evaluate.add_command(report)
evaluate.add_command(probes)
evaluate.add_command(attention)
evaluate.add_command(pointing)
evaluate.add_command(finder)
evaluate.add_command(prepare)
evaluate.add_command(overlap)
evaluate.add_command(dimensions)
