"""`markwise evaluate probes`: question and label files for POPE-style probes, from COCO's instances."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from app.cli import Failure
from models.errors import BadEvaluation
from models.evaluation.probes import SAMPLINGS, Probe, Sampling
from models.evaluation.probes import probes as make_probes


@click.command()
@click.argument("instances", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder for the files.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def probes(instances: Path, out: Path, seed: int, *, as_json: bool) -> None:
    r"""Make yes-no probes about INSTANCES, a COCO instances file: is there a THING in the picture?

    Writes `questions.jsonl` and, for the samplings random, popular and adversarial, `random.jsonl` and so on with labels.

    \b
    markwise evaluate probes instances.json --out probes
    markwise evaluate run pope --questions probes/questions.jsonl --images images --out answers.jsonl
    markwise evaluate score pope --questions probes/questions.jsonl --answers answers.jsonl \\
        --labels probes/random.jsonl --labels probes/popular.jsonl --labels probes/adversarial.jsonl
    """
    try:
        things = _things(instances)
        made = {sampling: make_probes(things, sampling, seed) for sampling in SAMPLINGS}
    except BadEvaluation as exc:
        raise Failure(str(exc)) from None
    _write(out, made)
    found = {"folder": str(out), "pictures": len({one.image for some in made.values() for one in some})}
    counts = {sampling: len(some) for sampling, some in made.items()}
    if as_json:
        click.echo(json.dumps(found | {"questions": counts}))
    else:
        click.echo(f"{sum(counts.values())} questions about {found['pictures']} pictures -> {out}")


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


def _write(out: Path, made: Mapping[Sampling, list[Probe]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    questions, number = [], 0
    for sampling in SAMPLINGS:
        labels = []
        for probe in made[sampling]:
            number += 1
            questions.append(probe.question(number, sampling))
            labels.append(probe.label(number))
        _lines(out / f"{sampling}.jsonl", labels)
    _lines(out / "questions.jsonl", questions)


def _lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
