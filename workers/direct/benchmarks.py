"""`markwise evaluate run`: puts a benchmark's questions to a model, without a service.

The model is the one that serves: the server of MARKWISE_VLM_URL, else a checkpoint folder, else the built-in model.
Pictures are decoded as carefully as uploads. Knows no scorer.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli import Failure
from app.imaging.decode import ImageDecoder
from app.imaging.errors import ImagingError
from app.services.remote import open_remote
from app.settings import Settings
from models.errors import BackendDown, BadImage, ModelError
from models.evaluation.runs import Asking, Outcome, Tags, load, run
from models.evaluation.runs.pictures import PictureAt
from models.evaluation.scores import BENCHMARKS
from models.marks import STYLES
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import choose_segmenter, segmenter
from models.vlm.types import VlmBackend
from workers.resources import install_segmenters
from workers.shelf import BUILT_IN_FOLDER

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("run")
@click.argument("benchmark", metavar="NAME", type=click.Choice(list(BENCHMARKS)))
@click.option("--questions", required=True, type=_file, help="The benchmark's question file.")
@click.option("--images", type=_folder, help="The folder that the questions' picture names are relative to.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where answers go (JSONL).")
@click.option(
    "--model", "folder", type=_folder, help="A LLaVA checkpoint; without it MARKWISE_VLM_URL, else the built-in."
)
@click.option("--tags/--no-tags", default=False, show_default=True, help="Paint marks on the pictures first.")
@click.option("--segmenter", "name", default="auto", show_default=True, help="What finds the regions to mark.")
@click.option(
    "--granularity", type=click.IntRange(1, 6), help="How fine the regions are, where the segmenter has levels."
)
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
    default="text",
    show_default=True,
    help="Take the model's words, or the option that it finds likeliest.",
)
@click.option("--limit", type=click.IntRange(1), help="Ask only the first so many questions.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def run_benchmark(
    benchmark: str,
    questions: Path,
    images: Path | None,
    out: Path,
    folder: Path | None,
    *,
    tags: bool,
    name: str,
    granularity: int | None,
    style: str,
    max_marks: int | None,
    golden: bool,
    choose: str,
    limit: int | None,
    as_json: bool,
) -> None:
    r"""Put the questions of a benchmark to a model and keep its answers.

    A run that was cut off goes on where it ended when the same command is given again. Score the answers with
    `markwise evaluate score`, compare runs with `markwise evaluate report`.

    \b
    markwise evaluate run pope --questions llava_pope_test.jsonl --images val2014 --out pope.jsonl
    markwise evaluate run pope --questions llava_pope_test.jsonl --images val2014 --out pope-T.jsonl --tags
    """
    settings = Settings()
    try:
        asked = load(benchmark, questions, images)[:limit]
        with _backend(settings, folder) as backend, ImageDecoder() as decoder:
            asking = Asking(
                backend=backend,
                read=lambda image: _decoded(decoder, image),
                tags=None
                if not tags
                else Tags(
                    segment=segmenting(settings, name, granularity),
                    style=STYLES[style],
                    max_marks=max_marks,
                    golden=golden,
                ),
                choosing="likelihood" if choose == "likelihood" else "text",
            )
            kept = {
                "benchmark": benchmark,
                "model": f"{backend.name} {backend.version}",
                "tags": None
                if not tags
                else {
                    "segmenter": name,
                    "granularity": granularity,
                    "style": style,
                    "max_marks": max_marks,
                    "golden": golden,
                },
                "choose": choose,
            }
            parallel = 1 if backend.dialect == "tiny" else settings.vlm_concurrency
            with _bar() as bar:
                task = bar.add_task(benchmark, total=len(asked))
                told = lambda count: bar.update(task, completed=count)  # noqa: E731 - the one line that a bar hears
                outcome = run(asked, asking, out, settings=kept, parallel=parallel, told=told)
    except BackendDown as exc:
        raise Failure(f"{exc}; the answers so far are in {out}, the same command goes on from there") from None
    except ModelError as exc:
        raise Failure(str(exc)) from None
    _report(outcome, len(asked), out, kept, as_json=as_json)


def _report(outcome: Outcome, asked: int, out: Path, kept: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        found = {"answers": str(out), "asked": asked, "answered": outcome.answered, "reused": outcome.reused}
        click.echo(json.dumps(kept | found | {"failed": dict(outcome.failed)}))
        return
    click.echo(f"{outcome.answered} of {asked} questions answered, {outcome.reused} of them before -> {out}")
    for key, why in list(outcome.failed.items())[:20]:
        click.echo(f"unanswered: {key.splitlines()[0]}: {why}", err=True)


@contextmanager
def _backend(settings: Settings, folder: Path | None) -> Iterator[VlmBackend]:
    remote = open_remote(settings) if folder is None else None
    if remote is None:
        from models.vlm.local import LocalBackend

        yield LocalBackend(folder or settings.local_model or BUILT_IN_FOLDER)
        return
    try:
        yield remote.backend()
    finally:
        remote.close()


def _decoded(decoder: ImageDecoder, image: PictureAt) -> Any:
    try:
        return decoder.decode_pixels(image if isinstance(image, bytes) else _bytes(Path(image))).image
    except ImagingError as exc:
        raise BadImage(exc.detail) from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise BadImage(f"{path} cannot be read") from None


def segmenting(settings: Settings, name: str, granularity: int | None) -> Callable[[Any], Regions]:
    """Return what finds the regions of a picture; raises BadInput for an unknown segmenter when it is used."""
    install_segmenters(settings)

    def segment(pixels: Any) -> Regions:
        request = SegmentRequest(granularity=granularity)
        return segmenter(choose_segmenter(name, pixels, request)).segment(pixels, request)

    return segment


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
