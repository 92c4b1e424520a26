"""`markwise evaluate finder`: teaches, tries and uses the finder of tagged pictures, without a service; or on one's catalog.

Pictures are decoded as carefully as uploads. Knows no network's inside.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from app.cli import Failure
from app.commands.client import Client, server_option
from app.imaging.decode import ImageDecoder
from app.settings import Settings
from models.errors import BadImage, ModelError
from workers.direct.annotated import bytes_of, decoding
from workers.direct.opening import segmenting
from workers.direct.pictures import json_option
from workers.shelf import BUILT_IN_FOLDER

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_model = click.option("--model", "model", required=True, type=_folder, help="A folder that `finder train` wrote.")


@click.group()
def finder() -> None:
    """Find pictures in a corpus that carry painted marks (SoM-LLaVA, section 3.2)."""


@finder.command("train")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the finder goes.")
@click.option("--steps", type=click.IntRange(1), default=150, show_default=True, help="Steps of 16 squares each.")
@click.option("--seed", default=0, show_default=True)
@json_option
def train(out: Path, steps: int, seed: int, *, as_json: bool) -> None:
    r"""Teach a finder on our own drawings, tagged and untagged, with look-alikes: minutes on one core.

    \b
    markwise evaluate finder train --out finder/
    markwise evaluate finder check --model finder/
    markwise evaluate finder run pictures/ --model finder/ --out gallery.html
    """
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
@_model
@click.option(
    "--pictures", type=click.IntRange(10), default=400, show_default=True, help="How many are drawn or taken."
)
@click.option("--tagged", type=click.IntRange(1), default=20, show_default=True, help="How many of them carry marks.")
@click.option("--seed", default=0, show_default=True)
@json_option
def check(folder: Path | None, model: Path, pictures: int, tagged: int, seed: int, *, as_json: bool) -> None:
    """Print precision at k on a corpus in which a few pictures are tagged.

    The corpus is drawn, from seeds that training never met and with look-alikes that it never showed; or it is FOLDER,
    pictures without marks such as photos, a few of which are marked for the trial in memory.
    """
    import torch

    from models.finder.check import Corpus, Given
    from models.finder.check import check as tried
    from models.finder.net import load

    torch.set_num_threads(1)
    started = time.process_time()
    try:
        with _corpus(folder, "", None) if folder is not None else nullcontext() as given, _bar() as bar:
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
@_model
@click.option("--label", help="Instead of a folder: the images of a running service that carry this label.")
@click.option("--catalog", is_flag=True, help="Or all of them.")
@click.option("--top", type=click.IntRange(1, 5_000), default=100, show_default=True, help="How many are shown.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The gallery, one HTML file.")
@server_option
@json_option
def run(
    folder: Path | None,
    model: Path,
    label: str | None,
    catalog: bool,
    top: int,
    out: Path | None,
    server: str,
    *,
    as_json: bool,
) -> None:
    """Score every picture of FOLDER, or of a service's catalog, and show the surest in a gallery to judge by eye."""
    import torch

    from models.finder.gallery import page
    from models.finder.net import load
    from models.finder.search import highest, scored

    if sum((folder is not None, label is not None, catalog)) != 1:
        raise click.UsageError("give a folder, or one of --label and --catalog")
    torch.set_num_threads(1)
    unread: list[str] = []
    try:
        network = load(model)
        with _corpus(folder, server, label) as (names, picture), _bar() as bar:
            task = bar.add_task("looking", total=len(names))

            def each() -> Iterator[Any]:
                for done, name in enumerate(names, 1):
                    try:
                        yield scored(network, name, picture(name))
                    except BadImage:
                        unread.append(name)
                    bar.update(task, completed=done)

            ranked = highest(each(), top)
            if out is not None:
                out.write_text(page(f"{len(ranked)} of {len(names)} pictures", ranked, picture), encoding="utf-8")
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


Pictures = tuple[list[str], Callable[[str], NDArray[np.uint8]]]


@contextmanager
def _corpus(folder: Path | None, server: str, label: str | None) -> Iterator[Pictures]:
    """Give the names of the pictures, and how to read one."""
    with ImageDecoder() as decoder, TemporaryDirectory() as scratch:
        decode = decoding(decoder)
        if folder is not None:
            files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
            yield [str(path.relative_to(folder)) for path in files], lambda name: decode(bytes_of(folder / name))
            return
        client, part = Client(server), Path(scratch) / "picture"

        def fetched(name: str) -> NDArray[np.uint8]:
            client.download(f"/v1/images/{name}/content", part)
            return decode(part.read_bytes())

        yield _ids(client, label), fetched


def _ids(client: Client, label: str | None) -> list[str]:
    ids: list[str] = []
    query: dict[str, Any] = {"limit": 500} | ({} if label is None else {"label": label})
    while True:
        listed = client.call("GET", "/v1/images", params=query)
        ids += [image["id"] for image in listed["data"]]
        if not listed["has_more"]:
            return ids
        query["after"] = listed["next_cursor"]


def _bar() -> Progress:
    return Progress(console=Console(stderr=True), transient=True)
