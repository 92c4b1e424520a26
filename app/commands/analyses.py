"""`markwise evaluate overlap` and `dimensions`: MMGiC's analyses of corpora and of runs, from files alone."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.cli import Failure
from models.errors import BadEvaluation
from models.evaluation.dimensions import Titled, breakdown
from models.evaluation.overlap import overlap as compared
from models.evaluation.overlap import vocabulary
from models.evaluation.reports import categories
from models.evaluation.scores import BENCHMARKS, Sheets, benchmark
from models.evaluation.scores.reading import read

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.command("overlap")
@click.option("--train", required=True, multiple=True, metavar="TITLE=FILE", help="A corpus; several are compared.")
@click.option("--on", required=True, multiple=True, metavar="TITLE=FILE", help="A benchmark's questions or captions.")
@click.option("--at-least", type=click.IntRange(1), default=1, show_default=True, help="So many texts teach a concept.")
@_json
def overlap(train: tuple[str, ...], on: tuple[str, ...], at_least: int, *, as_json: bool) -> None:
    r"""Say how many of the things that benchmarks speak of a training corpus has spoken of, and which pictures both hold.

    Things are noun phrases, and the head words of them; a share of the different ones, and of all occurrences. Files
    are LLaVA JSON, COCO captions, question files, JSON lines. A picture that both name is a leak.

    \b
    markwise evaluate overlap --train mix=mix665k.json --train ours=data.json --on pope=pope.jsonl --on seed=SEED-Bench.json
    """
    try:
        corpora = {title: vocabulary(path) for title, path in map(_titled, train)}
        asked = {title: vocabulary(path) for title, path in map(_titled, on)}
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    rows = [
        {"train": corpus, "on": name, **compared(known, words, at_least=at_least)}
        for name, words in asked.items()
        for corpus, known in corpora.items()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    table = Table("benchmark", "corpus", "phrases", "known %", "of all %", "heads %", "of all %", "same pictures")
    for row in rows:
        shares = (
            f"{row[name]:.1f}"
            for name in ("covered", "covered_occurrences", "covered_heads", "covered_head_occurrences")
        )
        table.add_row(
            row["on"], row["train"], str(row["phrases"]), *shares, f"{row['shared_pictures']} of {row['pictures']}"
        )
    Console(width=max(100, Console().width)).print(table)
    for row in rows:
        if row["missing"]:
            click.echo(f"{row['on']}, never in {row['train']}: {', '.join(row['missing'][:10])}")


@click.command("dimensions")
@click.argument("name", metavar="NAME", type=click.Choice(list(BENCHMARKS)))
@click.option(
    "--run",
    "runs",
    required=True,
    multiple=True,
    metavar="TITLE=FILE",
    help="An answer file; the first is the baseline.",
)
@click.option("--questions", multiple=True, type=_file, help="What was asked, with its category or question_type_id.")
@click.option("--labels", multiple=True, type=_file, help="The truth, as for `score`.")
@click.option("--all", "everything", is_flag=True, help="SEED-Bench with Text Recognition, which the paper leaves out.")
@_json
def dimensions(
    name: str,
    runs: tuple[str, ...],
    questions: tuple[Path, ...],
    labels: tuple[Path, ...],
    everything: bool,
    *,
    as_json: bool,
) -> None:
    r"""Compare runs dimension by dimension, as MMGiC does on SEED-Bench: figures, and paired differences to the first run.

    A star is a difference whose 95 % interval does not hold 0. Given three runs, the third taught with what the first
    two were taught with, it also says where mixing beats the better of the two.

    \b
    markwise evaluate dimensions seed --questions SEED-Bench.json --run coarse=c.jsonl --run fine=f.jsonl --run both=b.jsonl
    """
    try:
        chosen = benchmark(name)
        told = categories([row for path in (*labels, *questions) for row in read(path)])
        titled = []
        for title, path in map(_titled, runs):
            sheets = Sheets.read(questions=questions, labels=labels, answers=[path])
            about = told or categories(sheets.said)
            titled.append(Titled(title=title, matched=chosen.pair(sheets), dimension=about))
        found = breakdown(name, titled, everything=everything)
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    if as_json:
        click.echo(json.dumps(found))
    else:
        _show(found, [one.title for one in titled])


def _titled(run: str) -> tuple[str, Path]:
    title, equals, file = run.partition("=")
    path = Path(file if equals else run)
    if not path.is_file():
        raise BadEvaluation(f"{path} is not a file; give TITLE=FILE")
    return (title if equals else path.stem), path


def _show(found: dict[str, Any], titles: list[str]) -> None:
    table = Table("dimension", "n", *titles, title=f"{found['benchmark']}, {found['chief']}")
    for row in found["dimensions"]:
        cells = [row["runs"][title] for title in titles]
        count = next((str(cell["n"]) for cell in cells if cell), "0")
        table.add_row(row["dimension"], count, *("" if cell is None else _worded(cell) for cell in cells))
    Console(width=max(100, Console().width)).print(table)
    mixed = found.get("mixed")
    if mixed:
        click.echo(
            f"{mixed['run']} over the better of {' and '.join(mixed['over_the_better_of'])}: {mixed['mean']:+.2f} on average"
        )


def _worded(cell: dict[str, Any]) -> str:
    gap = cell.get("difference")
    if gap is None:
        return f"{cell['value']:.2f}"
    return f"{cell['value']:.2f} ({gap['value']:+.2f}{'' if cell['better'] is None else '*'})"
