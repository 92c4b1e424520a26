"""`markwise mark`, `ground`, `train` and `evaluate` without a server: straight on the model library.

Named by the command line's table and imported when called, so that the web process never meets torch. A picture given
here is decoded in the same limited child process as one that is posted.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from app.catalog.mark_sets import mark_columns
from app.catalog.tables import MarkRow
from app.cli import Failure
from app.commands.probes import probes
from app.commands.report import report
from app.commands.score import score
from app.formats.bodies import mark_body
from app.formats.exports import Format, export, read_regions
from app.formats.lookalikes import warnings
from app.formats.yolo import class_names
from app.imaging.decode import ImageDecoder
from app.imaging.encode import encode
from app.imaging.errors import ImagingError
from app.settings import Settings
from models.errors import ModelError
from models.grounding import TASKS, GroundRequest, GroundResult, MarkedPicture
from models.grounding import ground as answer
from models.marks import STYLES, Marking, find_lookalikes, place
from models.marks import mark as paint_marks
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import choose_segmenter, segmenter
from workers.measuring import run_benchmark
from workers.resources import install_segmenters

Picture = NDArray[np.uint8]
picture_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout and nothing else.")
segmenter_option = click.option(
    "--segmenter", default="auto", show_default=True, help="auto, gui (screenshots) or regions (photos, drawings)."
)
style_option = click.option("--style", type=click.Choice(list(STYLES)), default="markwise", show_default=True)


def read_picture(file: Path) -> Picture:
    """Decode a file as carefully as an upload; a bad one is a sentence."""
    try:
        with ImageDecoder() as decoder:
            return decoder.decode_pixels(file.read_bytes()).image
    except ImagingError as exc:
        raise Failure(f"{file}: {exc.detail}") from None


def regions_of_picture(pixels: Picture, name: str, stated: Path | None = None) -> tuple[str, Regions]:
    """Segment a picture, or take the regions of a file; returns the segmenter's name and the regions."""
    install_segmenters(Settings())
    try:
        complete = None if stated is None else _read_regions(stated, (pixels.shape[0], pixels.shape[1]))
        request = SegmentRequest(complete=complete)
        chosen = segmenter(choose_segmenter(name, pixels, request))
        return f"{chosen.name} {chosen.version}", chosen.segment(pixels, request)
    except ModelError as exc:
        raise Failure(str(exc)) from None


def _read_regions(file: Path, size_hw: tuple[int, int]) -> Regions:
    """Read COCO, LabelMe or YOLO; the names of YOLO's classes stand in classes.txt beside it, one a line, if anywhere."""
    names = file.with_name("classes.txt")
    try:
        text = file.read_text(encoding="utf-8")
        return read_regions(text, size_hw, names.read_text(encoding="utf-8").splitlines() if names.is_file() else ())
    except (OSError, UnicodeDecodeError):
        raise Failure(f"{file} is no text") from None


def _write_export(out: Path, format: Format, regions: Regions, marking: Marking, picture: Path) -> None:
    """Write the marks in another tool's format; YOLO's class names go to classes.txt beside it, where its tools look."""
    kept = regions.take([found.region_index for found in marking.marks])
    kept = replace(kept, points_xy_px=tuple(found.point_xy_px for found in marking.marks))
    text, _, _ = export(format, kept, [found.id for found in marking.marks], picture.name, masks=True)
    out.write_text(text, encoding="utf-8")
    if format == "yolo":
        names = "".join(f"{' '.join(name.split())}\n" for name in class_names(kept))
        out.with_name("classes.txt").write_text(names, encoding="utf-8")


def mark_bodies(marking: Marking, regions: Regions, painted: Collection[str | None] = ()) -> list[Any]:
    """Marks as the HTTP contract shows them; `painted` are the ids of those that show a look-alike."""
    height, width = regions.size_hw
    return [
        mark_body(
            MarkRow(**mark_columns(None, i, mark, regions)), width=width, height=height, lookalike=mark.id in painted
        )
        for i, mark in enumerate(marking.marks)
    ]


@click.command()
@picture_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the marked picture goes (PNG).")
@segmenter_option
@style_option
@click.option("--max-marks", type=click.IntRange(1, 1000), help="Keep the most useful ones.")
@click.option(
    "--regions",
    "stated",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Mark the regions of this file (COCO, LabelMe or YOLO) instead of looking for some.",
)
@click.option(
    "--export",
    "exported",
    type=(click.Choice(["coco", "yolo", "labelme"]), click.Path(dir_okay=False, path_type=Path)),
    metavar="FORMAT FILE",
    help="Also write the marks as coco, yolo (outlines, with classes.txt beside) or labelme.",
)
@json_option
def mark(
    file: Path,
    out: Path | None,
    segmenter: str,
    style: str,
    max_marks: int | None,
    stated: Path | None,
    exported: tuple[Format, Path] | None,
    as_json: bool,
) -> None:
    """Split the picture FILE into regions and paint a mark on each.

    Without --out the marked picture lands beside FILE as NAME.marked.png.
    """
    pixels = read_picture(file)
    name, regions = regions_of_picture(pixels, segmenter, stated)
    overlay, marking = paint_marks(pixels, regions, style, max_marks=max_marks)
    if exported is not None:
        _write_export(exported[1], exported[0], regions, marking, file)
    if out is None and not as_json:
        out = file.with_name(f"{file.stem}.marked.png")
    if out is not None:
        out.write_bytes(encode(overlay))
    told = warnings(find_lookalikes(pixels), {found.id: found.bbox_xyxy_px for found in marking.marks})
    if as_json:
        height, width = pixels.shape[:2]
        body = {
            "object": "mark_set",
            "image": {"width": width, "height": height},
            "segmenter": {"name": name.partition(" ")[0], "version": name.partition(" ")[2], "granularity": None},
            "style": style,
            "marks": mark_bodies(marking, regions, {warning["mark"] for warning in told}),
            "omitted_regions": marking.omitted_regions,
            "warnings": told,
            "overlay": None if out is None else str(out),
        }
        click.echo(json.dumps(body))
        return
    for found in marking.marks:
        x, y = found.point_xy_px
        click.echo(f"{found.id:>4}  {found.role or 'region':10}  ({x:.0f}, {y:.0f})  {found.text or ''}")
    for warning in told:
        click.echo(f"the picture itself shows something like the mark {warning['text']}", err=True)
    click.echo(f"{len(marking.marks)} marks by {name}, {marking.omitted_regions} regions omitted -> {out}")


