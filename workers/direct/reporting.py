"""`markwise evaluate report`: runs side by side from their answer files; without any, what the shipped model can do, measured here.

The second needs no file and no service: benchmarks are drawn, asked of a checkpoint with marks and without, and reported with the
worst answers' pictures and a look inside. Runs go on where they were cut off. Knows no scorer.
"""

import json
import platform
import resource
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from app.cli import Failure
from app.commands.report import compare_files, show
from app.imaging.decode import ImageDecoder
from models.errors import BadEvaluation, ModelError
from models.evaluation.drawn import draw
from models.evaluation.pages import page
from models.evaluation.reports import Run, compare
from models.evaluation.runs import AT_ONCE, AnyQuestion, Asking, Tags, run, together
from models.evaluation.runs.marked import Choosing
from models.evaluation.scores import BENCHMARKS, Sheets, benchmark
from models.evaluation.suites import Suite
from models.grounding import Decide
from models.marks import STYLES
from models.regions import Regions
from workers.direct.opening import decoded, progress_bar
from workers.evaluating.orders import usual_choosing
from workers.evaluating.pictures import data_url, thumbnail
from workers.shelf import BUILT_IN_FOLDER

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
USUAL_OUT: Final = Path("demo-out/evaluation")
_LOOKED_AT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of asking a drawn benchmark."""

    title: str
    tags: bool = True
    decide: Decide = "model"
    choosing: Choosing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A drawn benchmark of `n` pictures, asked in several ways; the first is what the others are compared to."""

    benchmark: str
    n: int
    ways: tuple[Way, ...]


_MARKED: Final = Way(title="marks")
_BARE: Final = Way(title="no marks", tags=False)
# 1.55 minutes of CPU time in all on a busy AMD EPYC, 2026-11-21: eight questions at once; one by one 2.33.
PARTS: Final = (
    Part(benchmark="listing", n=40, ways=(_MARKED, _BARE)),
    Part(
        benchmark="pope",
        n=16,
        ways=(_BARE, _MARKED, Way(title="likelier of yes and no", tags=False, choosing="likelihood")),
    ),
    Part(benchmark="click", n=60, ways=(_MARKED, Way(title="as served, with the ranker", decide="both"), _BARE)),
    Part(benchmark="refer", n=40, ways=(_MARKED, _BARE)),
    Part(benchmark="phrases", n=30, ways=(_MARKED, _BARE)),
    Part(benchmark="classify", n=20, ways=(_MARKED, Way(title="in its own words", choosing="text"))),
    Part(benchmark="video", n=15, ways=(_MARKED, Way(title="as served, by place and look", decide="both"))),
)


