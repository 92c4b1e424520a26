"""`markwise evaluate score`: published benchmarks scored from files alone, without a model and without a service."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.cli import Failure
from models.errors import BadEvaluation
from models.evaluation.scores import BENCHMARKS, Score
from models.evaluation.scores import score as score_files

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("benchmark", metavar="NAME", type=click.Choice(list(BENCHMARKS)))
@click.option("--questions", multiple=True, type=_file, help="What was asked; where the other files do not say it.")
@click.option("--labels", multiple=True, type=_file, help="The truth; may be left out where the answer file holds it.")
@click.option("--answers", multiple=True, required=True, type=_file, help="What the model said, or a judge's verdicts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def score(
    benchmark: str, questions: tuple[Path, ...], labels: tuple[Path, ...], answers: tuple[Path, ...], *, as_json: bool
) -> None:
    r"""Score answers to a published benchmark, exactly as its authors count.

    NAME is pope, mme, gqa, seed, mmbench, mmvet, llava-bench or listing, or one of Set-of-Mark's tasks: classify, refer,
    phrases, video, click. Files are JSON lines, JSON, CSV, TSV or xlsx in the layouts of LLaVA's evaluation scripts, those of
    marks as `evaluate run` writes them. Answers find their labels by id: ids that are missing, unknown or doubled
    are counted beside the result, never guessed. Shares are in percent, MME in points.

    \b
    markwise evaluate score pope --labels coco_pope_adversarial.json --answers answers.jsonl
    markwise evaluate score pope --labels random.json --labels popular.json --answers r.jsonl --answers p.jsonl
    markwise evaluate score mmbench --answers llava-v1.5-13b.xlsx --json
    """
    try:
        result = score_files(benchmark, questions=questions, labels=labels, answers=answers)
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        show_score(result)


def show_score(result: Score) -> None:
    """Print the metrics as a table, and on standard error what could not be matched."""
    table = Table("metric", "value", title=f"{result.benchmark}, {result.n} answers")
    for name, value in result.metrics.items():
        table.add_row(name, f"{value:.2f}" if isinstance(value, float) else str(value))
    Console().print(table)
    for what, count in (
        ("labels without an answer", result.missing),
        ("answers without a label", result.unknown),
        ("lines beyond the first of an id", result.duplicates),
    ):
        if count:
            click.echo(f"{count} {what}", err=True)
