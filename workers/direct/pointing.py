"""`markwise evaluate pointing`: the attention probe as numbers over a dataset, and examples as pictures, without a service.

Drawings of ours, or pictures with people's annotations; one model or several. Knows no rule of looking.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from app.cli import Failure
from app.imaging.encode import encode
from models.errors import ModelError
from models.evaluation.pictured import Pictured, region_in_square
from workers.direct.annotated import DEFAULT_DRAWINGS, Chosen
from workers.direct.pictures import json_option, style_option
from workers.shelf import BUILT_IN_FOLDER

if TYPE_CHECKING:
    from models.evaluation.attention import AttentionProbe
    from models.evaluation.pointing import Rule

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_PANEL_PX = 224
_GREEN = (60, 220, 90)


@click.command("pointing")
@click.option("--drawings", type=click.IntRange(1), help=f"So many held-out drawings; {DEFAULT_DRAWINGS} by default.")
@click.option("--instances", type=_file, help="Instead: a COCO instances file, with --images.")
@click.option("--images", type=_folder, help="The folder of the pictures that the file names.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many pictures of the file.")
@click.option("--each", type=click.IntRange(1), default=3, show_default=True, help="Things asked about in a picture.")
@click.option("--layer", "layers", type=int, multiple=True, help="Only these layers of the language model, from 0.")
@click.option("--head", "heads", type=int, multiple=True, help="Only these heads, from 0.")
@style_option
@click.option("--model", "folders", multiple=True, type=_folder, help="A LLaVA checkpoint, or several to compare.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="A folder for pointing.json and examples."
)
@click.option("--examples", type=click.IntRange(0), default=4, show_default=True, help="How many examples to paint.")
@json_option
def pointing(
    drawings: int | None,
    instances: Path | None,
    images: Path | None,
    limit: int | None,
    each: int,
    layers: tuple[int, ...],
    heads: tuple[int, ...],
    style: str,
    folders: tuple[Path, ...],
    out: Path | None,
    examples: int,
    *,
    as_json: bool,
) -> None:
    r"""Measure whether a model looks at what it is asked about.

    How much of its attention lies inside the tagged region, and how often its highest patch does (the pointing game),
    with marks and without. `phrase` is where the words that name a thing look ("Which mark is the red circle?"),
    `writing` where the model looks while it decides on the words of a name ("What is mark 3?"), `reading` where those
    words look once written. `area` is what a model that looks evenly would score, `others` the mean share in the other
    regions. Attention is the mean over all heads of all layers, or of those that are named.

    \b
    markwise evaluate pointing --drawings 100 --out looks/
    markwise evaluate pointing --instances instances_val2017.json --images val2017/ --limit 200 --model llava/ --model som/
    """
    from models.evaluation.attention import AttentionProbe
    from models.evaluation.pointing import Rule

    chosen = Chosen(drawings=drawings, instances=instances, images=images, limit=limit)
    rule = Rule(style=style, layers=layers or None, heads=heads or None)
    try:
        probes = {str(folder): AttentionProbe(folder) for folder in folders or (BUILT_IN_FOLDER,)}
        found = [_measured(Path(name).name, probe, chosen, rule, each) for name, probe in probes.items()]
        kept = {"style": style, "layers": list(layers) or "all", "heads": list(heads) or "all", "models": found}
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / "pointing.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            _paint(out, probes, chosen, rule, examples)
    except ModelError as exc:
        raise Failure(str(exc)) from None
    if as_json:
        click.echo(json.dumps(kept))
        return
    _show(found)
    if out is not None:
        click.echo(f"figures and examples -> {out}")


def _measured(name: str, probe: "AttentionProbe", chosen: Chosen, rule: "Rule", each: int) -> dict[str, Any]:
    import torch

    from models.evaluation.pointing import measure, summary

    torch.set_num_threads(1)
    rows, too_small = [], 0
    with chosen.open() as (given, count):
        looks = measure(probe, given, rule, each=each)
        for one in track(looks, description=name, total=count, console=Console(stderr=True), transient=True):
            rows += one.rows
            too_small += one.too_small
    return {"model": name, "looks": summary(rows), "too_small": too_small}


def _paint(out: Path, probes: "Mapping[str, AttentionProbe]", chosen: Chosen, rule: "Rule", examples: int) -> None:
    with chosen.open() as (given, _):
        for picture in islice((one for one in given if one.phrases), examples):
            (out / f"{picture.key}.png").write_bytes(encode(_example(probes, picture, rule)))


def _example(probes: "Mapping[str, AttentionProbe]", picture: Pictured, rule: "Rule") -> NDArray[np.uint8]:
    """Return a row per model: where the words of the first thing's name look, while deciding on it, marked and clean.

    Four panels each: heat map and highest patches with marks, then both without. The thing is outlined in green.
    """
    from models.evaluation.attention import heat_map, top_patches
    from models.evaluation.pointing import asked, seen

    phrase, rows = picture.phrases[0], []
    for probe in probes.values():
        panels = []
        for tags in (True, False):
            shown = seen(picture, picture.read(), probe.input_px, rule.style, tags=tags)
            query, answer = asked(picture, phrase, "writing")
            look = probe.look(shown, query, answer=answer, words="writing", layers=rule.layers, heads=rule.heads)
            panels += [heat_map(shown, look, _PANEL_PX), top_patches(shown, look, _PANEL_PX)]
        mask = region_in_square(picture.regions, phrase.region, _PANEL_PX).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for panel in panels:
            cv2.drawContours(panel, outlines, -1, _GREEN, 1)
        rows.append(np.hstack(panels))
    return np.vstack(rows)


def _show(found: Sequence[Mapping[str, Any]]) -> None:
    for one in found:
        table = Table("look", "marks", "inside", "95 %", "area", "others", "pointing", "95 %", "n", title=one["model"])
        for row in one["looks"]:
            table.add_row(
                row["look"],
                "with" if row["tags"] else "without",
                _share(row["share"]),
                _interval(row["share_95"]),
                _share(row["area"]),
                _share(row["others"]),
                _share(row["pointing"]),
                _interval(row["pointing_95"]),
                str(row["n"]),
            )
        Console(width=max(90, Console().width)).print(table)
        if one["too_small"]:
            click.echo(f"{one['too_small']} regions are smaller than a patch and were left out", err=True)


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _interval(ends: Sequence[float]) -> str:
    return f"[{', '.join(map(_share, ends))}]"
