"""`markwise evaluate attention`: a picture of where a model looks, without a service."""

import json
from pathlib import Path

import click
import numpy as np

from app.cli import Failure
from app.imaging.encode import encode
from models.errors import ModelError
from models.marks import paint_marking_for_model
from workers.direct.pictures import json_option, marked_picture, picture_argument, segmenter_option, style_option
from workers.shelf import BUILT_IN_FOLDER

_PICTURE_PX = 448


@click.command("attention")
@picture_argument
@click.argument("query")
@click.option("--answer", help="Look at these words of an answer instead of the query's.")
@click.option("--writing", is_flag=True, help="With --answer: where the model looks while it decides on those words.")
@click.option("--only", help="Only tokens that hold this text, such as the number of a mark.")
@click.option("--layer", "layers", type=int, multiple=True, help="Only these layers of the language model, from 0.")
@click.option("--head", "heads", type=int, multiple=True, help="Only these heads, from 0.")
@click.option("--tags/--no-tags", default=True, show_default=True, help="Mark the picture first.")
@segmenter_option
@style_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the picture goes (PNG).")
@click.option(
    "--model",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A LLaVA checkpoint; give two to see them side by side. Without it the one that ships with Markwise.",
)
@json_option
def attention(
    file: Path,
    query: str,
    answer: str | None,
    only: str | None,
    layers: tuple[int, ...],
    heads: tuple[int, ...],
    *,
    writing: bool,
    tags: bool,
    segmenter: str,
    style: str,
    out: Path | None,
    folders: tuple[Path, ...],
    as_json: bool,
) -> None:
    r"""Show which parts of the picture FILE the words of QUERY look at: a heat map, and the 20 highest patches in red.

    Attention is the mean over all heads of all layers, or of those that are named. Numbers over many pictures:
    `markwise evaluate pointing`.

    \b
    markwise evaluate attention photo.png "I have labeled a bright numeric ID at the center for each visual object in \
    the image. Please enumerate their names."
    markwise evaluate attention screen.png "What is mark 3?" --only 3
    """
    from models.evaluation.attention import AttentionProbe, Words, heat_map, top_patches

    picture = marked_picture(file, segmenter, style)
    rows, found = [], []
    try:
        for folder in folders or (BUILT_IN_FOLDER,):
            probe = AttentionProbe(folder)
            pixels = picture.image
            if tags:
                pixels = paint_marking_for_model(pixels, picture.regions, picture.marking, probe.input_px)
            words: Words = "writing" if writing else "query" if answer is None else "answer"
            chosen = {"layers": layers or None, "heads": heads or None}
            look = probe.look(pixels, query, answer=answer, words=words, only=only, **chosen)
            rows.append(np.hstack([heat_map(pixels, look, _PICTURE_PX), top_patches(pixels, look, _PICTURE_PX)]))
            weights = look.weights.round(6).tolist()
            found.append({"model": folder.name, "words": list(look.words), "weights": weights})
    except ModelError as exc:
        raise Failure(str(exc)) from None
    out = out or file.with_name(f"{file.stem}.attention.png")
    out.write_bytes(encode(np.vstack(rows)))
    if as_json:
        click.echo(json.dumps({"picture": str(out), "looks": found}))
        return
    for one in found:
        click.echo(f"{one['model']}: {len(one['words'])} tokens:{''.join(f' {word.strip()}' for word in one['words'])}")
    click.echo(f"heat map and highest patches -> {out}")
