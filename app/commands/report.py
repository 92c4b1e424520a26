"""`markwise evaluate report`: several runs of a benchmark side by side, with how sure each figure and difference is."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.cli import Failure
from models.errors import BadEvaluation
from models.evaluation.compare import ROUNDS, difference, interval
from models.evaluation.scores import BENCHMARKS, Matched, Sheets, benchmark

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --bar: #3267d6; --line: #8884; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; } th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
td.n { text-align: right; font-variant-numeric: tabular-nums; } .track { position: relative; width: 18rem; height: .9rem; background: var(--line); }
.track i { position: absolute; inset: 0 auto 0 0; background: var(--bar); } .track b { position: absolute; top: .35rem; height: .2rem; background: currentColor; }
"""


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice(list(BENCHMARKS)))
@click.option(
    "--run",
    "runs",
    multiple=True,
    required=True,
    metavar="TITLE=FILE",
    help="An answer file; the first is the baseline.",
)
@click.option("--questions", multiple=True, type=_file, help="What was asked, as for `score`.")
@click.option("--labels", multiple=True, type=_file, help="The truth, as for `score`.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def report(
    name: str,
    runs: tuple[str, ...],
    questions: tuple[Path, ...],
    labels: tuple[Path, ...],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    r"""Compare runs of a benchmark: figures with 95 % intervals, and paired differences to the first run.

    A difference whose interval holds 0 is not shown to be one. Questions that only the baseline got right, or only
    the other run, are listed, so that somebody can look at them.

    \b
    markwise evaluate report pope --labels coco_pope_random.json --run plain=pope.jsonl --run tags=pope-T.jsonl --out report.html
    """
    try:
        found = _compare(name, _titles(runs), questions, labels)
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    if out is not None:
        out.write_text(_page(found), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found))
    else:
        _show(found)
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


def _compare(name: str, runs: dict[str, Path], questions: Sequence[Path], labels: Sequence[Path]) -> dict[str, Any]:
    chosen = benchmark(name)
    paired = {
        title: chosen.pair(Sheets.read(questions=questions, labels=labels, answers=[path]))
        for title, path in runs.items()
    }
    baseline = next(iter(paired.values()))
    rows = []
    for title, matched in paired.items():
        sure = interval(chosen, matched)
        row: dict[str, Any] = {
            "run": title,
            "n": len(matched.pairs),
            "missing": matched.missing,
            chosen.chief: {"value": sure.value, "low": sure.low, "high": sure.high},
            "metrics": chosen.measured(matched.pairs),
        }
        if matched is not baseline:
            found = difference(chosen, matched, baseline)
            gap = found.difference
            row["difference"] = {
                "value": gap.value,
                "low": gap.low,
                "high": gap.high,
                "n": found.n,
                "better": found.better,
            }
            row["changed"] = _changed(baseline, matched)
        rows.append(row)
    return {"benchmark": name, "chief": chosen.chief, "bootstrap_rounds": ROUNDS, "runs": rows}


def _changed(baseline: Matched[Any, Any], run: Matched[Any, Any], most: int = 50) -> list[dict[str, Any]]:
    """Questions whose answer is read differently in the two runs, at most `most`."""
    before = {key: said for key, _, said in baseline.pairs}
    rows = [
        {"id": key, "label": label, "baseline": before[key], "run": said}
        for key, label, said in run.pairs
        if key in before and before[key] != said
    ]
    return rows[:most]


def _show(found: dict[str, Any]) -> None:
    table = Table("run", found["chief"], "95 %", "n", "missing", "against the first", title=found["benchmark"])
    for row in found["runs"]:
        sure = row[found["chief"]]
        gap = row.get("difference")
        against = "" if gap is None else f"{gap['value']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}]"
        interval_ = f"[{sure['low']:.2f}, {sure['high']:.2f}]"
        table.add_row(row["run"], f"{sure['value']:.2f}", interval_, str(row["n"]), str(row["missing"]), against)
    Console().print(table)


def _page(found: dict[str, Any]) -> str:
    """One HTML file that needs nothing else: a bar with its interval for each run, all metrics, changed answers."""
    chief = found["chief"]
    scale = max([100.0, *(row[chief]["high"] for row in found["runs"])])
    parts = [f"<h1>{escape(found['benchmark'])}</h1>", f"<h2>{escape(chief)}, with 95 % intervals</h2><table>"]
    for row in found["runs"]:
        sure = row[chief]
        left, width = 100 * sure["low"] / scale, 100 * (sure["high"] - sure["low"]) / scale
        bar = f'<div class=track><i style="width:{100 * sure["value"] / scale:.2f}%"></i><b style="left:{left:.2f}%;width:{width:.2f}%"></b></div>'
        gap = row.get("difference")
        told = (
            "baseline" if gap is None else f"{gap['value']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}] on {gap['n']}"
        )
        parts.append(
            f"<tr><td>{escape(row['run'])}<td>{bar}<td class=n>{sure['value']:.2f}<td class=n>{row['n']} answered, "
            f"{row['missing']} missing<td>{told}"
        )
    names = list(dict.fromkeys(name for row in found["runs"] for name in row["metrics"]))
    head = "".join(f"<th>{escape(row['run'])}" for row in found["runs"])
    parts.append(f"</table><h2>All metrics</h2><table><tr><th>{head}")
    for name in names:
        cells = "".join(f"<td class=n>{row['metrics'].get(name, float('nan')):.2f}" for row in found["runs"])
        parts.append(f"<tr><td>{escape(name)}{cells}")
    parts.append("</table>")
    for row in found["runs"]:
        if row.get("changed"):
            parts.append(
                f"<h2>Answered otherwise by {escape(row['run'])}</h2><table><tr><th>id<th>label<th>first<th>now"
            )
            parts += [
                f"<tr><td>{escape(str(one['id']))}<td>{escape(str(one['label']))}<td>{escape(str(one['baseline']))}"
                f"<td>{escape(str(one['run']))}"
                for one in row["changed"]
            ]
            parts.append("</table>")
    return f"<!doctype html><meta charset=utf-8><title>{escape(found['benchmark'])}</title><style>{_STYLE}</style>{''.join(parts)}\n"