@click.command()
@picture_argument
@click.argument("query")
@click.option("--task", type=click.Choice(list(TASKS)), default="ask", show_default=True, help="What to do.")
@click.option(
    "--choice", "choices", multiple=True, help="A name of the pool (classify), or a phrase of QUERY (phrases)."
)
@click.option(
    "--target",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The other picture (correspond).",
)
@segmenter_option
@style_option
@click.option(
    "--model",
    "folder",
    envvar="MARKWISE_LOCAL_MODEL",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A LLaVA checkpoint; without it the one that ships with Markwise.",
)
@json_option
def ground(
    file: Path,
    query: str,
    task: str,
    choices: tuple[str, ...],
    target: Path | None,
    segmenter: str,
    style: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Ask QUERY about the picture FILE; the marks that the answer names come back with their places."""
    from models.vlm.local import LocalBackend
    from workers.shelf import BUILT_IN_FOLDER

    picture = marked_picture(file, segmenter, style)
    request = GroundRequest(
        image=picture.image,
        regions=picture.regions,
        marking=picture.marking,
        query=query,
        task=task,
        choices=choices,
        target=None if target is None else marked_picture(target, segmenter, style),
        lookalikes=picture.lookalikes,
    )
    try:
        result = answer(LocalBackend(folder or BUILT_IN_FOLDER), request)
    except ModelError as exc:
        raise Failure(str(exc)) from None
    if as_json:
        click.echo(json.dumps(_answer_body(query, result, picture)))
        return
    click.echo(result.text)
    for found in result.marks:
        x, y = found.point_xy_px
        click.echo(f"{found.id:>4}  {found.role or 'region':10}  ({x:.0f}, {y:.0f})  {found.text or ''}")


def marked_picture(file: Path, segmenter: str, style: str) -> MarkedPicture:
    """Read a picture and put marks on what the segmenter finds; raises Failure."""
    pixels = read_picture(file)
    _name, regions = regions_of_picture(pixels, segmenter)
    return MarkedPicture(
        image=pixels, regions=regions, marking=place(regions, style), lookalikes=find_lookalikes(pixels)
    )


def _answer_body(query: str, result: GroundResult, picture: MarkedPicture) -> dict[str, Any]:
    from datetime import UTC, datetime

    from app.formats.answers import answer_body

    return answer_body(
        answer_id=uuid4(),
        created_at=datetime.now(UTC),
        query=query,
        result=result,
        marking=picture.marking,
        regions=picture.regions,
        mark_set_id=None,
    )


@click.group()
def train() -> None:
    """Teach a model to read marks."""


@train.command("run")
@click.option("--recipe", default="finetune", show_default=True, help="finetune, or tiny-scratch (draws its own data).")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Checkpoints and model.")
@click.option("--base", type=click.Path(exists=True, file_okay=False), help="The checkpoint to start from (finetune).")
@click.option("--dataset", type=click.Path(exists=True, dir_okay=False), help="LLaVA JSON (finetune).")
@click.option("--images", type=click.Path(exists=True, file_okay=False), help="The folder of its pictures (finetune).")
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Or a budget of time.")
@click.option("--clock", type=click.Choice(["wall", "cpu"]), help="What the minutes are of; cpu for tiny-scratch.")
@click.option("--batch-size", type=click.IntRange(1))
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True))
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on from the checkpoints in --out.")
def train_run(out: Path, resume: bool, minutes: float | None, **given: Any) -> None:
    """Train on this machine, with progress; stop with Ctrl-C and go on later with --resume.

    Everything the trainer reports, losses included, is kept as JSON lines in events.jsonl under --out.
    """
    out.mkdir(parents=True, exist_ok=True)
    spec = {name: value for name, value in given.items() if value is not None}
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


@click.group()
def evaluate() -> None:
    """Measure a model."""


@evaluate.command("drawings")
@click.option("--model", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A checkpoint.")
@click.option("--n", type=click.IntRange(1), default=100, show_default=True, help="How many held-out drawings.")
@json_option
def evaluate_drawings(folder: Path | None, n: int, as_json: bool) -> None:
    """Measure listing, "what is mark n" and "which mark is" on held-out drawings."""
    from workers.shelf import BUILT_IN_FOLDER

    argv = [
        sys.executable,
        "-m",
        "models.evaluation.drawings",
        "--model",
        str(folder or BUILT_IN_FOLDER),
        "--n",
        str(n),
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
    """Fit how sure answers say they are to how often they are right, and print the reliability table.

    Asks about held-out drawings and web pages of our own; about 4 minutes of CPU time. Needs Chromium and the extra `test`.
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