@click.command()
@click.argument("name", metavar="[NAME]", required=False, type=click.Choice(list(BENCHMARKS)))
@click.option("--run", "runs", multiple=True, metavar="TITLE=FILE", help="An answer file; the first is the baseline.")
@click.option("--questions", multiple=True, type=_file, help="What was asked, as for `score`.")
@click.option("--labels", multiple=True, type=_file, help="The truth, as for `score`.")
@click.option("--images", type=_folder, help="Where the questions' pictures are: shows the worst answers' pictures.")
@click.option("--model", "folder", type=_folder, help="Without NAME: a LLaVA checkpoint instead of the shipped one.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The HTML file; without NAME a folder (demo-out/evaluation)."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def report(
    name: str | None,
    runs: tuple[str, ...],
    questions: tuple[Path, ...],
    labels: tuple[Path, ...],
    images: Path | None,
    folder: Path | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    r"""Compare runs of a benchmark: figures with 95 % intervals, and paired differences to the first run.

    A difference whose interval holds 0 is not shown to be one. The worst answers of each run, and those that are better or
    worse than the first run's, are listed, so that somebody can look at them.

    Without NAME the shipped model is measured on drawings: listing, yes-no probes, clicks, and Set-of-Mark's other tasks, with
    marks and without; about 1.6 minutes of CPU time. What comes out lies in demo-out/evaluation.

    \b
    markwise evaluate report
    markwise evaluate report pope --labels coco_pope_random.json --run plain=pope.jsonl --run tags=pope-T.jsonl --out report.html
    """
    if (name is None) != (not runs):
        raise click.UsageError("give NAME with at least one --run, or neither of them")
    if name is not None:
        compare_files(name, runs, questions, labels, images, out, as_json=as_json)
        return
    try:
        _report_model(folder or BUILT_IN_FOLDER, out or USUAL_OUT, as_json=as_json)
    except ModelError as exc:
        raise Failure(str(exc)) from None


def _report_model(folder: Path, out: Path, *, as_json: bool) -> None:
    from models.vlm.local import LocalBackend

    began = _cpu_s()
    backend, _ = together(LocalBackend(folder), remote=AT_ONCE)
    out.mkdir(parents=True, exist_ok=True)
    with ImageDecoder() as decoder:
        sections = [_section(part, backend, decoder, out) for part in PARTS]
    figures = list(_looks(folder))
    minutes = (_cpu_s() - began) / 60
    made = {
        "model": backend.name,
        "model_version": backend.version,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {platform.processor() or platform.system()}",
        "cpu_minutes": round(minutes, 2),
        "sections": sections,
    }
    note = (
        f"{backend.name} {backend.version} on drawings that it has not seen, {made['made_at']}, {minutes:.1f} CPU minutes. "
        "Drawings say how well a model reads marks, not how well it knows the world."
    )
    (out / "report.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(f"What {backend.name} can do", sections, [note], figures), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(made))
        return
    for section in sections:
        show(section)
    click.echo(f"{minutes:.1f} CPU minutes; written to {out / 'report.html'} and report.json")


def _section(part: Part, backend: Any, decoder: ImageDecoder, out: Path) -> dict[str, Any]:
    suite = draw(part.benchmark, out / part.benchmark, n=part.n)
    asked = suite.asked()
    questions, labels = suite.rows()
    found = []
    for way in part.ways:
        asking = Asking(
            backend=backend,
            read=lambda image: decoded(decoder, image),
            tags=Tags(segment=_never, style=STYLES["markwise"]) if way.tags else None,
            choosing=way.choosing or usual_choosing(part.benchmark),
            decide=way.decide,
        )
        answers = _answered(part, way, suite, asked, asking, out)
        sheets = Sheets(questions=questions, labels=labels, answers=(Sheets.read(answers=[answers]).said,))
        by_key = {_id_of(question): question for question in asked}
        found.append(
            Run(
                title=way.title,
                matched=benchmark(part.benchmark).pair(sheets),
                answers=sheets.said,
                about={"tags": way.tags, "decide": way.decide, "choose": asking.choosing},
                categories={str(row["question_id"]): row["category"] for row in questions if row.get("category")},
                picture=partial(_picture, asking, by_key),
            )
        )
    return compare(part.benchmark, found)


def _answered(part: Part, way: Way, suite: Suite, asked: Any, asking: Asking, out: Path) -> Path:
    """Ask what is not asked yet, and return the answer file."""
    answers = out / suite.benchmark / f"answers {way.title}.jsonl"
    settings = {
        "benchmark": part.benchmark,
        "n": part.n,
        "model": f"{asking.backend.name} {asking.backend.version}",
        "tags": way.tags,
        "decide": way.decide,
        "choose": asking.choosing,
    }
    with progress_bar() as bar:
        task = bar.add_task(f"{part.benchmark}, {way.title}", total=len(asked))
        run(
            asked,
            asking,
            answers,
            settings=settings,
            parallel=AT_ONCE,
            told=lambda count: bar.update(task, completed=count),
        )
    return answers


def _id_of(question: AnyQuestion) -> str:
    return str(next(question.row[name] for name in ("question_id", "image") if name in question.row))


def _picture(asking: Asking, questions: Mapping[str, AnyQuestion], key: str) -> str | None:
    return None if key not in questions else data_url(thumbnail(asking.shown(questions[key])))


def _never(_picture: Any) -> Regions:
    raise BadEvaluation("drawn questions bring their regions with them")


def _looks(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield captions and pictures of where the model looks when it is asked about a mark."""
    from models.drawings import HELD_OUT_SEEDS
    from models.evaluation.attention import AttentionProbe, heat_map, top_patches
    from models.evaluation.pictured import of_drawings
    from models.marks import paint_for_model

    probe = AttentionProbe(folder)
    for one in of_drawings(HELD_OUT_SEEDS[:_LOOKED_AT]):
        marked = paint_for_model(one.read(), one.regions, one.ids, "markwise", probe.input_px)
        mark = one.ids[len(one.ids) // 2]
        look = probe.look(marked, f"What is mark {mark}?", only=mark)
        both = np.hstack([heat_map(marked, look, 2 * probe.input_px), top_patches(marked, look, 2 * probe.input_px)])
        yield f"Where the model looks when it reads “{mark}” in “What is mark {mark}?”", data_url(thumbnail(both, 900))


def _cpu_s() -> float:
    """Return the CPU time of this process and of its children that have ended, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
