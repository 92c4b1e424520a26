"""`markwise evaluate finder`: teaches, tries and uses the finder of tagged pictures, here without a service; or orders it of one.

Pictures are decoded as carefully as uploads. Knows no network's inside.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from app.cli import Failure
from app.commands import finding
from app.commands.client import server_option
from app.imaging.decode import ImageDecoder
from app.imaging.encode import Encoding, encode, fitted
from app.settings import Settings
from models.errors import BadImage, ModelError
from models.finder.gallery import WIDTH_PX, Shown, page
from models.finder.ranking import Found, highest
from workers.direct.annotated import bytes_of, decoding
from workers.direct.opening import segmenting
from workers.direct.pictures import json_option
from workers.shelf import BUILT_IN_FOLDER

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}
_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def finder() -> None:
    """Find pictures in a corpus that carry painted marks (SoM-LLaVA, section 3.2)."""


@finder.command("train")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the finder goes.")
@click.option("--name", help="Instead: have a service teach it and keep it as a model version of this name.")
@click.option("--steps", type=click.IntRange(1), default=150, show_default=True, help="Steps of 16 squares each.")
@click.option("--seed", default=0, show_default=True)
@server_option
@json_option
def train(out: Path | None, name: str | None, steps: int, seed: int, server: str, *, as_json: bool) -> None:
    r"""Teach a finder on our own drawings, tagged and untagged, with look-alikes: minutes on one core.

    \b
    markwise evaluate finder train --out finder/
    markwise evaluate finder check --model finder/
    markwise evaluate finder run pictures/ --model finder/ --out gallery.html
    markwise evaluate finder train --name seeker --server http://127.0.0.1:8000
    markwise evaluate finder run --finder seeker --label street --out gallery.html
    """
    if (out is None) == (name is None):
        raise click.UsageError("say with --out where the finder goes, or with --name what a service calls it")
    if out is None:
        finding.teach(server, {"name": name, "recipe": "finder", "steps": steps, "seed": seed}, as_json=as_json)
        return
    _teach(out, steps, seed, as_json=as_json)


def _teach(out: Path, steps: int, seed: int, *, as_json: bool) -> None:
    import torch

    from models.finder.net import save
    from models.finder.train import train as teach

    torch.set_num_threads(1)
    started, losses = time.process_time(), []
    try:
        with _bar() as bar:
            task = bar.add_task("teaching", total=steps)

            def told(step: int, loss: float) -> None:
                losses.append(loss)
                bar.update(task, completed=step)

            made = teach(BUILT_IN_FOLDER, steps=steps, seed=seed, told=told)
    except ModelError as exc:
        raise Failure(str(exc)) from None
    cpu_s = time.process_time() - started
    about = {"steps": steps, "seed": seed, "loss": float(np.mean(losses[-20:])), "cpu_s": round(cpu_s, 1)}
    save(made, out, about)
    click.echo(json.dumps({"model": str(out), **about}) if as_json else f"taught in {cpu_s:.0f} s of CPU time -> {out}")


@finder.command("check")
@click.argument("folder", required=False, type=_folder)
@click.option("--model", required=True, type=_folder, help="A folder that `finder train` wrote.")
@click.option(
    "--pictures", type=click.IntRange(10), default=400, show_default=True, help="How many are drawn or taken."
)
@click.option("--tagged", type=click.IntRange(1), default=20, show_default=True, help="How many of them carry marks.")
@click.option("--seed", default=0, show_default=True)
@json_option
def check(folder: Path | None, model: Path, pictures: int, tagged: int, seed: int, *, as_json: bool) -> None:
    r"""Print precision at k on a corpus in which a few pictures are tagged.

    The corpus is drawn, from seeds that training never met and with look-alikes that it never showed; or it is FOLDER,
    pictures without marks such as photos, a few of which are marked for the trial in memory.

    \b
    markwise evaluate finder check --model finder/
    markwise evaluate finder check photos/ --model finder/ --tagged 10
    """
    import torch

    from models.finder.check import Corpus, Given
    from models.finder.check import check as tried
    from models.finder.net import load

    torch.set_num_threads(1)
    started = time.process_time()
    try:
        with _corpus(folder) if folder is not None else nullcontext() as given, _bar() as bar:
            count = pictures if given is None else min(pictures, len(given[0]))
            if tagged > count:
                raise click.UsageError(f"--tagged cannot be more than the {count} pictures")
            corpus: Corpus | Given = Corpus(pictures=count, tagged=tagged, seed=seed)
            if given is not None:
                segment = segmenting(Settings(), "auto", None)
                corpus = Given(names=given[0][:count], read=given[1], segment=segment, tagged=tagged, seed=seed)
            task = bar.add_task("looking", total=count)
            found = tried(load(model), corpus, lambda done: bar.update(task, completed=done))
    except ModelError as exc:
        raise Failure(str(exc)) from None
    found["cpu_ms_per_picture"] = round(1000 * (time.process_time() - started) / count, 1)
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        click.echo(f"{name:>24}  {value:.3f}" if isinstance(value, float) else f"{name:>24}  {value}")


@finder.command("run")
@click.argument("folder", required=False, type=_folder)
@click.option("--model", type=_folder, help="A folder that `finder train` wrote, to look through FOLDER with.")
@click.option(
    "--finder", "named", help="Instead of both: a finder of a service, which looks through images of its own."
)
@click.option("--label", help="With --finder: those that carry this label.")
@click.option("--import", "import_", metavar="JOB", help="Or those of an import.")
@click.option("--catalog", is_flag=True, help="Or all of them.")
@click.option(
    "--tagged-label", help="With --finder: images with this label are known to be tagged; tells precision at k."
)
@click.option("--top", type=click.IntRange(1, 500), default=100, show_default=True, help="How many are shown.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The gallery, one HTML file.")
@server_option
@json_option
def run(folder: Path | None, model: Path | None, named: str | None, top: int, out: Path | None, **given: Any) -> None:
    r"""Score every picture of FOLDER, or images of a service, and show the surest in a gallery to judge by eye.

    \b
    markwise evaluate finder run corpus/ --model finder/ --out gallery.html
    """
    if named is not None and folder is None and model is None:
        finding.search(given["server"], named, given, top=top, out=out)
        return
    if named is not None or folder is None or model is None:
        raise click.UsageError("give a folder and a --model, or name a --finder of a service")
    if given["label"] or given["import_"] or given["catalog"] or given["tagged_label"]:
        raise click.UsageError("--label, --import, --catalog and --tagged-label belong to --finder")
    _look_through(folder, model, top, out, as_json=given["as_json"])


def _look_through(folder: Path, model: Path, top: int, out: Path | None, *, as_json: bool) -> None:
    import torch

    from models.finder.net import load
    from models.finder.search import scored

    torch.set_num_threads(1)
    unread: list[str] = []
    try:
        network = load(model)
        with _corpus(folder) as (names, picture), _bar() as bar:
            each = bar.track(_read(names, picture, unread), total=len(names), description="looking")
            ranked = highest((scored(network, name, image) for name, image in each if image is not None), top)
            if out is not None:
                shown = (_shown(one, picture(one.name)) for one in ranked)
                out.write_text(page(f"{len(ranked)} of {len(names)} pictures", shown), encoding="utf-8")
    except ModelError as exc:
        raise Failure(str(exc)) from None
    rows = [{"name": one.name, "score": one.score, "bbox_xyxy_px": one.bbox_xyxy_px} for one in ranked]
    if as_json:
        click.echo(json.dumps({"pictures": len(names), "unread": unread, "highest": rows}))
        return
    for row in rows[:20]:
        click.echo(f"{row['score']:.3f}  {row['name']}")
    told = f"; {len(unread)} could not be read" if unread else ""
    click.echo(f"{len(names)} pictures{told}" + ("" if out is None else f" -> {out}"))


def _read(
    names: list[str], picture: Callable[[str], NDArray[np.uint8]], unread: list[str]
) -> Iterator[tuple[str, NDArray[np.uint8] | None]]:
    """Yield the pictures by name; None for one that cannot be read, which is named in `unread`."""
    for name in names:
        try:
            yield name, picture(name)
        except BadImage:
            unread.append(name)
            yield name, None


def _shown(found: Found, image: NDArray[np.uint8]) -> Shown:
    height, width = image.shape[:2]
    return Shown(found=found, size_hw=(height, width), webp=encode(fitted(image, WIDTH_PX), Encoding.WEBP))


Pictures = tuple[list[str], Callable[[str], NDArray[np.uint8]]]


@contextmanager
def _corpus(folder: Path) -> Iterator[Pictures]:
    """Give the names of a folder's pictures, and how to read one."""
    with ImageDecoder() as decoder:
        decode = decoding(decoder)
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
        yield [str(path.relative_to(folder)) for path in files], lambda name: decode(bytes_of(folder / name))


def _bar() -> Progress:
    return Progress(console=Console(stderr=True), transient=True)
