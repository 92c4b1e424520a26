"""`markwise ground`: a question about a picture file, answered by a model in this process."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from app.cli import Failure
from app.formats.answers import answer_body
from models.errors import ModelError
from models.grounding import TASKS, GroundRequest, GroundResult, MarkedPicture
from models.grounding import ground as answer
from workers.direct.pictures import (
    granularity_option,
    json_option,
    marked_picture,
    picture_argument,
    segmenter_option,
    show_marks,
    style_option,
)


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
@granularity_option
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
    granularity: tuple[int, ...] | None,
    style: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    r"""Ask QUERY about the picture FILE; the marks that the answer names come back with their places.

    \b
    markwise ground screenshot.png "Which mark is the search box?"
    markwise ground screenshot.png "Click Sign in" --task act --json
    markwise ground pets.png "" --task classify --choice cat --choice dog
    """
    from models.vlm.local import LocalBackend
    from workers.shelf import BUILT_IN_FOLDER

    picture = marked_picture(file, segmenter, style, granularity)
    request = GroundRequest(
        image=picture.image,
        regions=picture.regions,
        marking=picture.marking,
        query=query,
        task=task,
        choices=choices,
        target=None if target is None else marked_picture(target, segmenter, style, granularity),
        lookalikes=picture.lookalikes,
        captions=picture.captions,
    )
    try:
        result = answer(LocalBackend(folder or BUILT_IN_FOLDER), request)
    except ModelError as exc:
        raise Failure(str(exc)) from None
    if as_json:
        click.echo(json.dumps(_answer_body(query, result, picture)))
        return
    click.echo(result.text)
    show_marks(result.marks)


def _answer_body(query: str, result: GroundResult, picture: MarkedPicture) -> dict[str, Any]:
    return answer_body(
        answer_id=uuid4(),
        created_at=datetime.now(UTC),
        query=query,
        result=result,
        marking=picture.marking,
        regions=picture.regions,
        mark_set_id=None,
    )
