"""Answer files of a benchmark side by side, with how sure each figure and difference is: `markwise evaluate report NAME`."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.cli import Failure
from models.errors import BadEvaluation
from models.evaluation.pages import page
from models.evaluation.reports import Run, categories, compare
from models.evaluation.runs.pictures import picture_file
from models.evaluation.scores import Sheets, benchmark
from models.evaluation.scores.reading import Row, read

_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


def compare_files(
    name: str,
    runs: Sequence[str],
    questions: Sequence[Path],
    labels: Sequence[Path],
    images: Path | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print the comparison of answer files, and write it as a page to `out`; raises Failure."""
    try:
        found = _compare(name, _titles(runs), questions, labels, images)
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    if out is not None:
        out.write_text(page(name, [found]), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found))
        return
    show(found)
    if out is not None:
        click.echo(f"written to {out}")


def _titles(runs: Sequence[str]) -> dict[str, Path]:
    titled = {}
    for run in runs:
        title, equals, file = run.partition("=")
        path = Path(file if equals else run)
        if not path.is_file():
            raise BadEvaluation(f"{path} is not a file; a run is given as TITLE=FILE")
        titled[title if equals else path.stem] = path
    return titled


def _compare(
    name: str, runs: dict[str, Path], questions: Sequence[Path], labels: Sequence[Path], images: Path | None
) -> dict[str, Any]:
    chosen = benchmark(name)
    asked = [row for path in questions for row in read(path)]
    told = categories([*(row for path in labels for row in read(path)), *asked])
    each = []
    for title, path in runs.items():
        sheets = Sheets.read(questions=questions, labels=labels, answers=[path])
        pictures = _pictures(asked, images)
        matched = chosen.pair(sheets)
        each.append(Run(title=title, matched=matched, answers=sheets.said, categories=told, picture=pictures))
    return compare(name, each)


def _pictures(asked: Sequence[Row], images: Path | None) -> Callable[[str], str | None]:
    names = {str(row.get("question_id", row.get("image"))): str(row["image"]) for row in asked if row.get("image")}

    def picture(key: str) -> str | None:
        if images is None or key not in names:
            return None
        path = picture_file(images, names[key])
        kind = _TYPES.get(path.suffix.lower())
        if kind is None or not path.is_file():
            return None
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"

    return picture


def show(found: dict[str, Any]) -> None:
    """Print the figures of a report as a table."""
    table = Table("run", found["chief"], "95 %", "n", "missing", "against the first", title=found["benchmark"])
    for row in found["runs"]:
        sure, gap = row[found["chief"]], row.get("difference")
        value, around = (
            ("none", "") if sure is None else (f"{sure['value']:.2f}", f"[{sure['low']:.2f}, {sure['high']:.2f}]")
        )
        against = "" if gap is None else f"{gap['value']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}]"
        table.add_row(row["run"], value, around, str(row["n"]), str(row["missing"]), against)
    Console().print(table)
