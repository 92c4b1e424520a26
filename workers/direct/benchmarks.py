"""`markwise evaluate run`: puts a benchmark's questions to a model, here without a service, or orders it of one.

Here: one model, one benchmark, answers into a file, and their score where the truth is at hand. Of a service (`--server`): models x
benchmarks x tags as a durable job, and the comparison back. Knows no rule of a benchmark.
"""

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click

from app.cli import Failure
from app.commands.evaluating import body_of, order
from app.commands.score import show_score
from app.imaging.decode import ImageDecoder
from app.settings import Settings
from models.errors import BackendDown, BadEvaluation, ModelError
from models.evaluation.drawn import draw
from models.evaluation.judges import JUDGED, Judge, Verdicts, truths
from models.evaluation.runs import Ask, Asking, Outcome, Tags, run, together
from models.evaluation.scores import BENCHMARKS, Score, score
from models.evaluation.self_annotated import NOTES, SelfAnnotating
from models.evaluation.suites import Suite, suite
from models.marks import STYLES
from workers.direct.opening import decoded, open_backend, open_teacher, progress_bar, segmenting
from workers.evaluating.asking import judged
from workers.evaluating.orders import usual_choosing

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("run")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, type=click.Choice(list(BENCHMARKS)))
@click.option("--questions", type=_file, help="The question file; without it MARKWISE_BENCHMARKS/NAME, else drawings.")
@click.option("--labels", multiple=True, type=_file, help="Reference answers, for a judge.")
@click.option("--images", type=_folder, help="The folder that the questions' picture names are relative to.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where answers go (JSONL); with --server the report (HTML).",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    help="A LLaVA checkpoint's folder; without it MARKWISE_VLM_URL, else the built-in. With --server a model's name; may be repeated.",
)
@click.option("--tags/--no-tags", default=False, show_default=True, help="Paint marks on the pictures first.")
@click.option("--both", is_flag=True, help="With --server: with marks and without.")
@click.option("--segmenter", default="auto", show_default=True, help="What finds the regions to mark.")
@click.option("--granularity", type=click.IntRange(1, 6), help="How fine regions are, where the segmenter has levels.")
@click.option("--style", type=click.Choice(list(STYLES)), default="som-llava", show_default=True)
@click.option("--max-marks", type=click.IntRange(1), help="Paint at most so many marks.")
@click.option(
    "--golden/--found",
    default=True,
    show_default=True,
    help="Mark the regions that the questions bring with them, or those that the segmenter finds.",
)
@click.option(
    "--choose",
    type=click.Choice(["text", "likelihood"]),
    help="Take the model's words, or the option that it finds likeliest. Marks are chosen by default, all else is said.",
)
@click.option("--decide", type=click.Choice(["model", "both", "ranker"]), default="model", show_default=True)
@click.option("--judge", help="The model of MARKWISE_TEACHERS that judges answers to llava-bench and mmvet.")
@click.option(
    "--notes",
    type=click.Choice(NOTES),
    help="Have the model first write down what it sees: a caption, names of things (of marks, with --tags), or both.",
)
@click.option("--limit", type=click.IntRange(1), help="Ask only the first so many questions.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of drawings.")
@click.option("--server", envvar="MARKWISE_EVALUATE_AT", help="Order it of the service at this address.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def run_benchmark(names: tuple[str, ...], server: str | None, **given: Any) -> None:
    r"""Put the questions of a benchmark to a model, keep its answers, and print its score where the labels are known.

    Without any file and without a service the shipped model is asked about drawings, whose labels are drawn with them. A run
    that was cut off goes on where it ended when the same command is given again. Score answers again with `markwise evaluate
    score`, compare runs with `markwise evaluate report`. With --server several benchmarks and models are measured as one job
    of the service, and the comparison comes back.

    \b
    markwise evaluate run listing --tags --out listing.jsonl
    markwise evaluate run pope --questions llava_pope_test.jsonl --images val2014 --out pope.jsonl
    markwise evaluate run pope --questions llava_pope_test.jsonl --images val2014 --out pope-T.jsonl --tags
    markwise evaluate run listing refer click --both --server http://127.0.0.1:8000 --out report.html
    """
    if server is not None:
        _order(server, names, given)
        return
    if len(names) > 1 or len(given["models"]) > 1 or given["both"]:
        raise click.UsageError("several benchmarks, models or ways at once are the service's; name it with --server")
    if given["out"] is None:
        raise click.UsageError("say with --out where the answers go")
    try:
        _run(names[0], given)
    except BackendDown as exc:
        raise Failure(f"{exc}; the answers so far are in {given['out']}, the same command goes on from there") from None
    except ModelError as exc:
        raise Failure(str(exc)) from None


def _order(server: str, names: tuple[str, ...], given: dict[str, Any]) -> None:
    marks = {name: given[name] for name in ("segmenter", "granularity", "style", "max_marks", "golden")}
    body = body_of(
        names,
        given["models"],
        tags=[True, False] if given["both"] else [given["tags"]],
        marks=[{name: value for name, value in marks.items() if value is not None}],
        choose=given["choose"],
        decide=given["decide"],
        judge=given["judge"],
        notes=given["notes"],
        n=given["limit"],
        seed=given["seed"],
    )
    order(server, body, given["out"], as_json=given["as_json"])


def _run(name: str, given: dict[str, Any]) -> None:
    settings, out = Settings(), given["out"]
    found = _suite(settings, name, given)
    asked = found.asked()[: given["limit"]]
    choosing = given["choose"] or usual_choosing(name)
    with ExitStack() as stack:
        folder = Path(given["models"][0]) if given["models"] else None
        backend, parallel = together(
            stack.enter_context(open_backend(settings, folder)), remote=settings.vlm_concurrency
        )
        asking = Asking(
            backend=backend,
            read=partial(decoded, stack.enter_context(ImageDecoder())),
            tags=_tags(settings, given) if given["tags"] else None,
            choosing=choosing,
            decide=given["decide"],
        )
        tagging = {name: given[name] for name in ("segmenter", "granularity", "style", "max_marks", "golden")}
        kept = {
            "benchmark": name,
            "model": f"{backend.name} {backend.version}",
            "tags": tagging if given["tags"] else None,
            "choose": choosing,
            "decide": given["decide"],
            "judge": given["judge"],
        }
        noting: Ask = asking
        if given["notes"] is not None:
            kept["notes"] = given["notes"]
            noting = SelfAnnotating(asking=asking, notes=given["notes"])
        ask = _judged(stack, settings, found, noting, given)
        bar = stack.enter_context(progress_bar())
        told = partial(_tell, bar, bar.add_task(name, total=len(asked)))
        outcome = run(asked, ask, out, settings=kept, parallel=parallel, told=told)
    scored = _scored(found, out, by_judge=given["judge"] is not None) if outcome.answered + outcome.reused else None
    _report(outcome, len(asked), out, kept, scored, as_json=given["as_json"])


def _suite(settings: Settings, name: str, given: dict[str, Any]) -> Suite:
    if given["questions"] is not None:
        return Suite(benchmark=name, questions=given["questions"], labels=given["labels"], images=given["images"])
    found = suite(settings.benchmarks_folder, name)
    if found is not None:
        return found
    folder = given["out"].with_name(f"{given['out'].stem}-drawn")
    made = draw(name, folder, seed=given["seed"])
    click.echo(f"questions, labels and pictures are drawn into {folder}", err=True)
    return made


def _tags(settings: Settings, given: dict[str, Any]) -> Tags:
    return Tags(
        segment=segmenting(settings, given["segmenter"], given["granularity"]),
        style=STYLES[given["style"]],
        max_marks=given["max_marks"],
        golden=given["golden"],
    )


def _judged(stack: ExitStack, settings: Settings, found: Suite, asking: Ask, given: dict[str, Any]) -> Ask:
    """Return what asks, and has the answers judged where a judge is named; verdicts are kept beside the answers."""
    name = next((name for name in JUDGED if name == found.benchmark), None)
    if given["judge"] is None or name is None:
        return asking
    if not found.labels:
        raise BadEvaluation("a judge needs the reference answers; give them with --labels")
    questions, labels = found.rows()
    judge = Judge(
        benchmark=name,
        teacher=stack.enter_context(open_teacher(settings, given["judge"])),
        truths=truths(name, list(questions), [row for rows in labels for row in rows]),
        verdicts=Verdicts(given["out"].with_name(f"{given['out'].name}.verdicts.jsonl")),
    )
    return judged(asking, judge)


def _tell(bar: Any, task: Any, count: int) -> None:
    bar.update(task, completed=count)


def _scored(found: Suite, answers: Path, *, by_judge: bool) -> Score | None:
    """The score of an answer file; None where no labels are known, or a judge's verdicts are needed and there are none."""
    if not found.labels or (found.benchmark in JUDGED and not by_judge):
        return None
    return score(found.benchmark, labels=found.labels, answers=[answers])


def _report(
    outcome: Outcome, asked: int, out: Path, kept: dict[str, Any], scored: Score | None, *, as_json: bool
) -> None:
    if as_json:
        found = {"answers": str(out), "asked": asked, "answered": outcome.answered, "reused": outcome.reused}
        told = {"failed": dict(outcome.failed), "score": None if scored is None else scored.to_json()}
        click.echo(json.dumps(kept | found | told))
        return
    click.echo(f"{outcome.answered} of {asked} questions answered, {outcome.reused} of them before -> {out}")
    if scored is not None:
        show_score(scored)
    for key, why in list(outcome.failed.items())[:20]:
        click.echo(f"unanswered: {key.splitlines()[0]}: {why}", err=True)
