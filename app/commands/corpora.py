"""`markwise dataset stats` and `dataset audit`: read a LLaVA-style file of any size, without a server."""

import json
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli import Failure
from app.commands.client import json_option, show
from models.corpora.audit import PAPER_SAMPLES, page
from models.corpora.audit import drawn as drawn_samples
from models.corpora.statistics import Statistics
from models.corpora.sunburst import draw
from models.errors import BadInput
from models.mixtures.llava_file import records

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
# A page of 20 samples with photos of this size opens at once; larger ones are named only.
LARGEST_PICTURE_BYTES = 4 * 2**20


@click.command()
@click.argument("file", type=FILE)
@click.option("--svg", type=OUT, help="Also draw the first three words of the questions, as a sunburst.")
@json_option
def stats(file: Path, svg: Path | None, as_json: bool) -> None:
    r"""Count what FILE holds: texts, words, how questions begin, how many answers list `1. ... 2. ...`.

    FILE is LLaVA's training JSON, a list or one sample per line, of any size: memory stays flat.

    \b
    markwise dataset stats llava_v1_5_mix665k.json --svg beginnings.svg
    """
    statistics = Statistics()
    for sample in _read(file):
        statistics.add(sample)
    if svg is not None:
        svg.write_text(
            draw(statistics.beginnings.tree(), f"First words of the questions in {file.name}"), encoding="utf-8"
        )
    body = statistics.to_json()
    show(body, as_json, "\n".join(_lines(body)))


@click.command()
@click.argument("file", type=FILE)
@click.option("--out", type=OUT, required=True, help="The HTML page to write.")
@click.option(
    "--n", "count", type=click.IntRange(1, 1000), default=PAPER_SAMPLES, show_default=True, help="How many samples."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed draws the same samples.")
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Put pictures of this folder in."
)
@json_option
def audit(file: Path, out: Path, count: int, seed: int, images: Path | None, as_json: bool) -> None:
    r"""Draw samples of FILE onto a page where a person judges them: right, source error, imprecise, wrong.

    The page is one file and works offline; its button saves the verdicts as JSON.

    \b
    markwise dataset audit shop.json --images pictures/ --out audit.html
    """
    sample = drawn_samples(_read(file), count, seed)
    if not sample:
        raise Failure(f"{file.name} holds no sample")
    folder = None if images is None else images.resolve()
    out.write_text(
        page(f"Audit of {file.name}", sample, None if folder is None else lambda name: _picture(folder, name)),
        encoding="utf-8",
    )
    body = {"page": str(out), "samples": [number for number, _ in sample]}
    show(body, as_json, f"{len(sample)} samples written to {out}; open it in a browser")


def _read(file: Path) -> Iterator[Any]:
    """The samples of a file with a progress bar on stderr; raises Failure where it breaks off."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        try:
            for number, ((start, size), sample) in enumerate(records(file)):
                if number % 1000 == 0:
                    bar.update(task, completed=start + size)
                yield sample
        except BadInput as error:
            raise Failure(str(error)) from None


def _picture(folder: Path, name: str) -> tuple[bytes, str] | None:
    path = (folder / name).resolve()
    media_type = mimetypes.guess_type(path.name)[0] or ""
    if not path.is_relative_to(folder) or not path.is_file() or not media_type.startswith("image/"):
        return None
    return (path.read_bytes(), media_type) if path.stat().st_size <= LARGEST_PICTURE_BYTES else None


def _lines(body: dict[str, Any]) -> Iterator[str]:
    yield f"samples           {body['samples']:>12,}  ({body['with_image']:,} with a picture, {body['broken']:,} broken)"
    for role in ("questions", "answers"):
        found = body[role]
        yield f"{role:<17} {found['texts']:>12,}  {found['mean']} words in the mean, {found['longest']:,} at most"
    yield f"answers that list {body['listings']['texts']:>12,}  {body['listings']['percent']} %"
    common = list(body["first_three_words"].items())[:10]
    yield "questions begin   " + json.dumps(dict(common), ensure_ascii=False)
