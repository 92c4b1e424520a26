"""`markwise dataset`: list recipes, build a mixture on a running service, look at it, take it away with its pictures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.progress import Progress

from app.cli import Failure
from app.commands import corpora
from app.commands.client import Client, json_option, server_option, show
from app.errors import AppError
from app.formats.recipes import read_recipe, shipped, shipped_recipe, shipped_text

EXTENSIONS = {"llava": "json", "jsonl": "jsonl", "coco": "json", "webdataset": "tar"}
SHOWN_FAULTS = 5


_EXAMPLES = """\b
Examples:
  markwise dataset recipes
  markwise dataset build shop --recipe markwise-listing-qa
  markwise dataset export shop --out shop.json --images pictures/
"""


@click.group(epilog=_EXAMPLES)
def dataset() -> None:
    """Build, show and export datasets of a running service."""


@dataset.command()
@click.argument("name", required=False)
@json_option
def recipes(name: str | None, as_json: bool) -> None:
    r"""List the recipes that ship, or print the YAML of the recipe NAME, to start one of your own from.

    \b
    markwise dataset recipes
    markwise dataset recipes markwise-listing-qa
    """
    if name is not None:
        try:
            show(shipped_recipe(name).model_dump(mode="json"), as_json, shipped_text(name).rstrip())
        except AppError as error:
            raise Failure(error.detail) from None
        return
    found = [shipped_recipe(name) for name in shipped()]
    body = {"recipes": [recipe.model_dump(mode="json") for recipe in found]}
    width = max(len(recipe.name) for recipe in found)
    show(body, as_json, "\n".join(f"{recipe.name:<{width}}  {recipe.purpose}" for recipe in found))


@dataset.command()
@click.argument("name")
@click.option("--recipe", help="A recipe's name (see `recipes`) or a YAML file; without it, all texts.")
@click.option("--part", "parts", multiple=True, help="Only this part of the recipe; may be repeated.")
@click.option("--kind", "kinds", multiple=True, help="Only texts of this kind; may be repeated.")
@click.option("--job", "job_ids", multiple=True, help="Only texts of this annotation job; may be repeated.")
@click.option("--accepted", is_flag=True, help="Only texts that a person accepted or edited.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many samples of each part.")
@server_option
@json_option
def build(
    name: str,
    recipe: str | None,
    parts: tuple[str, ...],
    kinds: tuple[str, ...],
    job_ids: tuple[str, ...],
    accepted: bool,
    limit: int | None,
    server: str,
    as_json: bool,
) -> None:
    r"""Freeze a mixture of texts as the next version of the dataset NAME.

    \b
    markwise dataset build shop --recipe markwise-listing-qa
    markwise dataset build shop --kind listing --accepted
    """
    narrowing = {"parts": list(parts), "kinds": list(kinds), "job_ids": list(job_ids), "limit": limit}
    body: dict[str, Any] = {"name": name} | {key: value for key, value in narrowing.items() if value}
    if recipe is not None:
        body["recipe"] = _recipe(recipe)
    if accepted:
        body["reviews"] = ["accepted", "edited"]
    client = Client(server)
    job = client.wait(client.call("POST", "/v1/datasets", json=body, headers={"Prefer": "respond-async"}))
    made = client.call("GET", f"/v1/datasets/{job['result']['dataset_id']}")
    for line in _warnings(made["statistics"]):
        click.echo(line, err=True)
    show(made, as_json, _one_line(made))


def _recipe(given: str) -> Any:
    """The name of a recipe that ships, or what a file says."""
    path = Path(given)
    if not path.suffix:
        return given
    try:
        return read_recipe(path.read_text(encoding="utf-8"), path.name).model_dump(mode="json")
    except (OSError, UnicodeDecodeError):
        raise Failure(f"{given} cannot be read as a text file") from None
    except AppError as error:
        raise Failure(error.detail) from None


def _warnings(statistics: dict[str, Any]) -> Iterator[str]:
    """What a person should know before training on it: parts that fell short, and texts that were left out."""
    for name, counts in statistics.get("parts", {}).items():
        if not counts["taken"]:
            yield f"part {name}: no sample"
        elif counts.get("wanted", 0) > counts["taken"]:
            yield f"part {name}: {counts['taken']} samples, {counts['wanted']} were wanted"
    excluded = statistics.get("excluded", {"count": 0})
    if excluded["count"]:
        yield f"{excluded['count']} texts left out:"
        yield from (f"  {count} x {reason}" for reason, count in excluded["reasons"].items())
        yield from (f"  {fault['id']}: {fault['reason']}" for fault in excluded["listed"][:SHOWN_FAULTS])


def _one_line(body: dict[str, Any]) -> str:
    return (
        f"{body['name']} version {body['version']}: {body['statistics']['texts']} texts, id {body['id']},"
        f" sha256 {body['content_sha256'][:16]}"
    )


@dataset.command("show")
@click.argument("dataset_id", metavar="DATASET")
@server_option
@json_option
def show_(dataset_id: str, server: str, as_json: bool) -> None:
    r"""Show the dataset DATASET: an id, a name (its newest version) or name@version.

    \b
    markwise dataset show shop
    """
    body = _find(Client(server), dataset_id)
    show(body, as_json, f"{_one_line(body)}\n{json.dumps(body['statistics'], indent=1)}")


def _find(client: Client, given: str) -> Any:
    try:
        return client.call("GET", f"/v1/datasets/{UUID(given)}")
    except ValueError:
        pass
    name, _, version = given.partition("@")
    after: dict[str, str] = {}
    while True:
        page = client.call("GET", "/v1/datasets", params={"name": name, "limit": 100, **after})
        for body in page["data"]:
            if not version or str(body["version"]) == version:
                return body
        if not page["has_more"]:
            raise Failure(f"there is no dataset {given}; build one with `markwise dataset build`")
        after = {"after": page["next_cursor"]}


@dataset.command()
@click.argument("dataset_id", metavar="DATASET")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.option("--format", "form", type=click.Choice(list(EXTENSIONS)), default="llava", show_default=True)
@click.option(
    "--shards", type=click.IntRange(1, 100_000), default=1, help="Write so many files, numbered before the ending."
)
@click.option(
    "--stage", help="Only this stage of the recipe: trainers that shuffle a whole file take one after the other."
)
@click.option(
    "--images", type=click.Path(file_okay=False, path_type=Path), help="Also write the pictures into this folder."
)
@server_option
@json_option
def export(
    dataset_id: str,
    out: Path,
    form: str,
    shards: int,
    stage: str | None,
    images: Path | None,
    server: str,
    as_json: bool,
) -> None:
    r"""Write the dataset DATASET for a trainer: LLaVA JSON, JSON lines, COCO or WebDataset (which brings the pictures).

    \b
    markwise dataset export shop --out shop.json
    markwise dataset export shop@2 --format webdataset --out shop.tar
    """
    client = Client(server)
    body = _find(client, dataset_id)
    files = [out] if shards == 1 else [_numbered(out, number, shards) for number in range(shards)]
    out.parent.mkdir(parents=True, exist_ok=True)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        for number, file in enumerate(bar.track(files, description=form)):
            path = f"/v1/datasets/{body['id']}/export"
            client.download(path, file, format=form, stage=stage, shard=number, shards=shards)
        pictures = 0 if images is None else _pictures(client, body, images, bar)
    written = {"dataset": body, "files": [str(file) for file in files], "pictures": pictures}
    also = f" and {pictures} pictures to {images}" if images is not None else ""
    show(written, as_json, f"{body['statistics']['texts']} samples written to {len(files)} file(s), {files[0]}{also}")


def _numbered(out: Path, number: int, shards: int) -> Path:
    return out.with_name(f"{out.stem}-{number:05d}-of-{shards:05d}{out.suffix}")


def _pictures(client: Client, body: dict[str, Any], folder: Path, bar: Progress) -> int:
    """Fetch every picture of the catalog that the dataset names, once; returns how many it names."""
    folder.mkdir(parents=True, exist_ok=True)
    task = bar.add_task("pictures", total=body["statistics"]["texts"])
    seen: set[str] = set()
    after = -1
    while True:
        page = client.call("GET", f"/v1/datasets/{body['id']}/texts", params={"limit": 500, "after": after})
        for item in page["data"]:
            bar.advance(task)
            name = item["image"]
            if name is None or item["text_id"] is None or name in seen:
                continue
            seen.add(name)
            if not (folder / name).exists():
                client.download(item["image_url"], folder / name)
        if not page["has_more"]:
            return len(seen)
        after = int(page["next_cursor"])


for command in (corpora.stats, corpora.audit):
    dataset.add_command(command)
