"""`markwise evaluate probes`: question and label files for POPE-style probes, from COCO's instances or from a service's catalog."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from app.cli import Failure
from app.commands.client import Client, server_option
from models.errors import BadEvaluation
from models.evaluation.probes import SAMPLINGS, Sampling, fit_pictures
from models.evaluation.probes import probes as make_probes

Row = dict[str, Any]


@click.command()
@click.argument("instances", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--label", help="Instead of a file: the images of a running service that carry this label.")
@click.option("--import", "import_", metavar="JOB", help="Or those of an import.")
@click.option("--source", "sources", multiple=True, help="With a service: only what these imports say.")
@click.option(
    "--content/--no-content", default=True, show_default=True, help="With a service: fetch the pictures, too."
)
@click.option("--pictures", type=click.IntRange(1, 20_000), help="At most so many; of a service 500 by default.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder for the files.")
@click.option("--seed", default=0, show_default=True)
@server_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def probes(
    instances: Path | None,
    label: str | None,
    import_: str | None,
    sources: tuple[str, ...],
    content: bool,
    pictures: int | None,
    out: Path,
    seed: int,
    server: str,
    *,
    as_json: bool,
) -> None:
    r"""Make yes-no probes: is there a THING in the picture? From INSTANCES, a COCO file, or from whatever was imported.

    Each picture is asked about three things that are there and three that are not, the same for one seed. Writes
    `questions.jsonl` and, for the samplings random, popular and adversarial, `random.jsonl` and so on with labels.

    \b
    markwise evaluate probes instances.json --out probes
    markwise evaluate probes --label shop --out probes
    markwise evaluate run pope --questions probes/questions.jsonl --images probes/images --out answers.jsonl
    markwise evaluate score pope --questions probes/questions.jsonl --answers answers.jsonl \
        --labels probes/random.jsonl --labels probes/popular.jsonl --labels probes/adversarial.jsonl
    """
    if sum(one is not None for one in (instances, label, import_)) != 1:
        raise click.UsageError("give a COCO file, or one of --label and --import")
    if instances is not None:
        rows = _of_file(instances, seed, pictures)
    else:
        asked = {"label": label, "import": import_, "source": list(sources), "seed": seed, "pictures": pictures}
        rows = _of_service(
            Client(server), {name: value for name, value in asked.items() if value}, out, content=content
        )
    _write(out, rows)
    counts = {sampling: sum(row["category"] == sampling for row in rows) for sampling in SAMPLINGS}
    found = {"folder": str(out), "pictures": len({row["image"] for row in rows}), "questions": counts}
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{len(rows)} questions about {found['pictures']} pictures -> {out}")


def _of_file(instances: Path, seed: int, pictures: int | None) -> list[Row]:
    """Return questions with their labels, as the service gives them."""
    try:
        things = _things(instances)
        about = frozenset(fit_pictures(things, pictures, seed))
        made: list[tuple[Sampling, Any]] = [
            (sampling, one) for sampling in SAMPLINGS for one in make_probes(things, sampling, seed, about=about)
        ]
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    numbered = enumerate(made, 1)
    return [
        {**one.question(number, sampling), "label": one.label(number)["label"]} for number, (sampling, one) in numbered
    ]


def _of_service(client: Client, asked: Mapping[str, Any], out: Path, *, content: bool) -> list[Row]:
    out.mkdir(parents=True, exist_ok=True)
    whole = out / "probes.jsonl"
    client.download("/v1/probes", whole, **asked)
    rows: list[Row] = [json.loads(line) for line in whole.read_text(encoding="utf-8").splitlines()]
    whole.unlink()
    if content:
        (out / "images").mkdir(exist_ok=True)
        missing = [name for name in dict.fromkeys(row["image"] for row in rows) if not (out / "images" / name).exists()]
        for name in track(missing, description="pictures", console=Console(stderr=True), transient=True):
            client.download(f"/v1/images/{name.removesuffix('.png')}/content", out / "images" / name)
    return rows


def _things(instances: Path) -> dict[str, list[str]]:
    """Return what each picture shows; crowds count, since the thing is there."""
    try:
        body = json.loads(instances.read_text(encoding="utf-8"))
        names = {category["id"]: category["name"] for category in body["categories"]}
        shown: dict[int, list[str]] = {image["id"]: [] for image in body["images"]}
        for annotation in body["annotations"]:
            shown[annotation["image_id"]].append(names[annotation["category_id"]])
        return {image["file_name"]: shown[image["id"]] for image in body["images"]}
    except (ValueError, KeyError, TypeError) as exc:
        raise BadEvaluation(f"{instances} is no COCO instances file: {type(exc).__name__} {exc}") from exc


def _write(out: Path, rows: Iterable[Row]) -> None:
    """Write the questions without their truth, and the truth of each sampling, in POPE's own words."""
    out.mkdir(parents=True, exist_ok=True)
    questions: list[Row] = []
    labels: dict[str, list[Row]] = {sampling: [] for sampling in SAMPLINGS}
    for row in rows:
        questions.append({name: value for name, value in row.items() if name != "label"})
        labels[row["category"]].append({**row, "text": row["text"].splitlines()[0]})
    for sampling, some in labels.items():
        _lines(out / f"{sampling}.jsonl", [{k: v for k, v in row.items() if k != "category"} for row in some])
    _lines(out / "questions.jsonl", questions)


def _lines(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
