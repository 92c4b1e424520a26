"""`markwise evaluate prepare`: RefCOCO and SoM-Bench as question and label files, without a service and without a model."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from app.cli import Failure
from app.imaging.decode import ImageDecoder
from models.errors import ModelError
from models.evaluation.prepare.refcoco import find_refs, questions, read_refs, referred
from models.evaluation.prepare.som_bench import read_som_bench
from models.evaluation.prepare.writing import write_suite
from models.sources.records import Tools
from workers.direct.annotated import decoding
from workers.direct.pictures import json_option

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_out = click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder for the files."
)


@click.group()
def prepare() -> None:
    """Turn published data sets into files that `evaluate run` asks and `evaluate score` reads."""


@prepare.command("refcoco")
@click.argument("folder", type=_folder)
@click.option("--images", type=_folder, help="The folder of COCO's train2014; linked beside the questions.")
@click.option("--split-by", help="Which refs(NAME): unc, umd or google; where the folder holds several.")
@click.option("--split", help="Only train, val, test, testA or testB.")
@_out
@json_option
def refcoco(
    folder: Path, images: Path | None, split_by: str | None, split: str | None, out: Path, *, as_json: bool
) -> None:
    r"""Read RefCOCO, RefCOCO+ or RefCOCOg: a FOLDER with instances.json and refs(NAME).p, or refs(NAME).json.

    The `.p` file is a pickle. It is read as data, and refused if it holds anything but lists, dicts, numbers and texts:
    nothing in it is ever run.

    \b
    markwise evaluate prepare refcoco refcocog/ --split-by umd --split val --images train2014/ --out suites/refer
    markwise evaluate run refer --questions suites/refer/questions.jsonl --images train2014/ --tags --out refer.jsonl
    """
    try:
        refs = read_refs(find_refs(folder, split_by), split)
        with TemporaryDirectory() as scratch, ImageDecoder() as decoder:
            tools = Tools(scratch=Path(scratch), decode=decoding(decoder))
            count = write_suite(out, questions(referred(folder / "instances.json", refs, tools)), images)
    except ModelError as exc:
        raise Failure(str(exc)) from None
    _tell({"benchmark": "refer", "questions": count, "folder": str(out)}, as_json=as_json)


@prepare.command("som-bench")
@click.argument("folder", type=_folder)
@click.option("--names", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The pool, a name a line.")
@click.option("--boxes", is_flag=True, help="The pictures with boxes drawn (_wbox.jpg), where there are any.")
@_out
@json_option
def som_bench(folder: Path, names: Path | None, boxes: bool, out: Path, *, as_json: bool) -> None:
    r"""Read one part of SoM-Bench: coco_ovseg, ade20k_ovseg, flickr30k_grounding or refcocog_refseg, unpacked.

    The marks are painted already, so run it without --tags. Naming is scored as `listing`, with a file `labels.jsonl`
    of your own in FOLDER ({"image", "items"}), since the names were never released; finding is scored as `gqa`.

    \b
    markwise evaluate prepare som-bench flickr30k_grounding/ --boxes --out suites/flickr
    markwise evaluate run gqa --questions suites/flickr/questions.jsonl --images suites/flickr/images --out flickr.jsonl
    """
    try:
        pool = [] if names is None else [line.strip() for line in names.read_text("utf-8").splitlines() if line.strip()]
        made = read_som_bench(folder, names=pool, boxes=boxes)
        labels = made.labels + [None] * (len(made.questions) - len(made.labels))
        count = write_suite(out, zip(made.questions, labels, strict=True), folder / "som_images")
    except (ModelError, UnicodeDecodeError, ValueError) as exc:
        raise Failure(str(exc)) from None
    _tell(
        {"benchmark": made.benchmark, "questions": count, "labels": len(made.labels), "folder": str(out)},
        as_json=as_json,
    )


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{found['questions']} questions for the benchmark {found['benchmark']} -> {found['folder']}")
